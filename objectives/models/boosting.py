"""One fold of boosting: round by round, scored, reported on the ladder, stopped in time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import lightgbm as lgb
import numpy as np

from objectives.models.fold_fit import FoldFit
from objectives.models.ladder import MOST, PATIENCE, RUNGS, Climb, rungs

if TYPE_CHECKING:
    from objectives.base import FloatArray
    from objectives.data.folds import Fold
    from objectives.data.metrics import Metric
    from objectives.models.fold_labels import FoldLabels, Labelling


class Rows(NamedTuple):
    """What every fold is fitted on and predicts.

    Attributes:
        train: All training rows, constructed; folds are subsets of it.
        labelling: How the target is seen; LightGBM's own labels are rounded to float32.
        test: Shape (n_test, n_features).
    """

    train: lgb.Dataset
    labelling: Labelling
    test: FloatArray


class Scoring(NamedTuple):
    """How a fold is scored.

    Attributes:
        metric: On predictions of the original scale.
        tolerance: Share of all that was gained since the first round which a gain must be to go on for.
        rounds: How many, where the score cannot say it; None: until it has not improved for a while.
    """

    metric: Metric
    tolerance: float
    rounds: int | None = None


def fit_fold(
    params: dict[str, Any],
    rows: Rows,
    fold: Fold,
    scoring: Scoring,
    climb: Climb,
) -> FoldFit:
    """Boosts a fold to its best round, and takes what is wanted of it.

    Args:
        params: Complete LightGBM parameters, `learning_rate` among them.
        rows: All of them, whatever the fold.
        fold: The rows to fit and to score on.
        scoring: What is scored, and when to stop.
        climb: Told the score at each rung and at the fold's end.

    Raises:
        EvaluationStopped: If the report line says stop.
        FloatingPointError: If the score is not finite: the fit has diverged.
    """
    booster, watch = _boost(params, rows, fold, scoring, climb)
    return _cut(booster, watch, fold, rows.test, int(params["num_threads"]))


def try_out(params: dict[str, Any], rows: Rows, few: Fold, scoring: Scoring, climb: Climb) -> None:
    """Boosts on a few rows, only to report; arguments and errors as for `fit_fold`."""
    _boost(params, rows, few, scoring, climb)


def _boost(
    params: dict[str, Any], rows: Rows, fold: Fold, scoring: Scoring, climb: Climb
) -> tuple[lgb.Booster, _Watch]:
    """Goes on until the validation score has not improved for a while."""
    # LightGBM wants subset indices in order; the validation scores come back in the same order.
    train, validation = np.sort(fold.train_idx), np.sort(fold.val_idx)
    labels = rows.labelling.fit(train, validation)
    booster = lgb.Booster({**params, **labels.params}, labels.put_on(rows.train.subset(train.tolist())))
    booster.add_valid(rows.train.subset(validation.tolist()), "validation")
    watch = _Watch(scoring, rows.labelling.target[validation], labels)
    rate = float(params["learning_rate"])
    ladder = rungs(rate)
    rung = next(ladder)
    iteration = 0
    most, patience = math.ceil(MOST / rate), math.ceil(PATIENCE / rate)
    if scoring.rounds is not None:
        most = patience = scoring.rounds
    while iteration < most and iteration - watch.last_gain < patience:
        climb.check()
        booster.update()
        iteration += 1
        watch.look(booster, iteration)
        if rung is not None and iteration >= rung[1]:
            climb.tell(rung[0], watch.best_score, iteration)
            rung = next(ladder)
    climb.tell(len(RUNGS), watch.best_score, iteration)
    return booster, watch


class _Watch:
    """Keeps the best round so far and its predictions, so that none has to be made anew.

    A round whose random features and rows allow no split leaves no tree, and the next may have one again: so
    the model's iterations are its trees, not the rounds.

    Attributes:
        labels: The fold's, with the way from the model's output to a prediction.
        last_gain: The round that was better by more than the tolerance than the one before that was so.
        best_score: Of the validation rows.
        best_seen: The round that had it.
        best_iteration: Iterations of the model then.
        best_prediction: Of the validation rows then.
    """

    def __init__(self, scoring: Scoring, target: FloatArray, labels: FoldLabels) -> None:
        self._metric, self._tolerance = scoring.metric, scoring.tolerance
        self._target, self.labels = target, labels
        self._first = self._gained = math.nan
        self.last_gain = 0
        self.best_score = scoring.metric.worst
        self.best_seen = self.best_iteration = 0
        self.best_prediction: FloatArray = np.empty(0)

    def look(self, booster: lgb.Booster, iteration: int) -> None:
        self._iteration = iteration
        booster.eval_valid(self._score)
        if self.best_seen == iteration:
            self.best_iteration = booster.num_trees() // booster.num_model_per_iteration()

    def _score(self, output: FloatArray, _: lgb.Dataset) -> tuple[str, float, bool]:
        prediction = self.labels.validation(output)
        score = self._metric.score(self._target, prediction)
        if not math.isfinite(score):
            msg = f"{self._metric.name} is {score} at round {self._iteration}: the fit has diverged"
            raise FloatingPointError(msg)
        if self._metric.is_better(score, self.best_score):
            self.best_score, self.best_seen = score, self._iteration
            self.best_prediction = np.array(prediction, np.float64)
            if self._is_gain(score):
                self._gained, self.last_gain = score, self._iteration
        return self._metric.name, score, self._metric.greater_is_better

    def _is_gain(self, score: float) -> bool:
        if self._iteration == 1:
            self._first = score
            return True
        return abs(score - self._gained) > self._tolerance * abs(score - self._first)


def _cut(booster: lgb.Booster, watch: _Watch, fold: Fold, test: FloatArray, threads: int) -> FoldFit:
    """Takes what is wanted of the rounds up to the best one, and no booster, whose data would stay alive.

    The booster predicts as its text read back would.
    """
    best = watch.best_iteration
    # How many threads fitted a model is no part of it: equal models are equal texts.
    text = booster.model_to_string(num_iteration=best).replace(f"\n[num_threads: {threads}]\n", "\n", 1)
    prediction = np.empty_like(watch.best_prediction)
    prediction[np.argsort(fold.val_idx, kind="stable")] = watch.best_prediction
    return FoldFit(
        model=text,
        rounds=best,
        score=watch.best_score,
        val_prediction=prediction,
        test_prediction=watch.labels.test(
            np.asarray(booster.predict(test, num_iteration=best, num_threads=threads))
        ),
        importance=booster.feature_importance("gain", iteration=best),
        transform=watch.labels.transform.to_json(),
    )
