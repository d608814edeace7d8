from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.data.checks import DataFiles
from objectives.data.columns import ColumnEncoder
from objectives.data.dataset import load_dataset
from objectives.data.written import Written, find_written, read_written

if TYPE_CHECKING:
    from pathlib import Path

MISSING = float("nan")
FULL_WIDTH = str.maketrans("0123456789.,-%¥", "０１２３４５６７８９．，－％￥")  # noqa: RUF001
NUMBERS = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("texts", "decimal", "numbers"),
    [
        (["1,234", "56", "7,890,123.5"], "point", [1234, 56, 7890123.5]),
        (["１２３", "４．５"], "point", [123, 4.5]),  # noqa: RUF001
        (["¥85,000", "￥120,000", "9,500円"], "point", [85000, 120000, 9500]),
        (["12.5%", "３％"], "point", [12.5, 3]),  # noqa: RUF001
        (["1234,5", "0,25", "7"], "comma", [1234.5, 0.25, 7]),
        (["1.234,5", "12.345.678"], "comma", [1234.5, 12345678]),
        (["0,123", "0,456"], "comma", [0.123, 0.456]),
        (["▲300", "△1,200", "500"], "point", [-300, -1200, 500]),
        (["-¥300", "¥-300", " 5 "], "point", [-300, -300, 5]),
        (["1.5e3", "2E-1"], "point", [1500, 0.2]),
        (["$1,234.50", "€ 3"], "point", [1234.5, 3]),
    ],
)
def test_numbers_as_people_write_them(texts: list[str], decimal: str, numbers: list[float]) -> None:
    """Thousands, decimal commas, full-width digits, money, percent and minus signs are read as numbers."""
    column = pd.Series(texts)

    assert find_written(column) == decimal
    assert read_written(column, "comma" if decimal == "comma" else "point").tolist() == numbers


@pytest.mark.parametrize(
    "texts",
    [
        ["1,2,3", "4"],
        ["12-34", "5"],
        ["1LDK", "2"],
        ["5%", "0.05"],
        ["", "1"],
        [".", "1"],
        ["1,23", "4.5"],
        ["inf", "1"],
        ["1_000", "2"],
        ["2024-01-31", "2024-02-01"],
        ["1 2", "3"],
        ["１，２", "三"],  # noqa: RUF001
        [],
    ],
)
def test_one_value_that_is_none_makes_the_column_text(texts: list[str]) -> None:
    """Only a column whose known values all are numbers, on one scale, is read as numbers."""
    assert find_written(pd.Series(texts, dtype="str")) is None


@given(NUMBERS)
def test_thousands_round_trip(numbers: list[int]) -> None:
    """Any whole numbers, grouped or full-width or both, are read as themselves."""
    for texts in (
        [f"{n:,}" for n in numbers],
        [str(n).translate(FULL_WIDTH) for n in numbers],
        [f"¥{n:,}".translate(FULL_WIDTH) for n in numbers],
    ):
        assert find_written(pd.Series(texts)) == "point"
        assert read_written(pd.Series(texts), "point").tolist() == numbers


def test_what_a_served_model_gets() -> None:
    """One raw row is read as in training, be it text or a number already; the unreadable is missing."""
    column = Written("rent", "comma")

    assert column.encode(pd.Series(["1,5"])).tolist() == [1.5]
    assert column.encode(pd.Series([7])).tolist() == [7]
    assert column.encode(pd.Series(["ask", None, "2"])) == pytest.approx([MISSING, MISSING, 2], nan_ok=True)
    assert column.encode(pd.Series([3.5, None, "2"], dtype=object)) == pytest.approx(
        [3.5, MISSING, 2], nan_ok=True
    )


def test_written_columns_are_found_in_tables(tmp_path: Path) -> None:
    """Text columns of numbers are number features, said in a note, and saved with the encoder."""
    rows = [
        (f"i{i}", f"{1000 + i * 37:,}", f"{i},5", f"{i * 3 % 17}%", f"{900 + i}", 5.0 * i) for i in range(40)
    ]
    table = pd.DataFrame(rows, columns=["id", "deposit", "area", "share", "fee", "rent"])
    test = table.drop(columns="rent").assign(id=table["id"] + "t", fee="1,234")
    table.to_csv(tmp_path / "train.csv", index=False)
    test.to_csv(tmp_path / "test.csv", index=False)

    dataset = load_dataset(DataFiles(tmp_path / "train.csv", tmp_path / "test.csv", "rent", "id"))

    assert "Numbers in text (3): deposit, area, share" in dataset.notes
    assert dataset.train[1].tolist() == [1037, 1.5, 3, 901]
    assert dataset.test[0].tolist() == [1000, 0.5, 0, 1234]
    saved = ColumnEncoder.from_json(dataset.encoder.to_json())
    assert saved == dataset.encoder
    assert saved.transform(test.iloc[[1]]).tolist() == [[1037, 1.5, 3, 1234]]


def test_a_target_of_written_numbers(tmp_path: Path) -> None:
    """A target such as `¥85,000` is a regression's; a few such labels are classes."""
    table = pd.DataFrame({"id": range(60), "area": [i * 7 % 31 for i in range(60)]})
    table.to_csv(tmp_path / "test.csv", index=False)
    for target, task in (
        ([f"¥{85000 + 110 * i:,}" for i in range(60)], "regression"),
        ([("1,000", "2,000", "3,000")[i % 3] for i in range(60)], "multiclass"),
    ):
        table.assign(rent=target).to_csv(tmp_path / "train.csv", index=False)

        dataset = load_dataset(DataFiles(tmp_path / "train.csv", tmp_path / "test.csv", "rent", "id"))

        assert dataset.task == task
        assert dataset.target[1] == (85110 if task == "regression" else 1)
