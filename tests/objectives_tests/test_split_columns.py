"""Group, time and fold columns as people have them: read, or refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from objectives.data.dataset import DatasetError
from objectives.data.split.columns import find_split_columns
from objectives.data.split.keys import SplitKeys, fold_key, group_key, moments
from objectives.data.split.plan import SplitPlan

if TYPE_CHECKING:
    from tests.objectives_tests.conftest import Competition


@pytest.mark.parametrize(
    "values",
    [
        [201907, 201908, 202001],
        ["2019-07-02", "2019-08-01", "2020-01-01T12:30:00"],
        ["2019/7/2", "2019/08/01", "2020/1/1"],
        ["2019-07-02T00:00:00+09:00", "2019-07-02T00:00:00+00:00", "2019-07-02T01:00:00Z"],
        ["9", "10", "11"],
        pd.to_datetime(["2019-07-02", "2019-08-01", "2020-01-01"]),
        pd.to_datetime(["2019-07-02", "2019-08-01", "2020-01-01"], utc=True),
    ],
)
def test_moments_compare_as_they_follow(values: Any) -> None:
    """Months as numbers, dates as text with the year first, and real dates are put in order."""
    found = moments(pd.Series(values))

    assert np.all(np.diff(found) > 0)


def test_equal_groups_have_equal_numbers_in_both_files() -> None:
    """An id read as a number in one file and as text in the other is the same id."""
    key = group_key("unit", pd.Series([7, 8, 7]), pd.Series(["8", "x", None]))

    assert key.test is not None
    assert key.train[0] == key.train[2] != key.train[1]
    assert key.test[0] == key.train[1]
    assert not set(key.test[1:]) & set(key.train)


def test_folds_are_in_the_order_of_their_labels() -> None:
    """Fold 2 comes before fold 10, and -1 is no fold."""
    key = fold_key("fold", pd.Series([10, 2, -1, 2]))

    assert key.labels == ("2", "10")
    assert key.train.tolist() == [1, 0, -1, 0]


@pytest.mark.parametrize(
    ("plan", "column", "named"),
    [
        (SplitPlan(group="where"), {}, "group: got 'where', not a column of"),
        (SplitPlan(group="rent"), {}, "group: got 'rent', the target or the id"),
        (SplitPlan(time="id"), {}, "time: got 'id', the target or the id"),
        (SplitPlan(group="g"), {"g": [None, *"ab" * 29, "a"]}, "group: got 1 missing values in 'g'"),
        (SplitPlan(time="t"), {"t": [None, *range(59)]}, "time: got 1 missing values in 't'"),
        (SplitPlan(time="t"), {"t": ["summer", *["2020-01-01"] * 59]}, "are no moment, such as 'summer'"),
        (SplitPlan(time="t"), {"t": ["31/12/2019"] * 60}, "60 values in 't' that are no moment"),
        (
            SplitPlan(fold_column="f"),
            {"f": [None, *[0, 1] * 29, 1]},
            "fold_column: got 1 missing values in 'f'",
        ),
        (SplitPlan(fold_column="f"), {"f": [3] * 60}, "got 1 folds in 'f'; allowed: 2 to 50"),
        (SplitPlan(fold_column="f"), {"f": [-1] * 60}, "got 0 folds in 'f'; allowed: 1 to 50"),
        (SplitPlan(fold_column="f"), {"f": range(60)}, "got 60 folds in 'f'; allowed: 2 to 50"),
    ],
)
def test_columns_that_split_nothing(
    competition: Competition, plan: SplitPlan, column: dict[str, Any], named: str
) -> None:
    """Each fault is one line that names the column, what is allowed and what to do."""
    competition.train = competition.train.assign(**column)
    competition.asked["split"] = plan
    with pytest.raises(DatasetError) as error:
        competition.load()

    (fault,) = error.value.faults
    assert named in fault
    assert "; allowed: " in fault
    assert "; do: " in fault


def test_a_fold_column_is_no_feature(competition: Competition) -> None:
    """What only says where a row is scored is kept from the models, also where both files have it."""
    competition.train["fold"] = np.arange(60) % 3
    competition.test["fold"] = 0
    competition.asked["split"] = SplitPlan(fold_column="fold")
    dataset = competition.load()

    assert "fold" not in dataset.encoder.names
    assert dataset.keys.folds[0].labels == ("0", "1", "2")


def test_a_group_column_may_be_in_training_only(competition: Competition) -> None:
    """Folds need the training rows' groups alone."""
    competition.train["city"] = np.arange(60) % 7
    competition.asked["split"] = SplitPlan(group="city")
    dataset = competition.load()

    assert dataset.keys.group("city").test is None
    assert not any("Ignored" in note for note in dataset.notes)


def _split_note(competition: Competition) -> str:
    notes = [note for note in competition.load().notes if note.startswith("Folds: ")]
    return "\n".join(notes)


def test_nothing_is_proposed_for_rows_dealt_at_random(competition: Competition) -> None:
    """Shared values and ranges are no reason for a note."""
    competition.train["city"] = [f"c{i % 9}" for i in range(60)]
    competition.test["city"] = [f"c{i % 9}" for i in range(20)]

    assert _split_note(competition) == ""


def test_groups_that_the_test_file_lacks_are_proposed(competition: Competition) -> None:
    """A column whose values repeat in training and are others in the test file parts the rows."""
    competition.train["city"] = [f"c{i % 9}" for i in range(60)]
    competition.test["city"] = [f"new{i % 5}" for i in range(20)]

    assert "100% of the test rows have a city that training lacks" in _split_note(competition)
    competition.asked["split"] = SplitPlan(group="city")
    assert _split_note(competition) == ""


@pytest.mark.parametrize("months", [(201901, 202301), ("2019-01-01", "2023-01-01")])
def test_later_test_rows_are_proposed(competition: Competition, months: tuple[Any, Any]) -> None:
    """A column whose test values all come after training is time, as a month or as a date."""
    first, later = months
    series = pd.Series(np.arange(60) % 6)
    competition.train["ym"] = (
        series + first if isinstance(first, int) else [f"2019-0{i + 1}-01" for i in series]
    )
    competition.test["ym"] = later

    assert "100% of the test rows have a later ym" in _split_note(competition)
    assert "--time ym" in _split_note(competition)


def test_the_sample_asks_for_time_folds() -> None:
    """The built-in sample's test rows are of later periods, and nothing else is said of its columns."""
    from objectives.data.sample import make_sample

    sample = make_sample(400)
    found = find_split_columns(SplitPlan(), sample.train, sample.test, ("money_room", "id"))

    (note,) = found.notes
    assert "--time target_ym" in note
    assert found.keys == SplitKeys()
