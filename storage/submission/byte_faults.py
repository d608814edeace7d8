"""What is wrong with a file before it is text: another kind of file, another encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.submission.encoding import Encoding, guess_encoding, mark_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS: Mapping[bytes, str] = {
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a zip or Excel file",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"7z\xbc\xaf": "a 7-zip file",
    b"BZh": "a bzip2 file",
    b"SQLite format 3": "an SQLite file",
    b"\x93NUMPY": "a numpy file",
}
_PAGES = (b"<!doctype", b"<html", b"<?xml")
_OBJECTS = (b"{", b"[")


def byte_fault(data: bytes) -> str | None:
    """Returns what is wrong with a file that is no text at all; None where it may be."""
    what = _kind(data)
    return f"file: got {what}; allowed: delimited text" if what else None


def encoding_fault(data: bytes, allowed: Encoding) -> str | None:
    """Returns what is wrong with a file's encoding; None where it is the sample's."""
    mark = mark_of(data)
    if mark != allowed.mark:
        got = _label(data) if mark else "no byte order mark"
        return f"encoding: got {got}; allowed: {allowed.label}, as in the sample"
    try:
        text = allowed.decode(data)
    except UnicodeDecodeError as error:
        place = error.start + len(mark)
        return (
            f"encoding: got bytes that are not {allowed.label}, at position {place} (they look like "
            f"{_label(data)}); allowed: {allowed.label}, as in the sample"
        )
    if "\0" in text:
        return f"text: got {text.count(chr(0))} NUL characters; allowed: none"
    return None


def _kind(data: bytes) -> str | None:
    if not data.strip():
        return "an empty file" if not data else "nothing but blank lines"
    for magic, name in _KINDS.items():
        if data.startswith(magic):
            return name
    start = data[:200].lstrip().lower()
    if start.startswith(_PAGES):
        return "a web page"
    return "JSON" if start.startswith(_OBJECTS) and data.rstrip().endswith((b"}", b"]")) else None


def _label(data: bytes) -> str:
    try:
        return guess_encoding(data).label
    except ValueError:
        return "no known encoding"
