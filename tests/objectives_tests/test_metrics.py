from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from objectives.data.folds import TASKS
from objectives.data.metrics import DEFAULT_METRIC, METRICS, metrics_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from objectives.base import FloatArray

SKLEARN: dict[str, Callable[[FloatArray, FloatArray], float]] = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "mape": lambda y, p: 100 * sk.mean_absolute_percentage_error(y, p),
    "rmsle": sk.root_mean_squared_log_error,
    "r2": sk.r2_score,
    "logloss": sk.log_loss,
    "auc": sk.roc_auc_score,
    "multi_logloss": lambda y, p: sk.log_loss(y, p, labels=range(p.shape[1])),
}


def example(task: str, seed: int, n: int) -> tuple[FloatArray, FloatArray]:
    """Random targets with all classes, and random predictions for them."""
    rng = np.random.default_rng(seed)
    if task == "regression":
        return rng.uniform(0, 100, n), rng.uniform(0, 100, n)
    if task == "binary":
        # Rounded, so that predictions tie.
        return rng.permutation(np.arange(n) % 2).astype(float), rng.uniform(0.1, 0.9, n).round(1)
    return rng.permutation(np.arange(n) % 3).astype(float), rng.dirichlet([1, 1, 1], n)


@pytest.mark.parametrize("name", SKLEARN)
@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(6, 200))
def test_scores_are_scikit_learns(name: str, seed: int, n: int) -> None:
    """A score printed here is the score that a notebook computes."""
    metric = METRICS[name]
    target, prediction = example(metric.tasks[0], seed, n)

    assert metric.score(target, prediction) == pytest.approx(SKLEARN[name](target, prediction), rel=1e-9)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_accuracy_is_scikit_learns(task: str) -> None:
    """The likelier class counts as the predicted one."""
    target, prediction = example(task, 0, 101)
    classes = prediction.argmax(axis=1) if task == "multiclass" else prediction > 0.5

    assert METRICS["accuracy"].score(target, prediction) == pytest.approx(sk.accuracy_score(target, classes))


@pytest.mark.parametrize("name", ["logloss", "multi_logloss"])
def test_a_certain_mistake_stays_finite(name: str) -> None:
    """A probability of exactly zero for the true class is a bad score, not an infinite one."""
    prediction = np.array([0.0, 1.0]) if name == "logloss" else np.array([[1.0, 0.0], [0.0, 1.0]])
    target = np.array([1.0, 0.0])

    assert 30 < METRICS[name].score(target, prediction) < 40


def test_rmsle_takes_negative_predictions() -> None:
    """A regression may predict a little below zero; that counts as zero."""
    target, below, zero = np.array([0.0, 3.0]), np.array([-2.0, 3.0]), np.array([0.0, 3.0])

    assert METRICS["rmsle"].score(target, below) == METRICS["rmsle"].score(target, zero) == 0


@pytest.mark.parametrize("name", METRICS)
def test_direction(name: str) -> None:
    """A perfect prediction beats a poor one, and anything beats the worst."""
    metric = METRICS[name]
    target, poor = example(metric.tasks[-1], 1, 60)
    perfect = np.eye(3)[target.astype(int)] if poor.ndim > 1 else target
    best, worse = metric.score(target, perfect), metric.score(target, poor)

    assert metric.is_better(best, worse)
    assert not metric.is_better(worse, best)
    assert not metric.is_better(best, best)
    assert metric.is_better(worse, metric.worst)


@pytest.mark.parametrize("task", TASKS)
def test_each_task_has_a_default_among_its_metrics(task: str) -> None:
    """The default metric is allowed, and each listed metric says the task is its own."""
    allowed = metrics_for(task)  # type: ignore[arg-type]

    assert DEFAULT_METRIC[task] in allowed  # type: ignore[index]
    assert all(task in METRICS[name].tasks for name in allowed)


def test_names_are_keys() -> None:
    """A metric is found under the name it writes in the record."""
    assert [metric.name for metric in METRICS.values()] == list(METRICS)
    assert METRICS["rmse"].label == "RMSE"
