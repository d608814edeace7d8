"""The contract between the search and anything it can tune."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.distributions import BaseDistribution

    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold
    from objectives.data.metrics import Metric

Params = Mapping[str, Any]
FloatArray = NDArray[np.float64]


class Progress(NamedTuple):
    """One report from a running evaluation.

    Attributes:
        step: Position on the ladder, the same progress for every configuration; grows by at least one.
        value: Estimate of the final score from what is known so far, on the metric's own scale.
        fold: Index of the running fold, from 0.
        iteration: Boosting rounds done in that fold.
    """

    step: int
    value: float
    fold: int
    iteration: int


class Report(Protocol):
    """The line from a running evaluation to whoever decides."""

    def __call__(self, progress: Progress) -> bool:
        """Takes a report; true means: stop, this configuration is not worth finishing."""
        ...

    def stopped(self) -> bool:
        """Whether a stop has arrived since the last report; cheap enough to ask every round."""
        ...


class EvaluationStopped(Exception):  # noqa: N818 - not an error: the answer to a report
    """Raised out of `Objective.evaluate` when the report line says stop."""


@dataclass(frozen=True)
class CVResult:
    """One configuration, cross-validated.

    Attributes:
        scores: The metric on each fold's validation part.
        oof_prediction: Out-of-fold predictions, shape (n_train,) or (n_train, n_classes).
        test_prediction: Mean of the fold models on the test rows, shape (n_test,) or (n_test, n_classes).
        best_iterations: Rounds kept by early stopping, one per fold.
        importance: Share of each feature in the total gain, shape (n_features,), summing to 1.
        models: The fold models, each in its library's own class.
    """

    scores: tuple[float, ...]
    oof_prediction: FloatArray
    test_prediction: FloatArray
    best_iterations: tuple[int, ...]
    importance: FloatArray
    models: tuple[Any, ...]

    @property
    def mean(self) -> float:
        """Mean score over the folds."""
        return float(np.mean(self.scores))

    @property
    def std(self) -> float:
        """Standard deviation of the fold scores (population form, as in numpy)."""
        return float(np.std(self.scores))


class Objective(Protocol):
    """Something that turns a configuration into a cross-validated result.

    An instance is bound to one data set, its folds and a metric. `evaluate` may be called from several
    threads at once and returns the same result for the same configuration, to the bit.
    """

    name: str

    def space(self) -> dict[str, BaseDistribution]:
        """Returns the search space, by parameter name."""
        ...

    def default_params(self) -> dict[str, Any]:
        """Returns a good untuned configuration: a value inside `space` for each of its parameters."""
        ...

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """Cross-validates one configuration, reporting on the way.

        Raises:
            EvaluationStopped: If the report line said stop.
        """
        ...

    def save_model(self, result: CVResult, folder: Path) -> None:
        """Writes what `objectives.predictor.load` needs to predict raw rows into an empty folder."""
        ...


OBJECTIVES: dict[str, str] = {"lightgbm": "objectives.models.lightgbm:LightGBMObjective"}
"""Where each objective's class is, by name; imported only when asked for."""


def find_objective(name: str) -> ObjectiveFactory:
    """Imports an objective's class."""
    module, _, cls = OBJECTIVES[name].partition(":")
    factory: ObjectiveFactory = getattr(import_module(module), cls)
    return factory


class ObjectiveFactory(Protocol):
    """Makes an objective for a data set."""

    def __call__(
        self, dataset: Dataset, folds: tuple[Fold, ...], metric: Metric, *, seed: int, threads: int
    ) -> Objective:
        """Binds the objective; heavy preparation may wait until the first evaluation."""
        ...
