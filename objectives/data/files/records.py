"""Records of a text table: what separates their fields, and the first one that does not fit the header."""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from objectives.data.files.fault import fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from objectives.data.files.source import Source

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_LOOKED_AT = 50
_LONGEST_FIELD = 1 << 30
_QUOTE, _LINE_END, _RETURN = b'"\n\r'


class Header(NamedTuple):
    """The first record, and what separates the fields of all."""

    names: tuple[str, ...]
    delimiter: str


def find_header(source: Source, encoding: str) -> Header:
    """Reads the header, with the delimiter under which the first records agree; of several the one with most columns.

    A header has none of another's delimiters but by accident, so more columns are no accident; else it is a comma.
    """
    expected = "\t" if ".tsv" in source.named else ","
    order = [expected, *(d for d in DELIMITERS if d != expected)]
    widths = {d: [len(r) for r in islice(_records(source, encoding, d), _LOOKED_AT) if r] for d in order}
    agreed = [d for d in order if min(widths[d]) == max(widths[d]) > 1]
    delimiter = max(agreed or order, key=lambda d: widths[d][0])
    names = next(record for record in _records(source, encoding, delimiter) if record)
    return Header(tuple(names), delimiter)


def _records(source: Source, encoding: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(_LONGEST_FIELD)
    with source.open() as file, io.TextIOWrapper(file, encoding, "replace", newline="") as text:
        yield from csv.reader(text, delimiter=delimiter)


def check_records(source: Source, encoding: str, header: Header) -> None:
    """Makes sure that each record has as many fields as the header; pandas would shift or fill them silently.

    Raises:
        TableError: Naming the first line that does not fit.
    """
    if not _agree(source, header):
        _check_each(source, encoding, header)


def _agree(source: Source, header: Header) -> bool:
    """A quick look: whether all lines have the header's number of delimiters outside of quotes."""
    counter = _Counter(ord(header.delimiter), len(header.names) - 1)
    return all(counter.feed(block) for block in source.blocks()) and counter.quoted == 0


class _Counter:
    """Counts delimiters a line, block by block."""

    def __init__(self, delimiter: int, expected: int) -> None:
        self._delimiter = delimiter
        self._expected = expected
        self._open = 0  # delimiters so far in the line that the last block left unfinished
        self._length = 0  # and its bytes
        self.quoted = 0

    def feed(self, block: bytes) -> bool:
        """Whether the lines that end in this block are as expected."""
        if b"\r" in block.replace(b"\r\n", b"").removesuffix(b"\r"):
            return False  # a lone carriage return ends lines too, or not: the slow reader knows
        content = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(content == _LINE_END)
        delimiters = np.flatnonzero(content == self._delimiter)
        if b'"' in block or self.quoted:
            inside = (np.cumsum(content == _QUOTE) + self.quoted) % 2
            ends, delimiters = ends[inside[ends] == 0], delimiters[inside[delimiters] == 0]
            self.quoted = int(inside[-1])
        before = np.searchsorted(delimiters, ends)
        counts = np.diff(before, prepend=0)
        lengths = np.diff(ends, prepend=-1) - 1
        if len(ends):
            counts[0] += self._open
            lengths[0] += self._length
            self._open, self._length = 0, 0
        self._open += len(delimiters) - (int(before[-1]) if len(ends) else 0)
        self._length += len(content) - (int(ends[-1]) + 1 if len(ends) else 0)
        blank = lengths <= 1  # at most a carriage return
        return bool((blank | (counts == self._expected)).all())


def _check_each(source: Source, encoding: str, header: Header) -> None:
    csv.field_size_limit(_LONGEST_FIELD)
    with source.open() as file, io.TextIOWrapper(file, encoding, newline="") as text:
        taken: list[str] = []  # the lines of the record that is being read
        reader = csv.reader(_kept(text, taken), delimiter=header.delimiter)
        line = 1
        for record in reader:
            blank = not record or (len(record) == 1 and not record[0].strip())
            if _is_open(taken, header):
                raise _open_quote(source, line)
            if not blank and len(record) != len(header.names):
                raise _ragged(source, line, record, header)
            line = reader.line_num + 1
            taken.clear()


def _kept(text: io.TextIOWrapper, taken: list[str]) -> Iterator[str]:
    for line in text:
        taken.append(line)
        yield line


def _is_open(taken: list[str], header: Header) -> bool:
    """Whether a record of several lines ends only because the file does."""
    if len(taken) == 1 and not _ends_quoted(taken[0], header):
        return False
    try:
        list(csv.reader(taken, delimiter=header.delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _ends_quoted(line: str, header: Header) -> bool:
    return line.count('"') % 2 == 1 and (line.startswith('"') or f'{header.delimiter}"' in line)


def _open_quote(source: Source, line: int) -> Exception:
    return fault(
        source.path,
        f" with a quote opened in line {line:,} that never closes",
        allowed="quotes in pairs",
        do="close it, or double it where it is part of the text",
    )


def _ragged(source: Source, line: int, record: list[str], header: Header) -> Exception:
    return fault(
        source.path,
        f" with {len(record):,} fields in line {line:,}, where the header has {len(header.names):,}",
        allowed=f"the same number of fields, separated by {DELIMITERS[header.delimiter]}, in each",
        do="mend that line, or quote fields that hold the delimiter",
    )
