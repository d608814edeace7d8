from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from objectives.data.target import encode_target, find_task

if TYPE_CHECKING:
    from objectives.data.folds import Task
    from tests.objectives_tests.conftest import Competition

TARGETS: dict[str, tuple[list[Any], Task]] = {
    "prices": ([i * 1.5 for i in range(100)], "regression"),
    "many whole numbers": (list(range(100)), "regression"),
    "few whole numbers, seldom": ([1, 2, 3] * 20, "regression"),
    "few whole numbers, often": ([1, 2, 3] * 50, "multiclass"),
    "few fractions": ([0.5, 1.0, 2.0] * 50, "regression"),
    "zero and one": ([0, 1] * 5, "binary"),
    "two texts": (["yes", "no"] * 5, "binary"),
    "truth": ([True, False] * 5, "binary"),
    "three texts": (["a", "b", "c"] * 5, "multiclass"),
    "numbers with a stray word": (["ask", *(str(i * 1.5) for i in range(100))], "regression"),
}


@pytest.mark.parametrize("name", TARGETS)
def test_task_is_found_out(name: str) -> None:
    """Two values are binary, text and frequent whole numbers are classes, all else is a quantity."""
    values, task = TARGETS[name]

    assert find_task(pd.Series(values)) == task


def test_missing_values_do_not_change_the_task() -> None:
    """A hole makes whole numbers floats, but not another task."""
    assert find_task(pd.Series([0, 1, None] * 5)) == "binary"


def test_classes_are_numbered_in_order_of_value() -> None:
    """Class 2 comes before class 10, as in a sample submission's columns."""
    codes, classes = encode_target(pd.Series([10, 2, 10, 1]), "multiclass")

    assert classes == ("1", "2", "10")
    assert codes.tolist() == [2, 1, 2, 0]


def test_text_classes_are_numbered_in_order() -> None:
    """The second of two labels is the one whose probability is predicted."""
    codes, classes = encode_target(pd.Series(["yes", "no", "yes"]), "binary")

    assert classes == ("no", "yes")
    assert codes.tolist() == [1, 0, 1]


def test_a_quantity_has_no_classes() -> None:
    """A regression target is its own values."""
    values, classes = encode_target(pd.Series([3, 1, 2]), "regression")

    assert classes == ()
    assert values.dtype == np.float64
    assert values.tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("metric", "task"), [("rmse", "regression"), ("accuracy", "multiclass"), ("multi_logloss", "multiclass")]
)
def test_a_metric_decides_an_ambiguous_task(competition: Competition, metric: str, task: str) -> None:
    """Three whole numbers are a quantity or classes: the asked metric knows."""
    competition.train["rent"] = np.tile([1, 2, 3], 20)
    competition.asked["metric"] = metric

    assert competition.load().task == task


@pytest.mark.parametrize(
    ("task", "metric"), [("regression", "rmse"), ("binary", "logloss"), ("multiclass", "multi_logloss")]
)
def test_a_task_has_its_own_metric(competition: Competition, task: str, metric: str) -> None:
    """Without a word on the metric, the task's usual one is searched for."""
    competition.train["rent"] = np.tile([0, 1] if task == "binary" else [1, 2, 3], 30)[:60]
    competition.asked["task"] = task

    assert competition.load().metric.name == metric
