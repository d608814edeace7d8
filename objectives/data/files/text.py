"""A text table checked and read: first what pandas would get wrong silently, then pandas."""

from __future__ import annotations

import codecs
import io
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from objectives.data.files.encoding import OPAQUE, SPOKEN, UTF8, find_encoding
from objectives.data.files.fault import fault
from objectives.data.files.records import DELIMITERS, check_records, find_header
from objectives.data.files.source import find_source

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from objectives.data.files.fault import TableError
    from objectives.data.files.records import Header
    from objectives.data.files.source import Source

_SHORTEST_HEADER = 8


class TextTable(NamedTuple):
    """A text table as read.

    Attributes:
        frame: Its rows.
        notes: What was guessed, one line each.
        repeated: Column names that stand more than once in the header.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]
    repeated: tuple[str, ...]


def read_text(path: Path, text_columns: Collection[str]) -> TextTable:
    """Reads a CSV or TSV file, gzipped or zipped too.

    Raises:
        TableError: If it is broken in a way that can be named.
    """
    source, encoding = _plain(find_source(path))
    _check_bytes(source)
    header = find_header(source, encoding)
    check_records(source, encoding, header)
    # low_memory=False: one type per column instead of one per chunk (pandas' DtypeWarning).
    with source.open() as file:
        frame = pd.read_csv(
            file,
            sep=header.delimiter,
            dtype=dict.fromkeys(text_columns, "str"),
            low_memory=False,
            encoding=encoding,
        )
    repeated = tuple(name for name, count in Counter(header.names).items() if count > 1 and name)
    return TextTable(frame, tuple(_notes(source, header, repeated)), repeated)


def _plain(source: Source) -> tuple[Source, str]:
    """The source with an encoding whose delimiters are plain bytes."""
    encoding = find_encoding(source)
    if encoding not in OPAQUE:
        return replace(source, encoding=encoding), encoding
    with source.open() as file, io.TextIOWrapper(file, encoding, newline="") as text:
        try:
            content = text.read().removeprefix("\ufeff").encode()
        except UnicodeDecodeError as error:
            raise fault(
                source.path,
                f", {SPOKEN[encoding]} by its first bytes, but not throughout ({error.reason})",
                allowed="one encoding throughout",
                do="save the file again as UTF-8",
            ) from None
    return replace(source, content=content, encoding=encoding), UTF8


def _check_bytes(source: Source) -> None:
    """Refuses what no text has, zero bytes, and files put behind each other: a header or byte order mark again."""
    with source.open() as file:
        header = file.readline().removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
    marks = [b"\n" + codecs.BOM_UTF8]
    if len(header) > _SHORTEST_HEADER:
        marks += [b"\n" + header + b"\n", b"\n" + header + b"\r\n"]
    overlap = max(map(len, marks))
    lines, tail = 1, b""
    for block in source.blocks():
        window = tail + block
        zero = window.find(b"\0")
        if zero >= 0:
            raise _zero_byte(source.path, lines + window.count(b"\n", 0, zero))
        again = min((at for at in map(window.find, marks) if at >= 0), default=-1)
        if again >= 0:
            raise _joined(source.path, lines + window.count(b"\n", 0, again) + 1)
        tail = window[-overlap:]
        lines += window.count(b"\n") - tail.count(b"\n")


def _zero_byte(path: Path, line: int) -> TableError:
    return fault(
        path,
        f" with a NUL byte in line {line:,}",
        allowed="text",
        do="write the file again: it is damaged, or not a text",
    )


def _joined(path: Path, line: int) -> TableError:
    return fault(
        path,
        f" with a second header or byte order mark in line {line:,}",
        allowed="one table in a file",
        do="remove that line: two files were put behind each other",
    )


def _notes(source: Source, header: Header, repeated: tuple[str, ...]) -> list[str]:
    name = source.path.name
    notes = []
    if source.encoding != UTF8:
        notes.append(f"{name}: read as {SPOKEN[source.encoding]}")
    if header.delimiter != ("\t" if ".tsv" in source.named else ","):
        notes.append(f"{name}: fields separated by {DELIMITERS[header.delimiter]}")
    unnamed = [str(i) for i, field in enumerate(header.names) if not field]
    if unnamed:
        called = ", ".join(f"'Unnamed: {i}'" for i in unnamed[:5])
        notes.append(f"{name}: {len(unnamed)} columns without a name, called {called}")
    notes += [
        f"{name}: {header.names.count(each)} columns are called {each!r}; the later ones are read as '{each}.1' ..."
        for each in repeated[:5]
    ]
    return notes
