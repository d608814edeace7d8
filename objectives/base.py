"""The contract between the search and anything it can tune."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
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
        folds: How many there are, all about as long as each other. Where it is said, an evaluation that would not
            end in time is given up.
        seconds: Since the evaluation began; whoever passes the report on says it.
    """

    step: int
    value: float
    fold: int
    iteration: int
    folds: int = 0
    seconds: float = 0.0


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
        scores: The metric on each fold's validation part; none where nothing but all rows were fitted.
        oof_prediction: Out-of-fold predictions, shape (n_train,) or (n_train, n_classes): the mean of those of a
            row that several folds validate, NaN for a row that none does, and where no folds were fitted.
        test_prediction: Mean of the models on the test rows, shape (n_test,) or (n_test, n_classes).
        best_iterations: Rounds kept by early stopping, one per fold.
        importance: Share of each feature in the total gain, shape (n_features,), summing to 1.
        models: One a fold, as text or bytes in its library's own format, or a single one of all rows where the
            folds go forward in time, or those of all rows that were asked for; none where nobody wants them.
        model_hash: Hash of the models, in order; outlives them.
        transforms: What turns each model's output into a prediction, as text; none: it is one.
        objective: Name of the objective that made it, where a study has several.
    """

    scores: tuple[float, ...]
    oof_prediction: FloatArray
    test_prediction: FloatArray
    best_iterations: tuple[int, ...]
    importance: FloatArray
    models: tuple[str | bytes, ...]
    model_hash: str = ""
    transforms: tuple[str, ...] = ()
    objective: str = ""

    def __post_init__(self) -> None:
        if self.models and not self.model_hash:
            texts = [_as_bytes(model) for model in (*self.models, *self.transforms)]
            digest = _hash(str([len(text) for text in texts]).encode(), *texts)
            object.__setattr__(self, "model_hash", digest)

    @property
    def mean(self) -> float:
        """Mean score over the folds."""
        return float(np.mean(self.scores))

    @property
    def std(self) -> float:
        """Standard deviation of the fold scores (population form, as in numpy)."""
        return float(np.std(self.scores))

    @property
    def oof_hash(self) -> str:
        """Hash of the out-of-fold predictions' type, shape and bits: equal only if each bit is."""
        array = np.ascontiguousarray(self.oof_prediction)
        return _hash(f"{array.dtype.str} {array.shape}".encode(), array.data)


def _as_bytes(model: str | bytes) -> bytes:
    return model.encode() if isinstance(model, str) else model


def _hash(*parts: bytes | memoryview) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


class Objective(Protocol):
    """Something that turns a configuration into a cross-validated result.

    An instance is bound to one data set, its folds and a metric, and crosses to other processes by pickle.
    `evaluate` returns the same result for the same configuration in any process, to the bit. What a subclass need
    not know has a body here.

    Attributes:
        name: As in `OBJECTIVES`.
        threads: Threads that one evaluation uses.
    """

    name: str
    threads: int

    def space(self) -> dict[str, BaseDistribution]:
        """Returns the search space, by parameter name."""
        ...

    def default_params(self) -> dict[str, Any]:
        """Returns a good untuned configuration: a value inside `space` for each of its parameters."""
        ...

    def portfolio(self) -> list[dict[str, Any]]:
        """Returns further configurations inside `space` that are good on most data, the best first; here none."""
        return []

    def work(self, params: Params) -> float:  # noqa: ARG002 - for those who know
        """Returns how much a whole evaluation costs beside that of another configuration; here all the same.

        Of the parameters alone: what seconds decide comes out differently each time.
        """
        return 1.0

    def tryout_step(self) -> int | None:
        """Returns the last step of a first look on a few rows; None where evaluations begin without one."""
        return None

    def fastest_threads(self, most: int) -> int:
        """Returns how many threads, `most` at most, make an evaluation fastest here and now; here 1."""
        return min(1, most)

    def on(self, folds: tuple[Fold, ...], seed: int | None = None) -> Objective:
        """Returns the same objective on other folds of the same rows, sharing what was prepared for these.

        Args:
            folds: Row positions in the data set that this one is bound to.
            seed: Of the models; None: as this one's.

        Raises:
            NotImplementedError: If it cannot, as here: trials are then compared on the study's folds alone.
        """
        msg = f"{self.name} knows no other folds than the study's; do: give its class `on(folds, seed)`"
        raise NotImplementedError(msg)

    def of_all_rows(self, models: int, rounds: float) -> Objective:
        """Returns the same objective that fits models of all rows instead of folds, to predict other rows with.

        What it evaluates to has these, by other seeds each, and their mean on the test rows; nothing is scored.

        Args:
            models: How many.
            rounds: Mean of those that the folds kept; all rows bear more, in proportion.

        Raises:
            NotImplementedError: If it makes none, as here, and where one of all rows predicts in any case.
        """
        msg = f"{self.name} makes no models of all rows beside those that predict already"
        raise NotImplementedError(msg)

    def slower(self, params: Params, factor: float) -> dict[str, Any] | None:  # noqa: ARG002 - for those who know
        """Returns the same configuration learning so many times slower, for so many times the cost or more.

        Returns:
            Complete parameters, maybe outside `space`; None where nothing is gained by going slower, as here.
        """
        return None

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """Cross-validates one configuration, reporting on the way.

        Raises:
            EvaluationStopped: If the report line said stop.
        """
        ...

    def save_model(self, result: CVResult, folder: Path) -> None:
        """Writes what `objectives.predictor.load` needs to predict raw rows into an empty folder."""
        ...


OBJECTIVES: dict[str, str] = {
    "lightgbm": "objectives.models.lightgbm:LightGBMObjective",
    "hist_gradient_boosting": "objectives.models.hist_gradient_boosting:HistGradientBoostingObjective",
    "extra_trees": "objectives.models.extra_trees:ExtraTreesObjective",
    "linear": "objectives.models.linear:LinearObjective",
    "nearest": "objectives.models.nearest:NearestObjective",
    "neural_network": "objectives.models.neural_network:NeuralNetworkObjective",
    "xgboost": "objectives.models.xgboost:XGBoostObjective",
    "catboost": "objectives.models.catboost:CatBoostObjective",
}
"""Where each objective's class is, by name; imported only when asked for."""


EXTRAS = frozenset({"xgboost", "catboost"})
"""Objectives whose package, of the same name, comes with an extra of that name only."""


def missing_extra(name: str, otherwise: str = "leave it out") -> str | None:
    """One line for an objective whose package is not installed; None for any other.

    Args:
        name: As in `OBJECTIVES`.
        otherwise: What to do for one who cannot install it.
    """
    if name not in EXTRAS or find_spec(name) is not None:
        return None
    here = ", ".join(one for one in OBJECTIVES if one not in EXTRAS or find_spec(one) is not None)
    return (
        f"objective: got {name}, whose package is not installed; allowed here: {here}; "
        f"do: pip install 'tabular-search[{name}]', or {otherwise}"
    )


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
