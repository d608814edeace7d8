"""Which bytes a file's characters are, guessed from the bytes alone."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_LABELS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16 (big-endian)",
    "cp932": "Shift-JIS (cp932)",
    "euc_jp": "EUC-JP",
    "iso2022_jp": "ISO-2022-JP",
    "cp1252": "Western (cp1252)",
}
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
_ESCAPES = (b"\x1b$", b"\x1b(")


class Encoding(NamedTuple):
    """How a file's characters are bytes.

    Attributes:
        name: Python's name of the codec.
        mark: The byte order mark that the file begins with; empty for none.
    """

    name: str
    mark: bytes = b""

    @property
    def label(self) -> str:
        """Its name for people."""
        return _LABELS.get(self.name, self.name) + (" with byte order mark" if self.mark else "")

    def encode(self, text: str) -> bytes:
        """Returns a file's bytes.

        Raises:
            ValueError: If a character is none of the encoding's.
        """
        try:
            return self.mark + text.encode(self.name)
        except UnicodeEncodeError as error:
            raise ValueError(
                f"text: got the character {error.object[error.start]!r}; allowed: those of {self.label}; "
                "do: give a sample in UTF-8, or rename"
            ) from None

    def decode(self, data: bytes) -> str:
        """Returns a file's characters, without the mark.

        Raises:
            UnicodeDecodeError: If the bytes are not of this encoding.
        """
        return data[len(self.mark) :].decode(self.name)


def mark_of(data: bytes) -> bytes:
    """Returns the byte order mark at the beginning of some bytes, empty for none."""
    return next((mark for mark in _MARKS if data.startswith(mark)), b"")


def guess_encoding(data: bytes) -> Encoding:
    """Finds the encoding that gives the same bytes back; of several Japanese ones the more plausible.

    Raises:
        ValueError: If there is none.
    """
    mark = mark_of(data)
    if mark:
        names = [_MARKS[mark]]
    elif any(escape in data for escape in _ESCAPES):
        names = ["iso2022_jp"]
    else:
        names = ["utf-8", *_japanese(data), "cp1252"]
    for encoding in (Encoding(name, mark) for name in names):
        if _is_exact(data, encoding):
            return encoding
    raise ValueError("bytes of no known encoding")


def _japanese(data: bytes) -> list[str]:
    # Each reads most bytes of the other: read as Shift-JIS, EUC-JP is a row of half-width katakana.
    readable = [name for name in ("cp932", "euc_jp") if _is_exact(data, Encoding(name))]
    return sorted(readable, key=lambda name: len(_HALF_WIDTH.findall(data.decode(name))))


def _is_exact(data: bytes, encoding: Encoding) -> bool:
    try:
        return encoding.encode(encoding.decode(data)) == data
    except ValueError:  # both kinds of UnicodeError are
        return False
