from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

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


def labels(p: FloatArray) -> Any:
    """The likelier class."""
    return p.argmax(axis=1) if p.ndim > 1 else p > 0.5


# Where scikit-learn has it, its own; else the definition, written the slow way.
PLAIN: dict[str, Callable[[FloatArray, FloatArray], float]] = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "mape": lambda y, p: 100 * sk.mean_absolute_percentage_error(y, p),
    "smape": lambda y, p: fmean(
        200 * abs(b - a) / (abs(a) + abs(b)) if a or b else 0.0 for a, b in zip(y, p, strict=True)
    ),
    "medae": sk.median_absolute_error,
    "rmsle": lambda y, p: sk.root_mean_squared_log_error(y, np.maximum(p, 0)),
    "r2": sk.r2_score,
    "logloss": lambda y, p: sk.log_loss(y, p, labels=[0, 1]),
    "auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "f1": lambda y, p: sk.f1_score(y, labels(p), zero_division=0),
    "multi_logloss": lambda y, p: sk.log_loss(y, p, labels=range(p.shape[1])),
    "macro_f1": lambda y, p: sk.f1_score(y, labels(p), average="macro"),
    "accuracy": lambda y, p: sk.accuracy_score(y, labels(p)),
    "quadratic_kappa": lambda y, p: sk.cohen_kappa_score(y, labels(p), weights="quadratic"),
}
EVERY = [(name, task) for name, metric in METRICS.items() for task in metric.tasks]


def example(task: str, seed: int, n: int) -> tuple[FloatArray, FloatArray]:
    """Random targets with all classes, and random predictions for them."""
    rng = np.random.default_rng(seed)
    if task == "regression":
        return rng.uniform(0, 100, n), rng.uniform(0, 100, n)
    if task == "binary":
        # Rounded, so that predictions tie.
        return rng.permutation(np.arange(n) % 2).astype(float), rng.uniform(0.1, 0.9, n).round(1)
    return rng.permutation(np.arange(n) % 3).astype(float), rng.dirichlet([1, 1, 1], n)


@pytest.mark.parametrize(("name", "task"), EVERY)
@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(6, 200))
def test_scores_are_scikit_learns(name: str, task: str, seed: int, n: int) -> None:
    """A score printed here is the score that a notebook computes, in each fold that has all classes."""
    target, prediction = example(task, seed, n)

    assert METRICS[name].score(target, prediction) == pytest.approx(
        PLAIN[name](target, prediction), rel=1e-9, abs=1e-12
    )


NUMBERS = st.floats(-1e9, 1e9, allow_subnormal=False)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=40)


@pytest.mark.parametrize("name", ["rmse", "mae", "smape", "medae", "r2"])
@settings(deadline=None, max_examples=30)
@given(PAIRS)
def test_any_numbers_have_the_plain_score(name: str, pairs: list[tuple[float, float]]) -> None:
    """Negative, equal, zero and huge values count as in the definition."""
    target, prediction = np.array(pairs).T

    assert METRICS[name].score(target, prediction) == pytest.approx(
        PLAIN[name](target, prediction), rel=1e-6, abs=1e-9
    )


@pytest.mark.parametrize(
    "name", ["auc", "average_precision", "f1", "macro_f1", "quadratic_kappa", "accuracy"]
)
@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0])), min_size=1, max_size=30)
)
def test_tied_and_certain_probabilities(name: str, rows: list[tuple[bool, float]]) -> None:
    """Equal probabilities count as equal, whatever the order of the rows."""
    # Both classes, one row of each right and one wrong.
    rows = [*rows, (True, 0.7), (False, 0.2), (True, 0.2), (False, 0.7)]
    target, prediction = np.array(rows, np.float64).T

    score = METRICS[name].score

    assert score(target, prediction) == pytest.approx(PLAIN[name](target, prediction), rel=1e-9)
    assert score(target[::-1], prediction[::-1]) == pytest.approx(score(target, prediction), rel=1e-12)


def test_a_fold_without_one_class_has_no_auc() -> None:
    """What is not defined is NaN, not a number that looks like one."""
    assert np.isnan(METRICS["auc"].score(np.ones(5), np.linspace(0, 1, 5)))


@pytest.mark.parametrize("name", ["f1", "average_precision"])
def test_nothing_found_scores_zero(name: str) -> None:
    """A round that predicts no positive row is a bad round, not a failed one."""
    target = np.zeros(4) if name == "average_precision" else np.array([0.0, 1, 0, 1])

    assert METRICS[name].score(target, np.full(4, 0.1)) == 0


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
    """A perfect prediction beats a poor one and scores the best there is, and anything beats the worst."""
    metric = METRICS[name]
    target, poor = example(metric.tasks[-1], 1, 60)
    perfect = np.eye(3)[target.astype(int)] if poor.ndim > 1 else target
    best, worse = metric.score(target, perfect), metric.score(target, poor)

    assert metric.is_better(best, worse)
    assert not metric.is_better(worse, best)
    assert not metric.is_better(best, best)
    assert metric.is_better(worse, metric.worst)
    assert best == pytest.approx(metric.perfect, abs=1e-6)


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
