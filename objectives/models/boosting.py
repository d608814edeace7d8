"""One fold of boosting: round by round, scored, reported on the ladder, stopped in time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np

from objectives.base import EvaluationStopped, FloatArray, Progress, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from objectives.data.folds import Fold
    from objectives.data.metrics import Metric

# Progress is learning_rate x rounds, so that slow and fast learners are compared at the same point.
RUNGS = (1.5, 3.0, 6.0, 10.0, 16.0, 25.0, 40.0)
STEPS_PER_FOLD = len(RUNGS) + 1
PATIENCE = 5.0
MOST = 300.0


@dataclass(frozen=True)
class FoldFit:
    """One fold's model, cut back to its best round, and what it says of the validation rows."""

    booster: lgb.Booster
    best_iteration: int
    score: float
    val_prediction: FloatArray


@dataclass(frozen=True)
class Climb:
    """A fold's place on the ladder of all folds.

    Attributes:
        fold: Index of the fold, from 0.
        done: Final scores of the folds before it.
        report: Told the running estimate of the mean score.
    """

    fold: int
    done: tuple[float, ...]
    report: Report

    def tell(self, rung: int, score: float, iteration: int) -> None:
        """Reports the fold's best score so far.

        Raises:
            EvaluationStopped: If the answer is stop.
        """
        value = (sum(self.done) + score) / (len(self.done) + 1)
        if self.report(Progress(self.fold * STEPS_PER_FOLD + rung, value, self.fold, iteration)):
            raise EvaluationStopped

    def check(self) -> None:
        """Asks for a stop that came between two rungs.

        Raises:
            EvaluationStopped: If there is one.
        """
        if self.report.stopped():
            raise EvaluationStopped


def fit_fold(
    params: dict[str, Any],
    binned: lgb.Dataset,
    fold: Fold,
    metric: Metric,
    climb: Climb,
) -> FoldFit:
    """Boosts until the validation score has not improved for a while.

    Args:
        params: Complete LightGBM parameters, `learning_rate` among them.
        binned: All training rows, constructed.
        fold: The rows to fit and to score on.
        metric: The score, on predictions of the original scale.
        climb: Told the score at each rung and at the fold's end.

    Raises:
        EvaluationStopped: If the report line says stop.
        FloatingPointError: If the score is not finite: the fit has diverged.
    """
    # LightGBM wants subset indices in order; the validation scores come back in the same order.
    booster = lgb.Booster(params, binned.subset(np.sort(fold.train_idx).tolist()))
    booster.add_valid(binned.subset(np.sort(fold.val_idx).tolist()), "validation")
    watch = _Watch(metric)
    rate = float(params["learning_rate"])
    rungs = _rungs(rate)
    rung = next(rungs)
    iteration = 0
    while iteration < math.ceil(MOST / rate):
        climb.check()
        exhausted = booster.update()
        iteration += 1
        watch.look(booster, iteration)
        if rung is not None and iteration >= rung[1]:
            climb.tell(rung[0], watch.best_score, iteration)
            rung = next(rungs)
        if exhausted or iteration - watch.best_iteration >= math.ceil(PATIENCE / rate):
            break
    climb.tell(len(RUNGS), watch.best_score, iteration)
    return _cut(booster, watch, fold)


def _rungs(rate: float) -> Iterator[tuple[int, int] | None]:
    """Each rung's index and the round that reaches it; then None for ever."""
    for step, progress in enumerate(RUNGS):
        yield step, math.ceil(progress / rate)
    while True:
        yield None


class _Watch:
    """Keeps the best round so far and its predictions, so that none has to be made anew."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self.best_score = metric.worst
        self.best_iteration = 0
        self.best_prediction: FloatArray = np.empty(0)

    def look(self, booster: lgb.Booster, iteration: int) -> None:
        self._iteration = iteration
        booster.eval_valid(self._score)

    def _score(self, prediction: FloatArray, data: lgb.Dataset) -> tuple[str, float, bool]:
        score = self._metric.score(np.asarray(data.get_label(), np.float64), prediction)
        if not math.isfinite(score):
            msg = f"{self._metric.name} is {score} at round {self._iteration}: the fit has diverged"
            raise FloatingPointError(msg)
        if self._metric.is_better(score, self.best_score):
            self.best_score, self.best_iteration = score, self._iteration
            self.best_prediction = np.array(prediction, np.float64)
        return self._metric.name, score, self._metric.greater_is_better


def _cut(booster: lgb.Booster, watch: _Watch, fold: Fold) -> FoldFit:
    """Drops the rounds after the best one and the training data with them."""
    best = lgb.Booster(model_str=booster.model_to_string(num_iteration=watch.best_iteration))
    prediction = np.empty_like(watch.best_prediction)
    prediction[np.argsort(fold.val_idx, kind="stable")] = watch.best_prediction
    return FoldFit(best, watch.best_iteration, watch.best_score, prediction)
