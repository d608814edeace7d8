"""Ways to break a sound table file, drawn by Hypothesis; run as a script, it writes the corpus of them.

python -m tests.objectives_tests.breaking
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DrawFn, SearchStrategy

    Break = Callable[[DrawFn, "Rows"], "Broken"]

CORPUS = Path(__file__).parent / "broken_inputs.json"
Rows = list[list[str]]
KINDS = ("新築", "中古", "賃貸")
HEADER = ["id", "area", "駅名", "kind", "rent"]
BREAKS: dict[str, Break] = {}


@dataclass(frozen=True)
class Broken:
    """A file that cannot be searched.

    Attributes:
        content: Its bytes.
        expected: Words of the one line that names its fault.
        suffix: Its kind by name.
        asked: Settings besides target and id.
    """

    content: bytes
    expected: str
    suffix: str = ".csv"
    asked: tuple[tuple[str, Any], ...] = ()


def sound(which: str) -> Rows:
    """Header and rows of a table without a fault; the test table has no target."""
    first, n = (0, 12) if which == "train" else (12, 6)
    rows = [
        [f"{i:04d}", str(20 + 7 * i % 50), ("新宿", "高田馬場")[i % 2], KINDS[i % 3], str(50000 + 1777 * i)]
        for i in range(first, first + n)
    ]
    table = [HEADER, *rows]
    return table if which == "train" else [row[:-1] for row in table]


def lines(rows: Rows) -> list[str]:
    """Lines without their ends."""
    return [",".join(row) for row in rows]


def packed(text: list[str], encoding: str = "utf-8") -> bytes:
    """Lines as the bytes of a file."""
    return ("\n".join(text) + "\n").encode(encoding)


def breaks(function: Break) -> Break:
    """Registers a way to break a file."""
    BREAKS[function.__name__] = function
    return function


def broken(name: str, which: str) -> SearchStrategy[Broken]:
    """Files of one sort, broken in one way."""
    return st.composite(lambda draw: BREAKS[name](draw, sound(which)))()


def place(draw: DrawFn, rows: Rows) -> int:
    """Index of a data row."""
    return draw(st.integers(1, len(rows) - 1))


def column(draw: DrawFn, rows: Rows) -> int:
    """Index of a column."""
    return draw(st.integers(0, len(rows[0]) - 1))


@breaks
def empty_file(draw: DrawFn, rows: Rows) -> Broken:  # noqa: ARG001 - the form of all
    """Nothing, or nothing but blanks."""
    return Broken(draw(st.text(" \r\n\t", max_size=5)).encode(), "an empty file")


@breaks
def header_only(draw: DrawFn, rows: Rows) -> Broken:
    """No rows."""
    end = draw(st.sampled_from(["", "\n", "\r\n", "\n\n"]))
    return Broken((lines(rows)[0] + end).encode(), "without rows")


@breaks
def short_line(draw: DrawFn, rows: Rows) -> Broken:
    """A row that lacks its last fields."""
    at = place(draw, rows)
    kept = draw(st.integers(1, len(rows[0]) - 1))
    rows[at] = rows[at][:kept]
    return Broken(packed(lines(rows)), f"{kept} fields in line {at + 1}, where the header has {len(rows[0])}")


@breaks
def long_line(draw: DrawFn, rows: Rows) -> Broken:
    """A row with fields too many, as of an unquoted thousands separator."""
    at, extra = place(draw, rows), draw(st.integers(1, 3))
    rows[at] = [*rows[at], *["0"] * extra]
    return Broken(packed(lines(rows)), f"{len(rows[at])} fields in line {at + 1}, where the header")


@breaks
def every_line_longer(draw: DrawFn, rows: Rows) -> Broken:
    """A delimiter at the end of each row but the header; pandas would shift all columns."""
    end = draw(st.sampled_from([",", ",0", ',""']))
    return Broken(packed([lines(rows)[0], *(x + end for x in lines(rows)[1:])]), "fields in line 2, where")


@breaks
def open_quote(draw: DrawFn, rows: Rows) -> Broken:
    """A quote that never closes and swallows the rest."""
    at = draw(st.integers(1, len(rows) - 2))
    k = column(draw, rows)
    rows[at] = [*rows[at][:k], '"' + rows[at][k], *rows[at][k + 1 :]]
    return Broken(packed(lines(rows)), f"a quote opened in line {at + 1}")


@breaks
def other_delimiter_in_a_line(draw: DrawFn, rows: Rows) -> Broken:
    """A row from a file with another delimiter."""
    at, sign = place(draw, rows), draw(st.sampled_from(";\t|"))
    text = lines(rows)
    text[at] = text[at].replace(",", sign)
    return Broken(packed(text), f"1 fields in line {at + 1}")


@breaks
def line_above_the_header(draw: DrawFn, rows: Rows) -> Broken:
    """A title that some exports put first."""
    title = draw(st.sampled_from(["# exported 2026-11-23", "物件一覧", "Table 1"]))
    return Broken(packed([title, *lines(rows)]), f"{len(rows[0])} fields in line 2, where the header has 1")


@breaks
def line_below_the_rows(draw: DrawFn, rows: Rows) -> Broken:
    """A count that some databases put last."""
    last = draw(st.sampled_from(["(12 rows)", "12 rows in set (0.01 sec)", "合計"]))
    return Broken(packed([*lines(rows), last]), f"1 fields in line {len(rows) + 1}")


@breaks
def conflict_markers(draw: DrawFn, rows: Rows) -> Broken:
    """A merge that was never finished."""
    at = place(draw, rows)
    text = lines(rows)
    text[at:at] = ["<<<<<<< HEAD"]
    return Broken(packed(text), f"1 fields in line {at + 1}")


@breaks
def zero_byte(draw: DrawFn, rows: Rows) -> Broken:
    """A NUL in the midst of text."""
    text = lines(rows)
    at = draw(st.integers(0, len(rows) - 1))
    where = draw(st.integers(0, len(text[at])))
    text[at] = f"{text[at][:where]}\0{text[at][where:]}"
    return Broken(packed(text), f"NUL byte in line {at + 1}")


@breaks
def damaged_utf8(draw: DrawFn, rows: Rows) -> Broken:
    """A byte that no UTF-8 has."""
    at, byte = place(draw, rows), draw(st.sampled_from([0xFF, 0xFE, 0xC0, 0xF5]))
    text = [line.encode() for line in lines(rows)]
    text[at] = bytes([byte]) + text[at]
    return Broken(b"\n".join(text), f"UTF-8 with a byte in line {at + 1} that is none of it (0x{byte:02x})")


@breaks
def cut_within_a_character(draw: DrawFn, rows: Rows) -> Broken:
    """A download that broke off in the middle of a kanji."""
    content = packed(lines(rows))
    at = place(draw, rows)
    ends = [i for i, byte in enumerate(content) if byte >= 0xE0 and content[:i].count(b"\n") == at]
    return Broken(content[: draw(st.sampled_from(ends)) + 1], f"UTF-8 with a byte in line {at + 1}")


@breaks
def damaged_shift_jis(draw: DrawFn, rows: Rows) -> Broken:
    """A byte that no Shift-JIS has."""
    at, byte = place(draw, rows), draw(st.sampled_from([0xFF, 0xFE, 0xFD]))
    text = [line.encode("cp932") for line in lines(rows)]
    text[at] = bytes([byte]) + text[at]
    return Broken(b"\n".join(text), f"Shift-JIS (cp932) with a byte in line {at + 1}")


@breaks
def damaged_euc(draw: DrawFn, rows: Rows) -> Broken:
    """A byte that no EUC-JP has."""
    at = place(draw, rows)
    text = [line.encode("euc_jp") for line in lines(rows)]
    text[at] = b"\xff" + text[at]
    return Broken(b"\n".join(text), f"EUC-JP with a byte in line {at + 1}")


@breaks
def half_a_unit_of_utf16(draw: DrawFn, rows: Rows) -> Broken:
    """UTF-16 with an odd number of bytes."""
    name = draw(st.sampled_from(["utf-16", "utf-32"]))
    return Broken(packed(lines(rows), name)[:-1], f"{name.upper()} by its first bytes, but not throughout")


@breaks
def header_again(draw: DrawFn, rows: Rows) -> Broken:
    """Two files put behind each other."""
    at = place(draw, rows)
    text = lines(rows)
    return Broken(
        packed([*text[: at + 1], text[0], *text[at + 1 :]]),
        f"second header or byte order mark in line {at + 2}",
    )


@breaks
def mark_again(draw: DrawFn, rows: Rows) -> Broken:
    """A byte order mark in the middle, from a file put behind another."""
    at = place(draw, rows)
    text = lines(rows)
    text[at] = "\ufeff" + text[at]
    return Broken(packed(text), f"second header or byte order mark in line {at + 1}")


@breaks
def packed_under_a_plain_name(draw: DrawFn, rows: Rows) -> Broken:
    """A gzip or zip archive that is called .csv."""
    content = packed(lines(rows))
    if draw(st.booleans()):
        return Broken(_zip({"train.csv": content}), "a zip archive or an Excel workbook by its content")
    return Broken(gzip.compress(content, mtime=0), "gzipped by its content")


@breaks
def something_else(draw: DrawFn, rows: Rows) -> Broken:  # noqa: ARG001 - the form of all
    """A page, pointer or document under a table's name."""
    start, expected = draw(
        st.sampled_from(
            [
                (b"<!DOCTYPE html>\n<html>", "a web page"),
                (b"<html><body>403</body></html>", "a web page"),
                (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
                (b'<?xml version="1.0"?><rows/>', "XML"),
                (b"%PDF-1.7\n", "a PDF"),
                (b"{\\rtf1 x}", "a text document"),
                (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
                (b"PAR1\x15\x04", "a Parquet file"),
            ]
        )
    )
    return Broken(start, f"{expected} by its content", draw(st.sampled_from([".csv", ".tsv"])))


@breaks
def plain_under_a_packed_name(draw: DrawFn, rows: Rows) -> Broken:
    """A CSV that is called something else."""
    suffix = draw(st.sampled_from([".csv.gz", ".zip", ".parquet", ".tsv.gz"]))
    return Broken(packed(lines(rows)), "not readable as a table", suffix)


@breaks
def cut_archive(draw: DrawFn, rows: Rows) -> Broken:
    """A download of an archive that broke off."""
    content = packed(lines(rows))
    missing = draw(st.integers(9, 30))
    suffix = draw(st.sampled_from([".csv.gz", ".zip"]))
    whole = gzip.compress(content, mtime=0) if suffix == ".csv.gz" else _zip({"t.csv": content})
    return Broken(whole[:-missing], "not readable as a table", suffix)


@breaks
def flipped_bits(draw: DrawFn, rows: Rows) -> Broken:
    """An archive whose checksum is another than its content's."""
    suffix = draw(st.sampled_from([".csv.gz", ".zip"]))
    content = packed(lines(rows))
    if suffix == ".zip":
        whole = bytearray(_zip({"t.csv": content}))
        whole[40 + draw(st.integers(0, len(content) - 1))] ^= draw(st.integers(1, 255))
    else:
        whole = bytearray(gzip.compress(content, mtime=0))
        whole[-8 + draw(st.integers(0, 7))] ^= draw(st.integers(1, 255))
    return Broken(bytes(whole), "not readable as a table", suffix)


@breaks
def zip_without_one_table(draw: DrawFn, rows: Rows) -> Broken:
    """An archive of no table, or of several."""
    content = packed(lines(rows))
    names = draw(
        st.sampled_from(
            [(), ("a.csv", "b.csv"), ("readme.txt",), ("__MACOSX/._a.csv",), ("a.csv", "b/c.tsv")]
        )
    )
    tables = [name for name in names if name.endswith((".csv", ".tsv")) and "__" not in name]
    return Broken(_zip(dict.fromkeys(names, content)), f"with {len(tables)} tables in it", ".zip")


@breaks
def encrypted_zip(draw: DrawFn, rows: Rows) -> Broken:
    """An archive with a password."""
    whole = bytearray(_zip({draw(st.sampled_from(["a.csv", "b.tsv"])): packed(lines(rows))}))
    whole[6] |= 1  # the flag in the entry and in the directory
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    return Broken(bytes(whole), "encrypted", ".zip")


@breaks
def empty_in_a_zip(draw: DrawFn, rows: Rows) -> Broken:  # noqa: ARG001 - the form of all
    """An archive of an empty table."""
    return Broken(_zip({"t.csv": draw(st.sampled_from([b"", b"\n", b"  "]))}), "an empty file", ".zip")


@breaks
def cut_parquet(draw: DrawFn, rows: Rows) -> Broken:
    """A Parquet file without its end."""
    whole = _parquet(_frame(rows))
    return Broken(whole[: draw(st.integers(5, len(whole) - 1))], "not readable as a table", ".parquet")


@breaks
def lists_in_cells(draw: DrawFn, rows: Rows) -> Broken:
    """A Parquet column of lists."""
    frame = _frame(rows)
    frame["tags"] = [[draw(st.integers(0, 9))] * 2 for _ in range(len(frame))]
    return Broken(_parquet(frame), "with lists in 'tags'", ".parquet")


@breaks
def column_twice(draw: DrawFn, rows: Rows) -> Broken:
    """Two columns of the id's or the target's name."""
    name = draw(st.sampled_from([name for name in ("id", "rent") if name in rows[0]]))
    rows[0] = [*rows[0], name]
    return Broken(
        packed(lines([rows[0], *([*row, "1"] for row in rows[1:])])), f"with {name!r} more than once"
    )


@breaks
def no_id(draw: DrawFn, rows: Rows) -> Broken:
    """An id under another name; in training nobody asks for it."""
    rows[0] = [draw(st.sampled_from(["ID", "番号", " id", "no"])), *rows[0][1:]]
    if "rent" in rows[0]:
        rows[0][-1] = draw(st.sampled_from(["Rent", "家賃", "rent "]))
        return Broken(packed(lines(rows)), "target: got 'rent', not a column of")
    return Broken(packed(lines(rows)), "id: got 'id', not a column of")


@breaks
def no_header(draw: DrawFn, rows: Rows) -> Broken:
    """Rows only."""
    rows = rows[draw(st.integers(1, 3)) :]
    return Broken(packed(lines(rows)), f"without a header: its first line is {rows[0][0]}")


@breaks
def repeated_ids(draw: DrawFn, rows: Rows) -> Broken:
    """One id twice."""
    one, other = draw(st.lists(st.integers(1, len(rows) - 1), min_size=2, max_size=2, unique=True))
    rows[other] = [rows[one][0], *rows[other][1:]]
    return Broken(packed(lines(rows)), "1 repeats of 'id' in")


@breaks
def missing_ids(draw: DrawFn, rows: Rows) -> Broken:
    """A row without its id."""
    at = place(draw, rows)
    rows[at] = ["", *rows[at][1:]]
    return Broken(packed(lines(rows)), "1 missing values of 'id'")


@breaks
def spoiled_target(draw: DrawFn, rows: Rows) -> Broken:
    """A target without a value, or with one that is no number; in the test table, a target at all."""
    if len(rows[0]) < len(HEADER):
        value = draw(st.sampled_from(["", "1", "x"]))
        text = [lines(rows)[0] + ",rent", *(f"{line},{value}" for line in lines(rows)[1:])]
        return Broken(packed(text), "target: got 'rent' in")
    value, expected = draw(
        st.sampled_from(
            [
                ("", "1 missing values in 'rent'"),
                ("NA", "1 missing values in 'rent'"),
                ("ask", "1 values in 'rent' that are not numbers, such as 'ask'"),
                ("5万円", "1 values in 'rent' that are not numbers"),
                ("inf", "1 infinite values in 'rent'"),
                ("-inf", "1 infinite values in 'rent'"),
            ]
        )
    )
    at = place(draw, rows)
    rows[at] = [*rows[at][:-1], value]
    return Broken(packed(lines(rows)), expected, asked=(("task", "regression"),))


@breaks
def no_variety(draw: DrawFn, rows: Rows) -> Broken:
    """A target of one value; a test table without a feature."""
    value = draw(st.sampled_from(["1", "85000", "0.5"]))
    if len(rows[0]) < len(HEADER):
        return Broken(packed(["id", *(row[0] for row in rows[1:])]), "no feature in common")
    return Broken(
        packed([lines(rows)[0], *(",".join([*row[:-1], value]) for row in rows[1:])]), "constant 'rent'"
    )


@breaks
def unknown_kind(draw: DrawFn, rows: Rows) -> Broken:
    """A suffix that no table has."""
    suffix = draw(st.sampled_from([".xlsx", ".txt", ".json", ".feather", ".csv.bz2", ".rar", ""]))
    return Broken(packed(lines(rows)), "an unknown kind of file", suffix)


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _frame(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(rows[1:], columns=rows[0])


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def written(content: bytes) -> dict[str, str]:
    """Bytes as JSON has them: as text where they are, else in base 64."""
    try:
        return {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def content_of(case: dict[str, Any]) -> bytes:
    """The bytes of a case of the corpus."""
    return case["text"].encode() if "text" in case else base64.b64decode(case["base64"])


def write_corpus() -> None:
    """Writes the simplest broken file of each way, for both tables, and one more where it ends otherwise."""
    cases: list[dict[str, Any]] = []
    for name in BREAKS:
        for which in ("train", "test"):
            first = _simplest(name, which, Broken(b"", ""))
            for one in (first, _simplest(name, which, first)) if which == "train" else (first,):
                case = {"way": name, "file": which, "suffix": one.suffix, "expected": one.expected}
                case |= {**written(one.content), "asked": dict(one.asked)}
                cases += [case] if case not in cases else []
    CORPUS.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _simplest(name: str, which: str, other: Broken) -> Broken:
    """The simplest file that differs from another in its fault, if there is one."""
    how = settings(
        max_examples=50,
        derandomize=True,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(broken(name, which), lambda one: one.expected != other.expected, settings=how)
    except Exception:  # noqa: BLE001 - there is none
        return other


if __name__ == "__main__":
    write_corpus()
