"""A submission from next to no time: where no trial could run to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from objectives.base import EvaluationStopped
from objectives.data.folds import Fold
from search.config import STOPGAP_BYTES_A_SECOND, STOPGAP_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from objectives.base import CVResult, FloatArray, Objective, Progress
    from objectives.data.dataset import Dataset

_GROWTH = 4
_LEAST_CLASS_SHARE = 1e-6


class Stopgap(NamedTuple):
    """A prediction to submit for want of a better one.

    Attributes:
        test: Of the test rows, shape (n_test,) or (n_test, n_classes).
        oof: Of training rows that it has not seen, NaN for all others; shape (n_train,) or (n_train, n_classes).
        score: On these rows.
        made_of: What it is, for people.
    """

    test: FloatArray
    oof: FloatArray
    score: float
    made_of: str


def make_stopgap(dataset: Dataset, objective: Objective, seed: int, deadline: float) -> Stopgap:
    """The default configuration on as many rows as there is time for, at the least the same for each row.

    Args:
        dataset: The data.
        objective: Bound to it; evaluated in this thread.
        seed: Chooses the rows.
        deadline: `time.monotonic()` at which to take what there is.
    """
    made = least = constant(dataset)
    # The features are prepared for the first fit whatever its rows, and nothing can stop that.
    expected = dataset.train.nbytes / STOPGAP_BYTES_A_SECOND
    for fold in _growing_folds(len(dataset.target), seed):
        started = time.monotonic()
        if started + expected > deadline:
            break
        result = _fit(objective, fold, deadline)
        if result is None:
            break
        # So many times the rows take no more than so many times as long.
        expected = _GROWTH * (time.monotonic() - started)
        # Scored on few rows each, so that the one of more rows is believed to be better than that of fewer.
        if dataset.metric.is_better(result.mean, least.score):
            made = _of(result, fold, objective.name)
    return made


def constant(dataset: Dataset) -> Stopgap:
    """The target's mean, or the classes' shares, for every row."""
    if dataset.task == "multiclass":
        counts = np.bincount(dataset.target.astype(np.intp), minlength=len(dataset.classes))
        value: FloatArray = np.maximum(counts / counts.sum(), _LEAST_CLASS_SHARE)
        words = "the share of each class"
    else:
        value = np.array(float(np.mean(dataset.target)))
        words = "the mean of the target" if dataset.task == "regression" else "the share of the second class"
    oof = np.broadcast_to(value, (len(dataset.target), *value.shape)).copy()
    test = np.broadcast_to(value, (len(dataset.test), *value.shape)).copy()
    return Stopgap(test, oof, dataset.metric.score(dataset.target, oof), f"{words} for every row")


def _growing_folds(n_rows: int, seed: int) -> Iterator[Fold]:
    """Four parts to fit and one to score, of ever more rows, all of them in the end."""
    order = np.random.default_rng(seed).permutation(n_rows)
    rows = min(STOPGAP_ROWS, n_rows)
    while True:
        some = order[:rows]
        cut = max(1, rows // 5)
        yield Fold(np.sort(some[cut:]), np.sort(some[:cut]))
        if rows == n_rows:
            return
        rows = min(_GROWTH * rows, n_rows)


def _fit(objective: Objective, fold: Fold, deadline: float) -> CVResult | None:
    try:
        return objective.on((fold,)).evaluate(objective.default_params(), _Until(deadline))
    except EvaluationStopped:
        return None
    except Exception:  # noqa: BLE001 - a stopgap that cannot be fitted is the constant one
        return None


def _of(result: CVResult, fold: Fold, name: str) -> Stopgap:
    fitted, scored = len(fold.train_idx), len(fold.val_idx)
    words = f"the default configuration of {name} on {fitted:,} rows, scored on {scored:,} others"
    return Stopgap(result.test_prediction, result.oof_prediction, result.mean, words)


@dataclass(frozen=True)
class _Until:
    deadline: float

    def __call__(self, progress: Progress) -> bool:  # noqa: ARG002 - the protocol's form
        return self.stopped()

    def stopped(self) -> bool:
        return time.monotonic() > self.deadline
