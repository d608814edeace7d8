"""What the objectives beside LightGBM have in common: fold after fold, fitted by a method of their own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from objectives.base import CVResult, Objective, Params, Report
from objectives.data.approach import Approach, losses_for
from objectives.data.split.expanding import fitted_folds, last_fit, last_rounds, whole_fit, whole_rounds
from objectives.models.bounds import inside
from objectives.models.fold_fit import FoldFit, result_of
from objectives.models.fold_labels import labelling_defaults, labelling_space, make_labelling
from objectives.models.fold_matrices import FoldMatrices
from objectives.models.fold_model import Fitted, FoldData, FoldModel, constant_for
from objectives.models.ladder import RUNGS, STEPS_PER_FOLD, Climb, StopsOnly
from objectives.models.saved_model import Kind, save_model
from objectives.models.threads_limit import one_thread, threads_limited
from objectives.models.watch import Truth, Watch
from objectives.own_objective import place_of

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.distributions import BaseDistribution

    from objectives.base import FloatArray
    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold
    from objectives.data.metrics import Metric
    from objectives.models.fold_labels import Labelling


class CrossValidatedObjective(Objective):
    """An objective of which a subclass says only its space and how one fold is fitted.

    Attributes:
        name: As in `OBJECTIVES`.
        threads: Threads that one evaluation uses.
        losses: Those of `objectives.data.approach.LOSSES` that it can be fitted by, the one for all others first
            for each task.
    """

    losses: ClassVar[tuple[str, ...]] = ("l2", "binary", "multiclass")

    def __init__(
        self, dataset: Dataset, folds: tuple[Fold, ...], metric: Metric, *, seed: int, threads: int
    ) -> None:
        self._dataset = dataset
        self._folds = folds
        self._metric = metric
        self._seed = seed
        self._of_all_rows, self._rounds = 0, 0
        self.threads = threads

    def __getstate__(self) -> dict[str, Any]:
        """All but what another process makes for itself."""
        return {
            name: value for name, value in vars(self).items() if name not in {"_matrices", "_last", "_whole"}
        }

    @property
    def requirements(self) -> tuple[str, ...]:
        """Packages that a saved model needs besides those that every one needs."""
        return ("scikit-learn",)

    def own_space(self) -> dict[str, BaseDistribution]:
        """Returns the model's own parameters; those of losses and target transforms come beside."""
        raise NotImplementedError

    def own_defaults(self) -> dict[str, Any]:
        """Returns a good value for each of them."""
        raise NotImplementedError

    def own_portfolio(self) -> list[dict[str, Any]]:
        """Returns further good configurations; a parameter that one lacks is at its default."""
        return []

    def fit_fold(self, params: Params, data: FoldData, watch: Watch) -> Fitted:
        """Fits one fold.

        Args:
            params: The model's own.
            data: The fold.
            watch: For a fit in rounds: what scores each. Another one leaves it alone, or asks it for a stop.

        Raises:
            EvaluationStopped: If the watch says so.
        """
        raise NotImplementedError

    @staticmethod
    def read_model(content: bytes) -> FoldModel:
        """Reads back what a model's `to_bytes` gave."""
        raise NotImplementedError

    def space(self) -> dict[str, BaseDistribution]:
        """Returns the search space: the model's, and the choice of loss and target transform where there is one."""
        return self.own_space() | labelling_space(self._approach)

    def default_params(self) -> dict[str, Any]:
        """Returns the default configuration."""
        defaults = {**self.own_defaults(), **labelling_defaults(self._approach)}
        return inside(self.space(), defaults)

    def portfolio(self) -> list[dict[str, Any]]:
        """Returns the model's portfolio, moved into this data's space."""
        space, defaults = self.space(), self.default_params()
        return [inside(space, {**defaults, **params}) for params in self.own_portfolio()]

    def on(self, folds: tuple[Fold, ...], seed: int | None = None) -> Objective:
        """Returns the same on other folds."""
        seed = self._seed if seed is None else seed
        return type(self)(self._dataset, folds, self._metric, seed=seed, threads=self.threads)

    def of_all_rows(self, models: int, rounds: float) -> Objective:
        """Returns the same that fits all rows; where folds go forward in time one model of them predicts anyway."""
        if self._last is not None:
            return super().of_all_rows(models, rounds)
        other = type(self)(self._dataset, self._folds, self._metric, seed=self._seed, threads=self.threads)
        other._of_all_rows, other._rounds = models, whole_rounds(self._folds, rounds)  # noqa: SLF001 - of its own kind
        return other

    def slower(self, params: Params, factor: float) -> dict[str, Any] | None:
        """Divides the learning rate where there is one; the rounds follow by early stopping."""
        rate = {**self.default_params(), **params}.get("learning_rate")
        return None if rate is None else {**params, "learning_rate": rate / factor}

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """Cross-validates one configuration, fold after fold.

        Where folds go forward in time, one model of all rows predicts in place of theirs.
        """
        labelling, own = make_labelling({**self.default_params(), **params}, self._dataset)
        with threads_limited(self.threads):
            if self._of_all_rows:
                whole = self._fitted_to_all_rows(labelling, own, report)
                return result_of(self._dataset, [], [], whole, is_transformed=labelling.is_transformed)
            fits: list[FoldFit] = []
            for k in range(len(self._folds)):
                done = tuple(fit.score for fit in fits)
                climb = Climb(k * STEPS_PER_FOLD, k, done, report, len(self._folds))
                fits.append(self._fit(k, labelling, own, climb))
            kept = fits
            if self._last is not None:
                rounds = last_rounds(self._folds, [fit.rounds for fit in fits])
                kept = [self._fit(len(fits), labelling, own, self._silent(report), rounds=rounds)]
        return result_of(self._dataset, self._folds, fits, kept, is_transformed=labelling.is_transformed)

    def save_model(self, result: CVResult, folder: Path) -> None:
        """Writes the fold models, and the encoders that feed them."""
        kept = fitted_folds(self._folds, len(self._dataset.target), result)
        save_model(Kind(self.name, self.requirements, place_of(self)), self._dataset, kept, result, folder)

    @property
    def _approach(self) -> Approach:
        """The data set's, with the losses that the model knows; the task's usual one for all others."""
        asked = self._dataset.approach
        known = tuple(loss for loss in asked.losses if loss in self.losses)
        return Approach(known or (losses_for(self._dataset.task)[0],), asked.transforms)

    @cached_property
    def _last(self) -> Fold | None:
        return last_fit(self._folds, len(self._dataset.target))

    @cached_property
    def _whole(self) -> Fold | None:
        """All rows, where a model is fitted to them."""
        return whole_fit(self._folds, len(self._dataset.target)) if self._of_all_rows else self._last

    @cached_property
    def _matrices(self) -> FoldMatrices:
        whole = () if self._whole is None else (self._whole,)
        return FoldMatrices(self._dataset, (*self._folds, *whole), len(self._folds))

    def _fitted_to_all_rows(self, labelling: Labelling, own: Params, report: Report) -> list[FoldFit]:
        """Models of all rows, by other seeds than those of the folds."""
        place, climb = len(self._folds), self._silent(report)
        seeds = range(self._seed + 1, self._seed + 1 + self._of_all_rows)
        return [self._fit(place, labelling, own, climb, rounds=self._rounds, seed=seed) for seed in seeds]

    def _silent(self, report: Report) -> Climb:
        """For a fit of all rows, whose score says nothing: it only hears a stop."""
        return Climb(0, len(self._folds), (), StopsOnly(report))

    def _fit(
        self,
        k: int,
        labelling: Labelling,
        own: Params,
        climb: Climb,
        *,
        rounds: int | None = None,
        seed: int | None = None,
    ) -> FoldFit:
        climb.check()
        fold = self._whole if k == len(self._folds) and self._whole is not None else self._folds[k]
        matrices = self._matrices.of(k)
        labels = labelling.fit(fold.train_idx, fold.val_idx)
        target = self._dataset.target
        data = FoldData(
            rows=matrices.train,
            labels=target[fold.train_idx] if labels.labels is None else labels.labels,
            weights=labels.weights,
            validation=matrices.validation,
            parts=matrices.parts,
            categorical=tuple(self._dataset.encoder.categorical),
            task=self._dataset.task,
            n_classes=len(self._dataset.classes),
            loss=self._loss(labelling),
            shapes=labelling.shapes,
            seed=self._seed if seed is None else seed,
            threads=self.threads,
        )
        truth = Truth(self._metric, target[fold.val_idx], labels)
        watch = Watch(truth, climb, rounds)
        fitted = constant_for(data) or self.fit_fold(own, data, watch)
        with one_thread():
            fit = _taken(fitted, watch, truth, matrices.validation, matrices.test)
        climb.tell(len(RUNGS), fit.score, fit.rounds)
        return fit

    def _loss(self, labelling: Labelling) -> str:
        return labelling.loss if labelling.loss in self.losses else self._approach.losses[0]


def _taken(fitted: Fitted, watch: Watch, truth: Truth, validation: FloatArray, test: FloatArray) -> FoldFit:
    """What is wanted of a fold; what a fit in rounds has scored on the way is not made again."""
    prediction, score = watch.best_prediction, watch.best_score
    labels = truth.labels
    if not watch.best_round:
        prediction = np.asarray(labels.validation(fitted.model.predict(validation)), np.float64)
        score = truth.score(prediction, fitted.rounds)
    return FoldFit(
        model=fitted.model.to_bytes(),
        rounds=fitted.rounds,
        score=score,
        val_prediction=prediction,
        test_prediction=labels.test(fitted.model.predict(test)),
        importance=fitted.importance,
        transform=labels.transform.to_json(),
    )
