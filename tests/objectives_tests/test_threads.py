from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from objectives.data.folds import make_folds
from objectives.models import threads
from objectives.models.lightgbm import LightGBMObjective

if TYPE_CHECKING:
    from objectives.data.dataset import Dataset
    from tests.objectives_tests.conftest import Competition

ALL_ALIKE = {1: 8.0, 2: 8.0, 4: 1.0, 8: 1.0}
PERFECT = {1: 8.0, 2: 4.0, 4: 2.0, 8: 1.0}
UP_TO_TWO = {1: 8.0, 2: 5.0, 4: 4.5, 8: 1.0}


@pytest.fixture
def dataset(competition: Competition) -> Dataset:
    """Some rows."""
    return competition.load()


def bind(dataset: Dataset) -> LightGBMObjective:
    """The objective with one thread."""
    folds = make_folds(dataset.target, dataset.task, 2, seed=0)
    return LightGBMObjective(dataset, folds, dataset.metric, seed=1, threads=1)


@pytest.mark.parametrize(
    ("seconds", "most", "expected"),
    [(PERFECT, 8, 8), (PERFECT, 7, 4), (PERFECT, 1, 1), (UP_TO_TWO, 8, 2), (ALL_ALIKE, 8, 1)],
)
def test_threads_double_as_long_as_it_pays(
    seconds: dict[int, float], most: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More threads are taken while twice as many save a fifth of the time or more, and never more than allowed."""
    monkeypatch.setattr(threads, "_seconds", lambda _params, _train, n: seconds[n])
    train: Any = None

    assert threads.fastest_threads({}, train, most) == expected


def test_large_data_is_measured(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """On enough rows real rounds are timed at one thread and at two; on few, nothing is."""
    timed = []
    measure = threads._seconds

    def seconds(params: dict[str, Any], train: Any, n: int) -> float:
        timed.append(n)
        return measure(params, train, n)

    monkeypatch.setattr(threads, "_seconds", seconds)
    assert bind(dataset).fastest_threads(2) == 1
    assert timed == []

    monkeypatch.setattr("objectives.models.lightgbm.ROWS_TO_MEASURE", len(dataset.target))
    assert bind(dataset).fastest_threads(2) in {1, 2}
    assert timed == [1, 2]
