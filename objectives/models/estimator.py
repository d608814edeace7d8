"""The shortest way to an objective of one's own: an estimator with scikit-learn's `fit` and `predict`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.models.cross_validated import CrossValidatedObjective
from objectives.models.fold_model import Fitted, all_classes, as_task, read_constant
from objectives.models.skops_bytes import dump, load

if TYPE_CHECKING:
    from objectives.base import FloatArray, Params
    from objectives.models.fold_model import FoldData, FoldModel
    from objectives.models.watch import Watch

# Of a skops file alone one could not tell it from other zip files.
_MARK = b"skops\n"


class EstimatorObjective(CrossValidatedObjective):
    """Tunes any estimator of scikit-learn's kind; a subclass says its `name`, parameters and how to make one.

    The estimator is given encoded rows: NaN is missing, categories are level indices, whose positions are
    `data.categorical`. Weights that some losses have are not for it.
    """

    @property
    def requirements(self) -> tuple[str, ...]:
        """scikit-learn, and what writes its models."""
        return ("scikit-learn", "skops")

    def estimator(self, params: Params, data: FoldData) -> Any:
        """Returns an unfitted estimator: a regressor, or for classes a classifier with `predict_proba`.

        Args:
            params: The configuration.
            data: The fold it will be fitted on, for what depends on its columns, its seed or its threads.
        """
        raise NotImplementedError

    def fit_fold(self, params: Params, data: FoldData, watch: Watch) -> Fitted:
        """Fits the estimator in one go; a stop waits for the end of the fold."""
        watch.check()
        labels = data.labels.astype(np.intp) if data.n_classes else data.labels
        fitted = self.estimator(params, data).fit(data.rows, labels)
        return Fitted(EstimatorModel(fitted, data.n_classes), np.zeros(data.rows.shape[1]))

    @staticmethod
    def read_model(content: bytes) -> FoldModel:
        """Reads back an estimator of scikit-learn's."""
        return read_constant(content) or EstimatorModel.from_bytes(content)


@dataclass(frozen=True)
class EstimatorModel:
    """A fitted estimator.

    Attributes:
        fitted: It.
        n_classes: Number of classes; 0 for regression.
    """

    fitted: Any
    n_classes: int

    def predict(self, rows: FloatArray) -> FloatArray:
        """Numbers, or probabilities; zero for a class that the fold lacks."""
        if not self.n_classes:
            return np.asarray(self.fitted.predict(rows), np.float64)
        probabilities = all_classes(
            self.fitted.predict_proba(rows), np.asarray(self.fitted.classes_, np.float64), self.n_classes
        )
        return as_task(probabilities, self.n_classes)

    def to_bytes(self) -> bytes:
        """By skops, without pickle."""
        return _MARK + dump({"fitted": self.fitted, "n_classes": self.n_classes})

    @classmethod
    def from_bytes(cls, content: bytes) -> EstimatorModel:
        """What `to_bytes` wrote; errors as of `objectives.models.skops_bytes.load`."""
        return cls(**load(content.removeprefix(_MARK)))
