from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from objectives.data.read import read_table

if TYPE_CHECKING:
    from pathlib import Path

TABLE = pd.DataFrame({"id": ["0007", "0008"], "駅名": ["新宿", "高田馬場"], "rent": [8.5, None]})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_of_japanese_spreadsheets(tmp_path: Path, encoding: str, packed: bool) -> None:
    """UTF-8 with or without its mark and Shift-JIS give the same table, gzipped or not."""
    content = TABLE.to_csv(index=False).encode(encoding)
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(content) if packed else content)

    pd.testing.assert_frame_equal(read_table(path, {"id"}), TABLE)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_text_columns_keep_their_exact_text(tmp_path: Path, suffix: str) -> None:
    """What is asked for as text loses no leading zero, whatever the format."""
    path = tmp_path / f"t{suffix}"
    TABLE.to_parquet(path) if suffix == ".parquet" else TABLE.to_csv(path, index=False)

    assert read_table(path, {"id", "no such column"})["id"].tolist() == ["0007", "0008"]


def test_numbers_in_parquet_become_text_when_asked(tmp_path: Path) -> None:
    """An id stored as a number reads as the digits a CSV would hold."""
    pd.DataFrame({"id": [7, 8]}).to_parquet(tmp_path / "t.parquet")

    assert read_table(tmp_path / "t.parquet", {"id"})["id"].tolist() == ["7", "8"]


def test_suffixes_ignore_case(tmp_path: Path) -> None:
    """`TRAIN.CSV` is a CSV file."""
    TABLE.to_csv(tmp_path / "TRAIN.CSV", index=False)

    assert len(read_table(tmp_path / "TRAIN.CSV")) == 2


def test_one_type_per_column(tmp_path: Path) -> None:
    """A column of numbers with text far below is text throughout, not number or text by chunk."""
    pd.DataFrame({"a": [*range(300_000), "x"]}).to_csv(tmp_path / "t.csv", index=False)

    assert {type(value) for value in read_table(tmp_path / "t.csv")["a"]} == {str}
