"""The bytes of a text table, unpacked."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from objectives.data.files.fault import fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT_SUFFIXES = (".csv", ".tsv")
_BLOCK = 1 << 22
_ENCRYPTED = 0x1
# What people name `.csv` although it is something else, by its first bytes.
_MAGIC = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook by its content", "unpack it, or save it as CSV"),
    (b"\x1f\x8b", "gzipped by its content", "rename it to .csv.gz"),
    (b"PAR1", "a Parquet file by its content", "rename it to .parquet"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook by its content", "save it as CSV"),
    (b"version https://git-lfs", "a Git LFS pointer by its content", "fetch the file itself: git lfs pull"),
    (b"<!doctype html", "a web page by its content", "download the table itself, logged in"),
    (b"<html", "a web page by its content", "download the table itself, logged in"),
    (b"<?xml", "XML by its content", "save it as CSV"),
    (b"{\\rtf", "a text document by its content", "save it as CSV"),
    (b"%pdf", "a PDF by its content", "save the table as CSV"),
)
_MOST_MAGIC = 64


@dataclass(frozen=True)
class Source:
    """Where the text of a table comes from.

    Attributes:
        path: The file, for messages.
        member: The table's name in a zip archive.
        content: The text as UTF-8, where its own encoding hides delimiters from a byte search.
        encoding: The file's own, once it is known.
    """

    path: Path
    member: str = ""
    content: bytes | None = None
    encoding: str = ""

    def open(self) -> IO[bytes]:
        """The unpacked bytes, from the beginning."""
        if self.content is not None:
            return io.BytesIO(self.content)
        if self.member:
            return zipfile.ZipFile(self.path).open(self.member)
        if self.path.name.lower().endswith(".gz"):
            return cast("IO[bytes]", gzip.open(self.path))
        return self.path.open("rb")

    def blocks(self) -> Iterator[bytes]:
        """The bytes in pieces of some megabytes."""
        with self.open() as file:
            while block := file.read(_BLOCK):
                yield block

    @property
    def named(self) -> str:
        """The table's own file name."""
        return (self.member or self.path.name).lower()


def find_source(path: Path) -> Source:
    """The text table of a file.

    Raises:
        TableError: If the file is empty, or its content is something else than its name says.
    """
    source = Source(path, _member(path) if path.name.lower().endswith(".zip") else "")
    with source.open() as file:
        head = file.read(_MOST_MAGIC)
    if not head.strip():
        raise fault(path, ", an empty file", allowed="a header line and at least 1 row", do="check the file")
    start = head.lower().lstrip()
    for magic, what, do in _MAGIC:
        if start.startswith(magic.lower()):
            raise fault(path, f", {what}", allowed="text in lines and fields", do=do)
    return source


def _member(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        tables = [info for info in archive.infolist() if _is_table(info.filename)]
    names = ", ".join(info.filename for info in tables[:5]) or "none"
    if len(tables) != 1:
        raise fault(
            path,
            f" with {len(tables)} tables in it ({names})",
            allowed=f"1 {' or '.join(TEXT_SUFFIXES)} file in a zip",
            do="unpack it and give the one that is meant",
        )
    if tables[0].flag_bits & _ENCRYPTED:
        raise fault(path, ", encrypted", allowed="a zip without a password", do="unpack it")
    return tables[0].filename


def _is_table(name: str) -> bool:
    place = PurePosixPath(name)
    # Macs pack a shadow of each file besides it.
    hidden = "__MACOSX" in place.parts or place.name.startswith(".")
    return not hidden and name.lower().endswith(TEXT_SUFFIXES)
