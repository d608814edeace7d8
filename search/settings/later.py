"""Faults found after the settings were read, told with the line of the file that they are about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from search.settings.file import placed

if TYPE_CHECKING:
    from collections.abc import Collection

    from search.settings.file import SettingsFile


@dataclass
class _Current:
    """A process runs one command, and a command has one file."""

    file: SettingsFile | None = None
    overruled: frozenset[str] = field(default_factory=frozenset)


_CURRENT = _Current()


def name_lines_of(file: SettingsFile | None, overruled: Collection[str]) -> None:
    """From now on faults are told with the lines of this file.

    Args:
        file: The command's; None: it has none.
        overruled: Settings that were given otherwise.
    """
    _CURRENT.file, _CURRENT.overruled = file, frozenset(overruled)


def with_line(fault: str) -> str:
    """A fault of a setting that the command took from a file, with file and line; any other as it is."""
    name = fault.partition(": ")[0].removeprefix("--").replace("-", "_")
    if _CURRENT.file is None or name in _CURRENT.overruled:
        return fault
    return placed(fault, _CURRENT.file)
