"""Where in a TOML text each key is: `tomllib` says what a file means, and not where."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

Key = tuple[str, ...]


def key_lines(text: str) -> dict[Key, int]:
    """The line, from 1, of each key of a valid TOML text; a table has that of its first mention."""
    lines: dict[Key, int] = {}
    table: Key = ()
    for number, statement in _statements(text):
        parsed = tomllib.loads(statement)
        is_header = statement.lstrip().startswith("[")
        keys = [*_keys(parsed, ())]
        if is_header:
            table = max(keys, key=len, default=())
            keys = [key[:length] for key in keys for length in range(1, len(key) + 1)]
        else:
            keys = [table + key for key in keys]
        for key in keys:
            lines.setdefault(key, number)
    return lines


def _statements(text: str) -> list[tuple[int, str]]:
    """Each statement with its first line: as many lines as it takes to be valid TOML on its own."""
    found: list[tuple[int, str]] = []
    start, pending = 1, ""
    for number, line in enumerate(text.splitlines(), start=1):
        start = start if pending else number
        pending += line + "\n"
        try:
            parsed = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue
        if parsed:
            found.append((start, pending))
        pending = ""
    return found


def _keys(table: Mapping[str, Any], above: Key) -> list[Key]:
    found: list[Key] = []
    for name, value in table.items():
        found.append((*above, name))
        if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            value = value[0]  # noqa: PLW2901 - an array of tables is known by its first
        if isinstance(value, Mapping):
            found += _keys(value, (*above, name))
    return found
