"""Ways to break a submission as text or as a file; None where a file cannot be broken so."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.storage_tests.valid_submission import Valid


def other_line_ends(v: Valid) -> bytes | None:
    """Other line ends."""
    ends = {line[len(line.rstrip("\r\n")) :] for line in v.lines if line.endswith(("\r", "\n"))}
    if not v.is_lines or len(ends) != 1:
        return None
    return v.encoded(v.text.replace(v.end, "\r\n" if v.end == "\n" else "\n"))


def last_end(v: Valid) -> bytes:
    """Last end."""
    bare = v.text.rstrip("\r\n")
    return v.encoded(bare if bare != v.text else bare + v.end)


def blank_line(v: Valid) -> bytes | None:
    """Blank line."""
    if not v.is_lines:
        return None
    row = v.first + v.pick(len(v.rows) - 1)
    return v.encoded("".join([*v.lines[:row], v.end, *v.lines[row:]]))


def blank_end(v: Valid) -> bytes | None:
    """Blank end."""
    return v.encoded(v.text + v.end) if v.text.endswith(("\n", "\r")) else None


def mark_added(v: Valid) -> bytes | None:
    """Mark added."""
    if v.form.encoding.mark or v.form.encoding.name != "utf-8":
        return None
    return codecs.BOM_UTF8 + v.encoded(v.text)


def mark_dropped(v: Valid) -> bytes | None:
    """Mark dropped."""
    mark = v.form.encoding.mark
    return v.encoded(v.text)[len(mark) :] if mark else None


def other_encoding(v: Valid) -> bytes | None:
    """Other encoding."""
    if v.text.isascii():
        return None
    try:
        return v.text.encode("utf-8" if v.form.encoding.name != "utf-8" else "cp932")
    except UnicodeEncodeError:
        return None


def wide_characters(v: Valid) -> bytes | None:
    """Wide characters."""
    return v.text.encode("utf-16") if v.form.encoding.name == "utf-8" and not v.form.encoding.mark else None


def quoted_id(v: Valid) -> bytes | None:
    """Quoted id."""
    cell = v.rows[v.pick(len(v.rows))][v.form.id_place]
    if v.text[cell.start - 1 : cell.start] == '"':
        return None
    return v.encoded(f'{v.text[: cell.start]}"{cell.text}"{v.text[cell.end :]}')


def unquoted(v: Valid) -> bytes | None:
    """Unquoted."""
    return v.encoded(v.text.replace('"', "")) if v.is_lines and v.text.count('"') >= 2 * len(v.rows) else None


def open_quote(v: Valid) -> bytes | None:
    """Open quote."""
    cell = v.rows[v.pick(len(v.rows))][v.form.id_place]
    return v.encoded(f'{v.text[: cell.start]}"{v.text[cell.start :]}') if v.is_bare else None


def space(v: Valid) -> bytes | None:
    """Space."""
    cell = v.rows[v.pick(len(v.rows))][v.form.places[0]]
    return (
        v.encoded(f"{v.text[: cell.start]} {v.text[cell.start :]}")
        if v.is_bare and " " not in v.text
        else None
    )


def cut(v: Valid) -> bytes | None:
    """Cut."""
    if not v.is_lines or not v.is_bare:
        return None
    cell = v.rows[v.pick(len(v.rows) - 1)][0]
    return v.encoded(v.text[: cell.end])


def empty(_: Valid) -> bytes:
    """Empty."""
    return b""


def blank(_: Valid) -> bytes:
    """Blank."""
    return b"\r\n \r\n"


def gzipped(v: Valid) -> bytes:
    """Gzip."""
    return gzip.compress(v.encoded(v.text), mtime=0)


def zipped(v: Valid) -> bytes:
    """Zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("submission.csv"), v.encoded(v.text))
    return file.getvalue()


def page(v: Valid) -> bytes:
    """Page."""
    return b"<!DOCTYPE html><html><body>" + v.encoded(v.text) + b"</body></html>"


def as_json(v: Valid) -> bytes:
    """Json."""
    return json.dumps([cell.text for row in v.rows for cell in row]).encode()


def nul(v: Valid) -> bytes | None:
    """Nul."""
    cell = v.rows[v.pick(len(v.rows))][v.form.places[0]]
    return v.encoded(f"{v.text[: cell.end]}\0{v.text[cell.end :]}")
