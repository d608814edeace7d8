"""A user's metric tried on a few rows before anything begins: what it returns, and which way is better."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from objectives.data.own_metric import OwnScore

if TYPE_CHECKING:
    from objectives.base import FloatArray
    from objectives.data.folds import Task
    from objectives.data.metrics import Metric

_ROWS = 1_000


class TriedMetric(NamedTuple):
    """What came of a metric.

    Attributes:
        metric: With its direction; as it was where there are faults.
        faults: One line each.
        notes: What was found out.
    """

    metric: Metric
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def try_metric(metric: Metric, direction: str | None, task: Task, target: FloatArray) -> TriedMetric:
    """Tries a user's own metric, and compares any metric's direction with the one given.

    Args:
        metric: Built-in, or from `find_own`.
        direction: "min", "max", or None: find out.
        task: What the target is.
        target: Shape (n_train,): numbers, or class indices.
    """
    if not isinstance(metric.score, OwnScore):
        if direction in (None, metric.direction):
            return TriedMetric(metric)
        return TriedMetric(metric, (_direction_fault(direction, f"{metric.name} is {metric.direction}"),))
    n_classes = 0 if task == "regression" else int(target.max()) + 1
    rows = _some_rows(target, n_classes)
    right, wrong = _likely(rows, n_classes), _likely(_turned(rows), n_classes)
    scores = []
    for prediction in (right, wrong):
        score, fault = _called(metric.score, rows, prediction)
        if fault:
            return TriedMetric(metric, (fault,))
        scores.append(score)
    return _directed(metric, direction, *scores)


def _called(score: OwnScore, target: FloatArray, prediction: FloatArray) -> tuple[float, str | None]:
    """The score, and what is wrong with it."""
    try:
        first, second = score(target, prediction), score(target, prediction)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's function may raise anything
        what = f"{score.explain(error)}"
        return (
            math.nan,
            f"metric: got {what}; allowed: a function of target and prediction that returns a number; do: mend it",
        )
    if not math.isfinite(first):
        return first, f"metric: got {first} from {score.function}; allowed: a finite number; do: mend it"
    if first != second:
        return first, (
            f"metric: got {first} and then {second} for the same rows from {score.function}; "
            "allowed: the same each time; do: take the randomness out"
        )
    return first, None


def _directed(metric: Metric, direction: str | None, right: float, wrong: float) -> TriedMetric:
    found = None if right == wrong else "max" if right > wrong else "min"
    tried = f"{metric.name} gives {right:.6g} to right predictions and {wrong:.6g} to wrong ones"
    if direction is None and found is None:
        fault = f"metric_direction: got nothing, and {tried}; allowed: min, max; do: give one"
        return TriedMetric(metric, (fault,))
    if None not in (direction, found) and direction != found:
        return TriedMetric(metric, (_direction_fault(direction, tried),))
    chosen = direction or found
    notes = () if direction else (f"Metric direction: {chosen} (found out: {tried})",)
    return TriedMetric(replace(metric, greater_is_better=chosen == "max"), notes=notes)


def _direction_fault(direction: str | None, why: str) -> str:
    other = "min" if direction == "max" else "max"
    return f"metric_direction: got {direction!r}, but {why}; allowed: {other}; do: leave it out or correct it"


def _some_rows(target: FloatArray, n_classes: int) -> FloatArray:
    """A few rows' targets in a mixed order, each class among them."""
    rng = np.random.default_rng(0)
    few = rng.permutation(target)[:_ROWS]
    if not n_classes:
        return few
    return np.concatenate([few, np.arange(n_classes, dtype=np.float64)])


def _turned(rows: FloatArray) -> FloatArray:
    """Every other row's target: right in distribution, wrong row by row."""
    return np.roll(rows, len(rows) // 2)


def _likely(rows: FloatArray, n_classes: int) -> FloatArray:
    """Predictions that say what the rows say, without being certain of a class."""
    if not n_classes:
        return rows.copy()
    sure = np.full((len(rows), n_classes), 0.1 / (n_classes - 1))
    sure[np.arange(len(rows)), rows.astype(np.intp)] = 0.9
    return sure if n_classes > 2 else np.ascontiguousarray(sure[:, 1])  # noqa: PLR2004 - binary: of the second class
