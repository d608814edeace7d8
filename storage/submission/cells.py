"""The cells of a delimited file and where each stands in it, so that one can be replaced and nothing else moves."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

DELIMITERS = {",": "a comma", "\t": "a tab", ";": "a semicolon", "|": "a bar", " ": "a space"}
"""What may stand between two cells, the likeliest first, and its name for people."""

_LOOKED_AT = 100
_LINE_END = re.compile(r"\r\n|\n|\r")


class Cell(NamedTuple):
    """One cell.

    Attributes:
        text: What it says: without quotes, doubled quotes undone, without spaces around it.
        start: Where its bare text begins in the file's text, inside the quotes if there are any.
        end: Where its bare text ends.
    """

    text: str
    start: int
    end: int


Row = list[Cell]


def read_cells(text: str, delimiter: str, most_rows: int | None = None) -> list[Row]:
    """Returns the rows of a file; a blank line is a row without cells.

    Args:
        text: The file's characters.
        delimiter: What stands between cells.
        most_rows: After how many rows to stop; default: none is left out.
    """
    if '"' not in text and " " not in text:
        return _plain_cells(text, delimiter, most_rows)
    match = _pattern(delimiter).match
    rows: list[Row] = []
    row: Row = []
    place, size = 0, len(text)
    while place < size:
        found = match(text, place)
        assert found is not None  # the pattern also takes an empty cell
        cell, place = _cell(found), found.end()
        following = text[place : place + 1]
        place += 1
        row.append(cell)
        if following == delimiter:
            if place == size:
                row.append(Cell("", size, size))
            continue
        if following == "\r" and text[place : place + 1] == "\n":
            place += 1
        rows.append([] if len(row) == 1 and row[0].start == row[0].end and not found[0] else row)
        row = []
        if most_rows is not None and len(rows) >= most_rows:
            return rows
    return [*rows, row] if row else rows


def line_ends(text: str) -> Counter[str]:
    r"""Counts how lines end: `\r\n`, `\n` or `\r`, also within quotes."""
    return Counter(_LINE_END.findall(text))


def guess_delimiter(text: str, ids: Collection[str]) -> str:
    """Finds what stands between cells: that which sets the most ids free in the first rows."""
    known = set(ids)

    def score(delimiter: str) -> tuple[int, int]:
        rows = read_cells(text, delimiter, _LOOKED_AT)
        found = sum(any(cell.text in known for cell in row) for row in rows if len(row) > 1)
        width = Counter(len(row) for row in rows if row).most_common(1)
        return found, width[0][1] if width and width[0][0] > 1 else 0

    return max(DELIMITERS, key=score)


def quoted(text: str, delimiter: str) -> str:
    """Returns a cell with quotes if it needs any."""
    if any(character in text for character in (delimiter, '"', "\r", "\n")) or text != text.strip(" "):
        return '"' + text.replace('"', '""') + '"'
    return text


def usual_width(rows: Sequence[Row]) -> int:
    """Returns the most frequent number of cells in rows that are not blank, 0 without any."""
    widths = Counter(len(row) for row in rows if row).most_common(1)
    return widths[0][0] if widths else 0


@lru_cache
def _pattern(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    space = "" if delimiter == " " else " *"
    return re.compile(rf'{space}"([^"]*(?:""[^"]*)*)"{space}(?=[{mark}\r\n]|\Z)|([^{mark}\r\n]*)')


def _plain_cells(text: str, delimiter: str, most_rows: int | None) -> list[Row]:
    """Reads text without quotes and spaces, several times as fast."""
    rows: list[Row] = []
    start = 0
    for end in _LINE_END.finditer(text):
        rows.append(_plain_row(text, start, end.start(), delimiter))
        start = end.end()
        if most_rows is not None and len(rows) >= most_rows:
            return rows
    return [*rows, _plain_row(text, start, len(text), delimiter)] if start < len(text) else rows


def _plain_row(text: str, start: int, end: int, delimiter: str) -> Row:
    row: Row = []
    if start == end:
        return row
    for word in text[start:end].split(delimiter):
        after = start + len(word)
        row.append(Cell(word, start, after))
        start = after + 1
    return row


def _cell(found: re.Match[str]) -> Cell:
    inner = found[1]
    if inner is not None:
        return Cell(inner.replace('""', '"') if '"' in inner else inner, *found.span(1))
    text, (start, end) = found[2], found.span(2)
    bare = text.strip(" ")
    if bare == text:
        return Cell(text, start, end)
    start += len(text) - len(text.lstrip(" "))
    return Cell(bare, start, start + len(bare))
