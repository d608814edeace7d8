"""Scores: what each measures, on which task, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from objectives.base import FloatArray
    from objectives.data.folds import Task

_TINY = 1e-15


@dataclass(frozen=True)
class Metric:
    """A score on the target's own scale.

    Attributes:
        name: As in `cv_<name>_mean`.
        tasks: The tasks it is defined for.
        greater_is_better: Whether the search maximises it.
        score: Takes target (n,) and prediction (n,) or (n, n_classes); returns the score.
    """

    name: str
    tasks: tuple[Task, ...]
    greater_is_better: bool
    score: Callable[[FloatArray, FloatArray], float]

    @property
    def label(self) -> str:
        """Name for people, as in `CV RMSE`."""
        return self.name.upper()

    def is_better(self, score: float, than: float) -> bool:
        """Whether the first score beats the second."""
        return score > than if self.greater_is_better else score < than

    @property
    def worst(self) -> float:
        """A score that any other beats."""
        return -np.inf if self.greater_is_better else np.inf


def _rmse(y: FloatArray, p: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(y - p))))


def _mae(y: FloatArray, p: FloatArray) -> float:
    return float(np.mean(np.abs(y - p)))


def _mape(y: FloatArray, p: FloatArray) -> float:
    """In percent, as competitions print it; a zero target counts through its smallest step."""
    return float(100 * np.mean(np.abs(y - p) / np.maximum(np.abs(y), np.finfo(np.float64).eps)))


def _rmsle(y: FloatArray, p: FloatArray) -> float:
    return _rmse(np.log1p(np.maximum(y, 0)), np.log1p(np.maximum(p, 0)))


def _r2(y: FloatArray, p: FloatArray) -> float:
    return float(1 - np.sum(np.square(y - p)) / np.sum(np.square(y - np.mean(y))))


def _logloss(y: FloatArray, p: FloatArray) -> float:
    p = np.clip(p, _TINY, 1 - _TINY)
    return float(-np.mean(np.where(y == 1, np.log(p), np.log1p(-p))))


def _auc(y: FloatArray, p: FloatArray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, p))


def _multi_logloss(y: FloatArray, p: FloatArray) -> float:
    true_class = p[np.arange(len(y)), y.astype(np.intp)]
    return float(-np.mean(np.log(np.clip(true_class, _TINY, 1))))


def _accuracy(y: FloatArray, p: FloatArray) -> float:
    predicted = p.argmax(axis=1) if p.ndim > 1 else p > 0.5  # noqa: PLR2004 - the even-odds line
    return float(np.mean(predicted == y))


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("rmse", ("regression",), greater_is_better=False, score=_rmse),
        Metric("mae", ("regression",), greater_is_better=False, score=_mae),
        Metric("mape", ("regression",), greater_is_better=False, score=_mape),
        Metric("rmsle", ("regression",), greater_is_better=False, score=_rmsle),
        Metric("r2", ("regression",), greater_is_better=True, score=_r2),
        Metric("logloss", ("binary",), greater_is_better=False, score=_logloss),
        Metric("auc", ("binary",), greater_is_better=True, score=_auc),
        Metric("multi_logloss", ("multiclass",), greater_is_better=False, score=_multi_logloss),
        Metric("accuracy", ("binary", "multiclass"), greater_is_better=True, score=_accuracy),
    )
}

DEFAULT_METRIC: dict[Task, str] = {"regression": "rmse", "binary": "logloss", "multiclass": "multi_logloss"}


def metrics_for(task: Task) -> list[str]:
    """Names of the metrics defined for a task."""
    return [name for name, metric in METRICS.items() if task in metric.tasks]
