from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from objectives.data.read import read_noted, read_table

if TYPE_CHECKING:
    from pathlib import Path

ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "cp932",
    "euc_jp",
    "iso2022_jp",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
)
CELLS = st.text('あ新宿区ペット可カナ高田馬場の abc,;"\n\t|', min_size=1, max_size=8).filter(
    lambda s: s.strip() == s
)


def packed(content: bytes, suffix: str) -> bytes:
    """The bytes as the suffix says."""
    if suffix.endswith(".gz"):
        return gzip.compress(content)
    if suffix == ".zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("data/学習.csv", content)
            archive.writestr("__MACOSX/data/._学習.csv", b"\0")
        return buffer.getvalue()
    return content


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(rows=[(";", ",")] * 3, encoding="utf-8", signs=("\t", "\n"), suffix=".csv")
@given(
    rows=st.lists(st.tuples(CELLS, CELLS), min_size=3, max_size=8),
    encoding=st.sampled_from(ENCODINGS),
    signs=st.tuples(st.sampled_from(",\t;|"), st.sampled_from(["\n", "\r\n"])),
    suffix=st.sampled_from([".csv", ".tsv", ".csv.gz", ".zip"]),
)
def test_whatever_it_was_written_with(
    tmp_path: Path, rows: list[tuple[str, str]], encoding: str, signs: tuple[str, str], suffix: str
) -> None:
    """A Japanese table is read as it was written, in any encoding, delimiter, quoting, line end and archive."""
    table = pd.DataFrame([(f"{i:03d}", "東京都新宿区の物件", *row) for i, row in enumerate(rows)])
    table.columns = ["id", "住所", "備考", 'say "hi", [x]']
    text = table.to_csv(index=False, sep=signs[0], lineterminator=signs[1])
    path = tmp_path / f"t{suffix}"
    path.write_bytes(packed(text.encode(encoding), suffix))

    read = read_table(path, table.columns)

    pd.testing.assert_frame_equal(read, table)


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        ("id,preço\n1,São Paulo\n2,Belém\n".encode("cp1252"), ["t.csv: read as Western European (cp1252)"]),
        ("id,naïve\n1,é\n2,Ü\n".encode("latin-1"), ["t.csv: read as Western European (cp1252)"]),
        ("id,カナ\n1,ｶﾀｶﾅ\n".encode("cp932"), ["t.csv: read as Shift-JIS (cp932)"]),
        (b"id;a\n1;2,5\n", ["t.csv: fields separated by semicolons"]),
        (b"id,a,a\n1,2,3\n", ["t.csv: 2 columns are called 'a'; the later ones are read as 'a.1' ..."]),
        (b"id,\n1,2\n", ["t.csv: 1 columns without a name, called 'Unnamed: 1'"]),
        (b"id,a\r1,2\r3,4\r", []),
        (b'id,a\n1,"two\nlines, one field"\n\n2,5" pipe\n', []),
        ("id,a\n1,\ufeffx\n".encode(), []),
    ],
)
def test_what_was_guessed_is_said(tmp_path: Path, content: bytes, notes: list[str]) -> None:
    """Encodings, delimiters and names that had to be guessed are notes; what is plain is none."""
    (tmp_path / "t.csv").write_bytes(content)

    assert list(read_noted(tmp_path / "t.csv").notes) == notes


def test_a_named_parquet_index_is_a_column(tmp_path: Path) -> None:
    """An id that was the index when the file was saved is there."""
    table = pd.DataFrame({"id": ["a", "b"], "面積": [1.5, 2.5]})
    table.set_index("id").to_parquet(tmp_path / "t.parquet")

    assert read_table(tmp_path / "t.parquet", {"id"}).columns.tolist() == ["id", "面積"]
