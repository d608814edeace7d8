"""A submission where no trial could run to its end."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from objectives.base import find_objective
from objectives.data.checks import DataFiles
from objectives.data.dataset import load_dataset
from objectives.data.folds import make_folds
from search.conclusion.stopgap import constant, make_stopgap
from tests.search_tests.bodies import until_stopped
from tests.search_tests.fakes import FakeObjective

if TYPE_CHECKING:
    from objectives.base import Objective
    from objectives.data.dataset import Dataset
    from tests.conftest import CsvPair

PAIRS = ("lucas_csvs", "binary_csvs", "multiclass_csvs")


@pytest.fixture(params=PAIRS)
def dataset(request: pytest.FixtureRequest) -> Dataset:
    """Data of each task."""
    pair: CsvPair = request.getfixturevalue(request.param)
    return load_dataset(DataFiles(pair.train, pair.test, pair.target, pair.id))


def bound(dataset: Dataset) -> Objective:
    """LightGBM on the data."""
    folds = make_folds(dataset.target, dataset.task, 3, seed=0)
    return find_objective("lightgbm")(dataset, folds, dataset.metric, seed=0, threads=1)


def test_with_time_it_is_fitted_on_most_rows(dataset: Dataset) -> None:
    """Four of five rows are fitted; it is scored on the rest, and better than one number for all."""
    made = make_stopgap(dataset, bound(dataset), 0, math.inf)
    known = np.isfinite(made.oof.reshape(len(dataset.target), -1)).all(axis=1)

    assert known.sum() == len(dataset.target) // 5
    assert made.score == pytest.approx(dataset.metric.score(dataset.target[known], made.oof[known]))
    assert dataset.metric.is_better(made.score, constant(dataset).score)
    assert np.isfinite(made.test).all()
    assert f"on {len(dataset.target) - known.sum():,} rows" in made.made_of


def test_without_time_it_is_the_same_for_each_row(dataset: Dataset) -> None:
    """A prediction of the right shape, finite, whatever the task."""
    made = make_stopgap(dataset, bound(dataset), 0, time.monotonic())

    assert made.test.shape[0] == len(dataset.test)
    assert len(np.unique(made.test, axis=0)) == 1
    assert np.isfinite(made.test).all()
    if dataset.task == "multiclass":
        assert made.test[0].sum() == pytest.approx(1.0)


def test_a_fit_that_does_not_end_in_time_is_given_up(dataset: Dataset) -> None:
    """Also one on the fewest rows."""

    class Endless(FakeObjective):
        def on(self, *_: object) -> Endless:  # type: ignore[override]
            return self

    made = make_stopgap(dataset, Endless(until_stopped), 0, time.monotonic() + 1.0)

    assert made.made_of == constant(dataset).made_of


def test_an_objective_that_cannot_is_no_fault(dataset: Dataset) -> None:
    """One that knows no other folds still leaves a submission."""
    assert make_stopgap(dataset, FakeObjective(), 0, math.inf).made_of == constant(dataset).made_of
