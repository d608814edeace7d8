"""The one error of a table that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class TableError(Exception):
    """A file that cannot be read as a table; the message is one line: got, allowed, do."""


def fault(path: Path, what: str, *, allowed: str, do: str) -> TableError:
    """The error for one file; `what` follows its path, as in `: no such file`."""
    return TableError(f"got {path}{what}; allowed: {allowed}; do: {do}")
