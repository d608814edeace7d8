"""How near a row is to some of the training rows: what makes a linear model see interactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from objectives.base import FloatArray
    from objectives.models.saved_arrays import Arrays

_SAMPLE = 1_000
_FACTORS = (0.4, 2.5)
_HEIGHT = 3.0
"""Nearness at no distance: a penalty weighs the more on a column the smaller its values are."""


@dataclass(frozen=True)
class Landmarks:
    """Some rows, and how fast nearness falls with the squared distance from each.

    Attributes:
        weights: What each column counts, shape (columns,).
        rows: The landmarks, weighted, shape (landmarks, columns).
        widths: By what the squared distance from each is multiplied, shape (landmarks,).
    """

    weights: FloatArray
    rows: FloatArray
    widths: FloatArray

    @classmethod
    def fit(cls, scaled: FloatArray, weights: FloatArray, n: int, width: float, seed: int) -> Landmarks:
        """Draws landmarks.

        Args:
            scaled: Rows of a training fold, shape (n_rows, columns).
            weights: What each column counts, shape (columns,).
            n: How many at most.
            width: Nearness falls to a third at the median squared distance divided by this: around half of the
                landmarks sooner, around the other half later.
            seed: Fixes which.
        """
        drawn = np.sort(np.random.default_rng(seed).permutation(len(scaled))[:n])
        rows = scaled[drawn] * weights
        some = _squared_distances(scaled[:_SAMPLE] * weights, rows)
        median = float(np.median(some)) if some.size else 0.0
        factors = np.resize(_FACTORS, len(rows))
        return cls(weights, rows, factors * (width / median if median > 0 else width))

    def apply(self, scaled: FloatArray) -> FloatArray:
        """Nearness to each landmark, shape (n, landmarks)."""
        if not len(self.rows):
            return np.empty((len(scaled), 0))
        return np.asarray(
            _HEIGHT * np.exp(-self.widths * _squared_distances(scaled * self.weights, self.rows))
        )

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> Landmarks:
        """The landmarks that gave the arrays."""
        return cls(arrays["weights"], arrays["rows"], arrays["widths"])


def _squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    far = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * (a @ b.T)
    return np.asarray(np.maximum(far, 0.0))
