"""Labels as a model of sums fits them: as they are or their logarithms, and never far outside of those seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from objectives.base import FloatArray
    from objectives.data.dataset import Dataset
    from objectives.models.saved_arrays import Arrays

SCALES = ("plain", "log")
_SKEWED = 1.0
_BEYOND = 0.1
_RATIOS = (0.5, 2.0)


def may_take_logs(dataset: Dataset) -> bool:
    """Whether all labels have a logarithm, and the user has not said the scale to fit on."""
    plain = dataset.task == "regression" and dataset.approach.transforms == ("none",)
    return plain and bool(dataset.target.min() >= 0)


def usual_scale(dataset: Dataset) -> str:
    """Logarithms of labels that are all above zero and skewed."""
    return "log" if may_take_logs(dataset) and _skewness(dataset.target) > _SKEWED else "plain"


def _skewness(target: FloatArray) -> float:
    away = target - target.mean()
    deviation = float(np.sqrt(np.mean(away**2)))
    return float(np.mean(away**3)) / deviation**3 if deviation > 0 else 0.0


@dataclass(frozen=True)
class LabelScale:
    """The way from what a model puts out back to labels.

    Attributes:
        limits: Lowest and highest output, a little beyond the labels'; empty where outputs are no numbers to predict.
        scale: Whether outputs are logarithms, and what their exponentials are multiplied by.
    """

    limits: FloatArray
    scale: FloatArray

    @classmethod
    def none(cls) -> LabelScale:
        """Where there are classes."""
        return cls(np.empty(0), np.empty(0))

    @classmethod
    def fit(cls, labels: FloatArray, scale: object) -> LabelScale:
        """Learns from labels how far outputs may go.

        Args:
            labels: Of the rows to fit.
            scale: One of `SCALES`; None is the first.
        """
        made = cls(np.empty(0), np.array([float(scale == "log"), 1.0]))
        outputs = made.outputs(labels)
        beyond = _BEYOND * np.ptp(outputs)
        return replace(made, limits=np.array([outputs.min() - beyond, outputs.max() + beyond]))

    @property
    def is_log(self) -> bool:
        """Whether outputs are logarithms."""
        return bool(self.scale[0])

    def outputs(self, labels: FloatArray) -> FloatArray:
        """What a model is to put out."""
        return np.asarray(np.log1p(labels) if self.is_log else labels, np.float64)

    def labels(self, outputs: FloatArray) -> FloatArray:
        """What a model's outputs say."""
        drawn = np.clip(outputs, *self.limits)
        return np.asarray(np.expm1(drawn) * self.scale[1] if self.is_log else drawn)

    def with_means_of(
        self, labels: FloatArray, outputs: FloatArray, weights: FloatArray | None
    ) -> LabelScale:
        """The same with means as the labels have: the exponential of a mean is less than the mean of exponentials."""
        if not self.is_log:
            return self
        ratio = np.average(labels, weights=weights) / np.average(self.labels(outputs), weights=weights)
        return replace(self, scale=np.array([1.0, np.clip(ratio, *_RATIOS)]))

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return {"limits": self.limits, "scale": self.scale}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> LabelScale:
        """The scale that gave the arrays."""
        return cls(arrays["limits"], arrays["scale"])
