"""Scores: what each measures, on which task, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from objectives.data import scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from objectives.base import FloatArray
    from objectives.data.folds import Task


@dataclass(frozen=True)
class Metric:
    """A score on the target's own scale.

    Attributes:
        name: As in `cv_<name>_mean`.
        tasks: The tasks it is defined for.
        greater_is_better: Whether the search maximises it.
        score: Takes target (n,) and prediction (n,) or (n, n_classes); returns the score.
        source: Fingerprint of what it computes, for a user's own; a built-in one is known by its name.
    """

    name: str
    tasks: tuple[Task, ...]
    greater_is_better: bool
    score: Callable[[FloatArray, FloatArray], float]
    source: str | None = None

    @property
    def label(self) -> str:
        """Name for people, as in `CV RMSE`."""
        return self.name.upper()

    @property
    def direction(self) -> str:
        """The setting's word for which way is better."""
        return "max" if self.greater_is_better else "min"

    def is_better(self, score: float, than: float) -> bool:
        """Whether the first score beats the second."""
        return score > than if self.greater_is_better else score < than

    @property
    def worst(self) -> float:
        """A score that any other beats."""
        return -np.inf if self.greater_is_better else np.inf

    @property
    def perfect(self) -> float:
        """A score that none beats: that of the target itself; infinitely good for a user's own, which nobody knows."""
        if self.source is not None:
            return -self.worst
        return 1.0 if self.greater_is_better else 0.0


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("rmse", ("regression",), greater_is_better=False, score=scores.rmse),
        Metric("mae", ("regression",), greater_is_better=False, score=scores.mae),
        Metric("mape", ("regression",), greater_is_better=False, score=scores.mape),
        Metric("smape", ("regression",), greater_is_better=False, score=scores.smape),
        Metric("medae", ("regression",), greater_is_better=False, score=scores.medae),
        Metric("rmsle", ("regression",), greater_is_better=False, score=scores.rmsle),
        Metric("r2", ("regression",), greater_is_better=True, score=scores.r2),
        Metric("logloss", ("binary",), greater_is_better=False, score=scores.logloss),
        Metric("auc", ("binary",), greater_is_better=True, score=scores.auc),
        Metric("average_precision", ("binary",), greater_is_better=True, score=scores.average_precision),
        Metric("f1", ("binary",), greater_is_better=True, score=scores.f1),
        Metric("multi_logloss", ("multiclass",), greater_is_better=False, score=scores.multi_logloss),
        Metric("macro_f1", ("binary", "multiclass"), greater_is_better=True, score=scores.macro_f1),
        Metric("accuracy", ("binary", "multiclass"), greater_is_better=True, score=scores.accuracy),
        Metric(
            "quadratic_kappa", ("binary", "multiclass"), greater_is_better=True, score=scores.quadratic_kappa
        ),
    )
}

DEFAULT_METRIC: dict[Task, str] = {"regression": "rmse", "binary": "logloss", "multiclass": "multi_logloss"}


def metrics_for(task: Task) -> list[str]:
    """Names of the metrics defined for a task."""
    return [name for name, metric in METRICS.items() if task in metric.tasks]
