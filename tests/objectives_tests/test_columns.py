from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.data.columns import Column, ColumnEncoder
from objectives.data.features.finding import find_columns

MISSING = float("nan")
COLUMNS = st.builds(
    Column,
    st.text(),
    st.sampled_from(["number", "date", "category"]),
    st.lists(st.text(), unique=True, max_size=5).map(tuple),
)


def kinds(**columns: list[Any]) -> dict[str, str]:
    """The kind found for each column of a table."""
    encoder = find_columns(pd.DataFrame(columns), list(columns), None).encoder
    return {column.name: column.kind for column in encoder.columns}


def dropped(**columns: list[Any]) -> tuple[str, ...]:
    """The lines on the columns left out."""
    return find_columns(pd.DataFrame(columns), list(columns), None).dropped


@given(st.lists(COLUMNS, max_size=5).map(tuple))
def test_json_round_trip(columns: tuple[Column, ...]) -> None:
    """A saved encoder is the encoder that was saved, whatever its names and levels."""
    encoder = ColumnEncoder(columns)

    assert ColumnEncoder.from_json(encoder.to_json()) == encoder


def test_kinds_are_found_out() -> None:
    """Numbers, ISO dates and text are told apart by every known value of a column."""
    assert kinds(
        number=[1.5, None, 2],
        digits=["1", "2.5", "-3e2"],
        day=["2024-01-31", None, "1999-12-01"],
        moment=["2024-01-31 10:00:00", "2024-01-31T10:00", "2024-02-01 00:00"],
        stamp=list(pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-01"])),
        text=["a", "b", "a"],
        almost_a_day=["2024-01-31", "2024-01-31", "soon"],
        no_day=["2024-13-31", "2024-13-31", "2024-01-01"],
    ) == {
        "number": "number",
        "digits": "number",
        "day": "date",
        "moment": "date",
        "stamp": "date",
        "text": "category",
        "almost_a_day": "category",
        "no_day": "category",
    }


def test_dates_are_days() -> None:
    """A date is its distance from 1970-01-01 in days, so that a model can cut time anywhere."""
    values = pd.Series(["1970-01-02", "1969-12-31", "1970-01-01 12:00", None, "soon"])

    assert Column("d", "date").encode(values) == pytest.approx([1, -1, 0.5, MISSING, MISSING], nan_ok=True)


def test_the_end_of_time_is_a_day() -> None:
    """`9999-12-31` means "for ever" in many tables: it is a far day, not an overflow."""
    assert Column("d", "date").encode(pd.Series(["9999-12-31", "0001-01-01"])).tolist() == [2932896, -719162]


def test_dates_read_the_same_from_any_type() -> None:
    """Text in a CSV, a timestamp in Parquet and a zoned timestamp are one moment."""
    text = pd.Series(["2024-01-31 15:00"])
    encoded = [
        Column("d", "date").encode(values).tolist()
        for values in (text, pd.to_datetime(text), pd.to_datetime(text).dt.tz_localize("UTC"))
    ]

    assert encoded == [[19753.625]] * 3


def test_unseen_categories_are_missing() -> None:
    """What training never showed is missing, like a hole."""
    column = Column("c", "category", ("flat", "house"))

    assert column.encode(pd.Series(["house", "castle", None, "flat"])) == pytest.approx(
        [1, MISSING, MISSING, 0], nan_ok=True
    )


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["1", None, "10"]),
        pd.Series(["1.0", None, "10.0"]),
        pd.Series([1, None, 10]),
        pd.Series([1, None, 10], dtype="Int64"),
        pd.Series([1, None, 10], dtype="Float64"),
        pd.Series([1, None, 10], dtype=object),
        pd.Series(["1", None, "10"], dtype="category"),
    ],
    ids=lambda values: f"{values.dtype}-{values[0]}",
)
def test_a_category_is_its_text(values: pd.Series) -> None:
    """The same code is the same category as text, as a whole number and as a float beside a hole."""
    column = Column("c", "category", ("1", "10"))

    assert column.encode(values) == pytest.approx([0, MISSING, 1], nan_ok=True)


def test_dotted_text_keeps_its_dots() -> None:
    """Only a whole float is shortened: versions and fractions stay what they are."""
    found = find_columns(pd.DataFrame({"v": ["1.0.0", "1.5", "01.00", "1.5"]}), ["v"], ["v"])

    assert found.encoder.columns[0].levels == ("01.00", "1.0.0", "1.5")


def test_no_number_is_missing() -> None:
    """Text among numbers and infinities are missing values, not crashes."""
    values = pd.Series(["1.5", "many", None, "inf"], dtype=object)

    assert Column("n", "number").encode(values) == pytest.approx([1.5, *[MISSING] * 3], nan_ok=True)
    assert Column("c", "category", ("1",)).encode(pd.Series([1.0, np.inf])) == pytest.approx(
        [0, MISSING], nan_ok=True
    )


def test_empty_columns_are_dropped_with_a_word() -> None:
    """A column without a value is named, not silently lost."""
    assert dropped(a=[1, 2], b=[None, None]) == ("b (empty)",)


def test_all_distinct_text_is_dropped_with_a_word() -> None:
    """Text that never repeats is a name or a note, and teaches nothing."""
    assert dropped(a=[1, 2, 3], note=["x", "y", None]) == ("note (text, every value differs)",)


def test_categories_can_be_forced() -> None:
    """A column named as categorical is one, although it holds numbers that never repeat."""
    found = find_columns(pd.DataFrame({"zone": [3, 10, 2]}), ["zone"], ["zone"])

    assert found.encoder.columns == (Column("zone", "category", ("10", "2", "3")),)
    assert found.encoder.categorical == [0]
    assert found.dropped == ()


def test_a_frame_that_lacks_a_column() -> None:
    """A served model takes rows without a feature, and in any column order."""
    encoder = ColumnEncoder((Column("a", "number"), Column("b", "number"), Column("c", "number")))

    matrix = encoder.transform(pd.DataFrame({"c": [3.0], "other": ["x"], "a": [1.0]}))

    assert encoder.names == ("a", "b", "c")
    assert matrix == pytest.approx(np.array([[1, MISSING, 3]]), nan_ok=True)
