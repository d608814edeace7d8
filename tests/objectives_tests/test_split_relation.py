"""How train and test stand to each other, in figures, and what is looked for in columns nobody named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from objectives.data.approach import Divisors
from objectives.data.folds import Fold
from objectives.data.split.keys import Key, SplitKeys
from objectives.data.split.plan import SplitPlan
from objectives.data.split.proposals import find_group, find_time, likely_group, likely_time
from objectives.data.split.relation import Relation, adversarial_auc, relation_in_folds, relation_to_test
from objectives.data.split.sampling import sample_rows

if TYPE_CHECKING:
    from objectives.data.dataset import Dataset
    from tests.objectives_tests.conftest import Competition


def test_rows_of_one_kind_are_not_told_apart() -> None:
    """Noise is no difference: the classifier is scored on rows it has not seen."""
    rng = np.random.default_rng(0)

    assert adversarial_auc(rng.normal(size=(400, 5)), rng.normal(size=(200, 5)), (), seed=0) < 0.6


def test_a_shift_is_seen() -> None:
    """Rows of another kind are told apart nearly always."""
    rng = np.random.default_rng(0)

    assert adversarial_auc(rng.normal(size=(400, 5)), rng.normal(3, 1, size=(200, 5)), (), seed=0) > 0.95


def test_new_levels_count_alike_in_folds_and_in_the_test_file() -> None:
    """A test row's unknown level is missing when it comes here, so a validation row's must be too."""
    rng = np.random.default_rng(0)
    fitted = rng.integers(0, 5, size=(300, 1)).astype(float)
    known_by_number = adversarial_auc(fitted, fitted[:150] + 2, (0,), seed=0)
    missing = np.where(fitted[:150] + 2 > fitted.max(), np.nan, fitted[:150] + 2)

    assert known_by_number == adversarial_auc(fitted, missing, (0,), seed=0)


def _with_keys(competition: Competition) -> Dataset:
    """A city in each of 20 runs of 3 rows, a month a row; the test file has half its cities from training."""
    dataset = competition.load()
    keys = SplitKeys(
        (Key("city", np.arange(60) // 3, np.arange(20) + 10),),
        (Key("month", np.arange(60.0), np.full(20, 99.0)),),
    )
    return replace(dataset, keys=keys)


def test_known_groups_and_later_moments_are_shares(competition: Competition) -> None:
    """The figures of the table are those of the rows."""
    dataset = _with_keys(competition)
    fold = Fold(np.arange(45), np.r_[np.arange(45, 55), 0, 1, 3, 6, 9])
    in_fold, to_test = relation_in_folds(dataset, (fold,), 0), relation_to_test(dataset, 0)

    assert (to_test.known, to_test.later) == ({"city": 0.5}, {"month": 1.0})
    assert in_fold.known == {"city": pytest.approx(1 / 3)}
    assert in_fold.later == {"month": pytest.approx(2 / 3)}


def test_the_distance_is_the_mean_difference() -> None:
    """Equal relations are 0 apart, opposite ones 1; a column that the test file lacks does not count."""
    one = Relation(1.0, {"a": 1.0}, {"t": 0.0})

    assert one.distance(one) == 0
    assert one.distance(Relation(0.0, {"a": 0.0}, {"t": 1.0})) == 1
    assert Relation(0.5, {}, {}).distance(Relation(0.7, {"a": 1.0}, {})) == pytest.approx(0.2)


def test_a_sample_of_rows_tears_no_group(competition: Competition) -> None:
    """A group is in the sample with all its rows of both files, or not at all."""
    rng = np.random.default_rng(0)
    train, test = rng.integers(0, 2_000, 6_000), rng.integers(-1, 2_000, 1_500)
    dataset = _with_many_rows(competition, SplitKeys((Key("city", train, test),)))
    sample = sample_rows(dataset, 1_500, seed=0)

    kept, kept_test = sample.keys.groups[0].train, sample.keys.groups[0].test
    assert kept_test is not None
    assert 1_200 < len(kept) < 1_800
    assert np.isin(train, kept).sum() == len(kept) == len(sample.target) == len(sample.train)
    assert np.isin(test[test >= 0], kept).sum() == np.isin(kept_test, kept).sum()
    assert len(kept_test) == len(sample.test) == len(sample.test_ids)
    assert np.array_equal(sample.divisors["area"].train, sample.target / 2)
    assert np.array_equal(sample.divisors["area"].test, sample.test[:, 0])
    assert sample_rows(dataset, 6_000, seed=0) is dataset


def _with_many_rows(competition: Competition, keys: SplitKeys) -> Dataset:
    """6,000 training and 1,500 test rows, each with its own area, which targets may be divided by."""
    area = np.arange(1.0, 7_501)
    table = pd.DataFrame({"id": range(7_500), "area": area, "rent": 2 * area})
    competition.train, competition.test = table[:6_000], table[6_000:].drop(columns="rent")
    return replace(competition.load(), keys=keys, divisors={"area": Divisors(area[:6_000], area[6_000:])})


def _files(**columns: tuple[Any, Any]) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    train = pd.DataFrame({name: values[0] for name, values in columns.items()})
    return train, pd.DataFrame({name: values[1] for name, values in columns.items()}), list(columns)


def test_of_nested_groups_the_widest_is_proposed() -> None:
    """Units part the files because buildings do; that new ids are higher makes them no moments."""
    building, others = np.arange(400) // 8, np.arange(100) // 8 + 900
    found = find_group(
        *_files(unit_id=(np.arange(400) // 2, np.arange(100) // 2 + 700), building_id=(building, others))
    )

    assert found is not None
    assert found.key.name == "building_id"
    assert found.share == 1
    assert found.by_chance < 0.01


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (np.arange(400) // 8, np.arange(100) % 50),
        (np.arange(400) // 2, np.random.default_rng(0).integers(0, 200, 100)),
        (np.arange(400) / 7, np.arange(100) / 3),
        (np.arange(400), np.arange(400, 500)),
        (np.r_[np.nan, np.arange(399) // 8], np.arange(100) + 900),
        (np.arange(400) // 80, np.arange(100) % 5),
    ],
    ids=["all known", "few rows a group", "measured numbers", "an id", "missing values", "a category"],
)
def test_no_group_is_seen_where_there_is_none(train: Any, test: Any) -> None:
    """Chance, measured numbers and unique ids part nothing."""
    assert find_group(*_files(x=(train, test))) is None


def test_a_later_column_is_time_and_no_group() -> None:
    """A month that only the test file has is a moment behind training, not a group that it lacks."""
    files = _files(ym=(np.arange(400) % 12 + 202201, np.full(100, 202301)))
    found = find_time(*files)

    assert found is not None
    assert (found.key.name, found.share) == ("ym", 1.0)
    assert find_group(*files) is None


def _names(n: int) -> list[str]:
    return [f"n{i % n}" for i in range(300)]


@pytest.mark.parametrize(
    ("columns", "time", "group"),
    [
        ({"day": np.arange(300) // 3 % 100, "hour": np.arange(300) % 24}, "day", None),
        ({"sale_date": [f"2020-01-{i % 28 + 1:02d}" for i in range(300)]}, "sale_date", None),
        ({"district": _names(30), "kind": _names(12)}, None, "district"),
        ({"district": _names(30), "building_id": np.arange(300) % 20}, None, "building_id"),
        ({"area": np.arange(300) % 40, "colour": _names(2), "note": _names(300)}, None, None),
    ],
)
def test_candidates_are_found_by_value_and_name(
    columns: dict[str, Any], time: str | None, group: str | None
) -> None:
    """Where the files are not parted, only moments and ids are worth a comparison."""
    table = pd.DataFrame(columns)

    assert likely_time(table, list(columns)) == time
    assert likely_group(table, list(columns)) == group


def test_a_comparison_finds_columns_and_a_search_does_not(competition: Competition) -> None:
    """What only `search.splits` needs is not carried to the workers."""
    competition.train["city"] = [f"c{i % 12}" for i in range(60)]
    competition.test["city"] = "c1"
    assert competition.load().keys == SplitKeys()

    competition.asked["split"] = SplitPlan(compare=True)
    keys = competition.load().keys
    assert [key.name for key in keys.groups] == ["city"]
    assert [key.name for key in keys.times] == ["built"]
    assert keys.found == ("city", "built")
