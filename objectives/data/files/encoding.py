"""Which encoding a text is in: what it says itself, else the first that fits it whole and reads like a language."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from objectives.data.files.fault import fault

if TYPE_CHECKING:
    from objectives.data.files.source import Source

SPOKEN = {
    "cp932": "Shift-JIS (cp932)",
    "euc_jp": "EUC-JP",
    "iso2022_jp": "JIS (ISO-2022-JP)",
    "cp1252": "Western European (cp1252)",
    "latin-1": "Latin-1",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
}
"""How people call the encodings that are worth a word."""
UTF8 = "utf-8-sig"
# Their bytes of other characters look like quotes, delimiters and line ends.
OPAQUE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso2022_jp")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 1 << 16
_NUL_SHARE = 0.2
_OTHERS = re.compile(r"[^\x00-\x7f]+")
_HALF_KANA = re.compile(r"[\uff61-\uff9f]+")
# Lead bytes of kana, symbols and the kanji in daily use.
_COMMON = {"cp932": (0x81, 0x98), "euc_jp": (0xA1, 0xCF)}
_PLAUSIBLE = 0.5
_GOOD_PER_DAMAGED = 4
# Python reads single bytes of cp932 that mean nothing as these.
_NOTHING = re.compile("[\ufffd\x80\uf8f0-\uf8f3]")


class _Reading(NamedTuple):
    """How a text reads in an encoding: characters that are likely, unlikely and impossible in it."""

    likely: int
    unlikely: int
    impossible: int

    @property
    def fits(self) -> bool:
        return self.impossible == 0 and self.likely >= _PLAUSIBLE * (self.likely + self.unlikely)

    @property
    def damaged(self) -> bool:
        """Whether it is in this encoding, but for a few places."""
        return 0 < self.impossible <= self.likely > self.unlikely


def find_encoding(source: Source) -> str:
    """The encoding of a text, by its Python name.

    Raises:
        TableError: If the text is in one encoding but for some bytes; the line names the first.
    """
    with source.open() as file:
        head = file.read(_HEAD)
    said = next((name for mark, name in _MARKS if head.startswith(mark)), "") or _by_zeros(head)
    if said or b"\x1b$B" in head:
        return said or "iso2022_jp"
    if _decodes(source, UTF8):
        return UTF8
    readings = {name: _read(source, name) for name in ("euc_jp", "cp932")}
    for name, reading in readings.items():
        if reading.fits:
            return name
    for name, reading in {UTF8: _read(source, UTF8), **readings}.items():
        # What looks like a character of several bytes in UTF-8 is one; in the others it may be chance.
        if reading.damaged and (name == UTF8 or reading.impossible * _GOOD_PER_DAMAGED <= reading.likely):
            raise _damage(source, name)
    return "cp1252" if _decodes(source, "cp1252") else "latin-1"


def _by_zeros(head: bytes) -> str:
    """UTF-16 without a mark: every other byte of its ASCII characters is zero."""
    half = max(len(head) // 2, 1)
    if head[1::2].count(0) > _NUL_SHARE * half and not head[::2].count(0):
        return "utf-16-le"
    return "utf-16-be" if head[::2].count(0) > _NUL_SHARE * half and not head[1::2].count(0) else ""


def _decodes(source: Source, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in source.blocks():
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _read(source: Source, encoding: str) -> _Reading:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    total = Counter[str]()
    singles = 0
    for block in source.blocks():
        others = _OTHERS.findall(decoder.decode(block))
        # Half-width kana stand in runs; a single one is an accented letter of another encoding.
        singles += sum(len(run) == 1 for text in others for run in _HALF_KANA.findall(text))
        total.update("".join(others))
    total.update(decoder.decode(b"", final=True))
    impossible = sum(total.pop(character) for character in list(total) if _NOTHING.match(character))
    likely = sum(count for character, count in total.items() if _is_likely(character, encoding))
    return _Reading(likely - singles, total.total() - likely + singles, impossible)


def _is_likely(character: str, encoding: str) -> bool:
    if encoding == UTF8:
        return True
    first, last = _COMMON[encoding]
    if "\uff61" <= character <= "\uff9f":
        return encoding == "cp932"
    raw = character.encode(encoding, "ignore")
    return bool(raw) and first <= raw[0] <= last


def _damage(source: Source, encoding: str) -> Exception:
    with source.open() as file:
        line, byte = next(
            (number, byte)
            for number, text in enumerate(file, start=1)
            if (byte := _bad_byte(text, "utf-8" if encoding == UTF8 else encoding)) is not None
        )
    name = "UTF-8" if encoding == UTF8 else SPOKEN[encoding]
    return fault(
        source.path,
        f", {name} with a byte in line {line:,} that is none of it (0x{byte:02x})",
        allowed="one encoding throughout",
        do="mend that line, or save the file again as UTF-8",
    )


def _bad_byte(text: bytes, encoding: str) -> int | None:
    try:
        nothing = _NOTHING.search(text.decode(encoding))
    except UnicodeDecodeError as error:
        return text[error.start]
    return nothing and nothing[0].encode(encoding)[0]
