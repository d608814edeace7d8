"""scikit-learn's HistGradientBoosting: LightGBM's algorithm with other trees, and so another error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from objectives.models.cross_validated import CrossValidatedObjective
from objectives.models.encodings.wide_categories import MeansOfWide
from objectives.models.fold_model import Fitted, all_classes, as_task, read_constant
from objectives.models.hist_trees import Frame, HistTrees
from objectives.models.saved_arrays import pack, part_of, unpack, within

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from objectives.base import FloatArray, Params
    from objectives.models.fold_model import FoldData, FoldModel
    from objectives.models.watch import Watch

_LOSSES = {
    "l1": "absolute_error",
    "mape": "absolute_error",
    "quantile": "quantile",
    "poisson": "poisson",
    "gamma": "gamma",
}
_MOST_LEVELS = 255
# In learning_rate x rounds, the ladder's first rung, and as a share of the rounds done.
_CHUNK, _CHUNK_SHARE = 1.5, 4
_ROWS_PER_LEAF = 100


class HistGradientBoostingObjective(CrossValidatedObjective):
    """Tunes scikit-learn's HistGradientBoosting, round by round like LightGBM."""

    name = "hist_gradient_boosting"
    losses: ClassVar[tuple[str, ...]] = ("l2", *_LOSSES, "binary", "multiclass")

    def own_space(self) -> dict[str, BaseDistribution]:
        """Returns the space: rates and leaves as for LightGBM."""
        from optuna.distributions import FloatDistribution, IntDistribution

        multiclass = self._dataset.task == "multiclass"
        most = int(np.clip(len(self._dataset.target) // _ROWS_PER_LEAF, 31, 63 if multiclass else 255))
        return {
            "learning_rate": FloatDistribution(0.05, 0.3, log=True),
            "max_leaf_nodes": IntDistribution(5, most, log=True),
            "min_samples_leaf": IntDistribution(2, 200, log=True),
            "l2_regularization": FloatDistribution(1e-6, 100.0, log=True),
            "max_features": FloatDistribution(0.2, 1.0),
        }

    def own_defaults(self) -> dict[str, Any]:
        """Returns scikit-learn's own, with splits that look at half of the features: LightGBM's look at all."""
        return {
            "learning_rate": 0.08,
            "max_leaf_nodes": 24,
            "min_samples_leaf": 20,
            "l2_regularization": 1.0,
            "max_features": 0.5,
        }

    def own_portfolio(self) -> list[dict[str, Any]]:
        """Returns small trees of many rows, big ones of few features, and scikit-learn's defaults."""
        return [
            {"max_leaf_nodes": 10, "min_samples_leaf": 50, "max_features": 0.4},
            {"max_leaf_nodes": 63, "min_samples_leaf": 10, "max_features": 0.3, "l2_regularization": 5.0},
            {"learning_rate": 0.1, "max_leaf_nodes": 31, "max_features": 1.0, "l2_regularization": 1e-6},
        ]

    def work(self, params: Params) -> float:
        """By the learning rate, as rounds until early stopping are."""
        return 1 / float(params.get("learning_rate", 0.1))

    def fit_fold(self, params: Params, data: FoldData, watch: Watch) -> Fitted:
        """Boosts a few rounds at a time, scores each of them, and cuts back to the best."""
        wide, rows = MeansOfWide.fit(data, _MOST_LEVELS)
        rows, categorical = _without_empty(rows), wide.kept(data.categorical)
        booster = _booster(params, data, categorical)
        to_task = _ToTask(np.unique(data.labels) if data.n_classes else np.empty(0), data.n_classes)
        watch.start(booster.learning_rate)
        done, frame, validation = 0, None, None
        while frame is None or (done == booster.n_iter_ and watch.goes_on(done)):
            watch.check()
            booster.max_iter = _next_stop(done, booster.learning_rate, watch)
            booster.fit(rows, data.labels, data.weights)
            frame = frame or Frame.of(booster, categorical, rows.shape[1])
            validation = validation or _Validation(frame, wide.apply(data.validation), to_task)
            done = booster.n_iter_ if watch.rounds else validation.look(watch, booster, done)
        best = watch.best_round or done
        trees = HistTrees(frame, booster._predictors[:best])  # noqa: SLF001 - no public way to cut back
        return Fitted(HistGradientBoostingModel(wide, trees, to_task), trees.gain(), best)

    @staticmethod
    def read_model(content: bytes) -> FoldModel:
        """Reads back a booster and its encoding."""
        return read_constant(content) or HistGradientBoostingModel.from_bytes(content)


def _booster(params: Params, data: FoldData, categorical: list[int]) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    how = {
        **params,
        "early_stopping": False,
        "warm_start": True,
        "random_state": data.seed,
        "categorical_features": categorical or None,
    }
    if data.n_classes:
        return HistGradientBoostingClassifier(**how)
    if data.loss == "quantile":
        how["quantile"] = data.shapes["quantile_alpha"]
    return HistGradientBoostingRegressor(loss=_LOSSES.get(data.loss, "squared_error"), **how)


def _without_empty(rows: FloatArray) -> FloatArray:
    """Zeros for features of which a fold has no value at all, for which no bins can be found: none splits there."""
    empty = np.isnan(rows).all(axis=0)
    return np.where(empty, 0.0, rows) if empty.any() else rows


def _next_stop(done: int, rate: float, watch: Watch) -> int:
    """How many rounds there should be after the next call of `fit`, which bins and predicts all rows anew."""
    if watch.rounds:
        return watch.rounds
    return min(done + max(math.ceil(_CHUNK / rate), done // _CHUNK_SHARE), watch.last_round)


class _Validation:
    """Predicts the validation rows round by round, each from the one before.

    scikit-learn's own way, `staged_predict`, starts from the first round at each call.
    """

    def __init__(self, frame: Frame, rows: FloatArray, to_task: _ToTask) -> None:
        self._frame, self._to_task = frame, to_task
        self._rows, self._raw = frame.rows(rows), frame.start(len(rows))

    def look(self, watch: Watch, booster: Any, done: int) -> int:
        """Scores the rounds after those done, until the watch has seen enough; returns the last of them."""
        while done < booster.n_iter_ and watch.goes_on(done):
            self._frame.add(self._rows, booster._predictors[done : done + 1], self._raw)  # noqa: SLF001
            done += 1
            watch.look(self._to_task(self._frame.output(self._raw)), done)
        return done


@dataclass(frozen=True)
class _ToTask:
    """From what the trees give to what the task wants.

    Attributes:
        classes: Those that the fold knows; empty for regression.
        n_classes: All; 0 for regression.
    """

    classes: FloatArray
    n_classes: int

    def __call__(self, output: FloatArray) -> FloatArray:
        if not self.n_classes:
            return output
        return as_task(all_classes(output, self.classes, self.n_classes), self.n_classes)


@dataclass(frozen=True)
class HistGradientBoostingModel:
    """Trees and what they are fed.

    Attributes:
        wide: Of the categories with more levels than the trees take.
        trees: All of them.
        to_task: The way from their output.
    """

    wide: MeansOfWide
    trees: HistTrees
    to_task: _ToTask

    def predict(self, rows: FloatArray) -> FloatArray:
        """Labels or probabilities."""
        return self.to_task(self.trees.predict(self.wide.apply(rows)))

    def to_bytes(self) -> bytes:
        """As named arrays."""
        parts = {**within("wide", self.wide.arrays()), **within("trees", self.trees.arrays())}
        return pack({**vars(self.to_task), **parts})

    @classmethod
    def from_bytes(cls, content: bytes) -> HistGradientBoostingModel:
        """What `to_bytes` wrote."""
        arrays = unpack(content)
        wide = MeansOfWide.from_arrays(part_of("wide", arrays))
        to_task = _ToTask(arrays["classes"], int(arrays["n_classes"]))
        return cls(wide, HistTrees.from_arrays(part_of("trees", arrays)), to_task)
