"""Where rows are near to each other: scaled numbers, holes, and frequent levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from objectives.models.encodings.categories import OneHot
from objectives.models.encodings.numbers import Scaling
from objectives.models.saved_arrays import part_of, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from objectives.base import FloatArray
    from objectives.models.encodings.numbers import Positions
    from objectives.models.fold_model import FoldData
    from objectives.models.saved_arrays import Arrays

_SAME_LEVEL = float(np.sqrt(0.5))
"""Two levels then lie one apart: two of their columns differ."""


@dataclass(frozen=True)
class Space:
    """Turns rows into points.

    Attributes:
        scaling: Of the numbers.
        levels: Of the categories.
    """

    scaling: Scaling
    levels: OneHot

    @classmethod
    def fit(cls, data: FoldData, fewest: int, most: int) -> Space:
        """Learns from the rows to fit; as many levels at most, each with so many of them at least."""
        return cls(Scaling.fit(data.rows, data.numeric), OneHot.fit(data, fewest=fewest, most=most))

    @property
    def sources(self) -> Positions:
        """The feature that each column is of."""
        return np.concatenate([self.scaling.sources, self.levels.sources])

    def weights(self, share: FloatArray, power: float) -> FloatArray:
        """What each column counts in a distance, shape (columns,).

        Args:
            share: Of each feature in what there is to learn, at most 1. Shape (n_features,).
            power: How much that counts; 0: not at all.
        """
        weights = np.sqrt(share[self.sources]) ** power
        weights[len(weights) - len(self.levels.sources) :] *= _SAME_LEVEL
        return np.asarray(weights)

    def apply(self, rows: FloatArray) -> FloatArray:
        """Points of rows, shape (n, columns)."""
        return np.hstack([self.scaling.apply(rows), self.levels.apply(rows)])

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return {**within("scaling", self.scaling.arrays()), **within("levels", self.levels.arrays())}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> Space:
        """The space that gave the arrays."""
        return cls(
            Scaling.from_arrays(part_of("scaling", arrays)), OneHot.from_arrays(part_of("levels", arrays))
        )
