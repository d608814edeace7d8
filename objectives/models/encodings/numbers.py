"""Numbers on one scale, with nothing missing and no outliers; and as piecewise linear functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.models.saved_arrays import Arrays

    Positions = NDArray[np.int64]

_TAIL = 0.002
"""Share of the rows at either end that are drawn in: a straight line has no end, and mistakes have no limit."""
_QUANTILE_ROWS = 50_000


@dataclass(frozen=True)
class Scaling:
    """Numbers filled with the median, drawn in to the usual range, and divided by their standard deviation.

    Besides, a column of zeros and ones for each feature that has missing cells.

    Attributes:
        columns: Positions of the features, shape (c,).
        low: Lowest values kept, shape (c,).
        high: Highest ones, shape (c,).
        median: For missing cells, shape (c,).
        mean: After that, shape (c,).
        deviation: After that, shape (c,).
        holes: Positions of the features with missing cells.
    """

    columns: Positions
    low: FloatArray
    high: FloatArray
    median: FloatArray
    mean: FloatArray
    deviation: FloatArray
    holes: Positions

    @classmethod
    def fit(cls, rows: FloatArray, columns: Sequence[int]) -> Scaling:
        """Learns from the rows of a training fold."""
        positions = np.array(columns, np.int64)
        numbers = rows[:, positions]
        missing = np.isnan(numbers)
        shares = (_TAIL, 0.5, 1 - _TAIL)
        filled = np.where(missing.all(axis=0), 0.0, numbers)[:: len(rows) // _QUANTILE_ROWS + 1]
        missing_too = np.isnan(filled).all(axis=0)
        low, median, high = np.nanquantile(np.where(missing_too, 0.0, filled), shares, axis=0)
        drawn = np.clip(np.where(missing, median, numbers), low, high)
        deviation = drawn.std(axis=0)
        holes = positions[missing.any(axis=0)]
        return cls(
            positions, low, high, median, drawn.mean(axis=0), np.where(deviation > 0, deviation, 1.0), holes
        )

    @property
    def sources(self) -> Positions:
        """The feature that each made column is of."""
        return np.concatenate([self.columns, self.holes])

    def filled(self, rows: FloatArray) -> FloatArray:
        """The numbers without holes and outliers, shape (n, c)."""
        numbers = rows[:, self.columns]
        return np.clip(np.where(np.isnan(numbers), self.median, numbers), self.low, self.high)

    def apply(self, rows: FloatArray) -> FloatArray:
        """Scales rows, shape (n, c + holes)."""
        scaled = (self.filled(rows) - self.mean) / self.deviation
        return np.hstack([scaled, np.isnan(rows[:, self.holes])])

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> Scaling:
        """The scaling that gave the arrays."""
        fields: dict[str, Any] = dict(arrays)
        return cls(**fields)


@dataclass(frozen=True)
class Pieces:
    """Each number as how far it is through each stretch between two quantiles, from 0 to 1.

    A linear function of these is any piecewise linear function of the number, flat beyond its ends.

    Attributes:
        columns: Position of the number that each stretch is of, among those scaled. Shape (made,).
        starts: Where the stretch begins, shape (made,).
        ends: Where it ends, shape (made,).
    """

    columns: Positions
    starts: FloatArray
    ends: FloatArray

    @classmethod
    def fit(cls, numbers: FloatArray, most: int) -> Pieces:
        """Cuts each column of numbers, shape (n, c), into stretches of as many rows; two values need none."""
        some = numbers[:: len(numbers) // _QUANTILE_ROWS + 1]
        columns, starts, ends = [], [], []
        for i in range(numbers.shape[1]):
            knots = np.unique(some[:, i])
            if len(knots) > most + 1:
                knots = np.unique(np.quantile(some[:, i], np.linspace(0, 1, most + 1)))
            if most > 1 and len(knots) > 2:  # noqa: PLR2004 - a straight line does it
                columns += [i] * (len(knots) - 1)
                starts += knots[:-1].tolist()
                ends += knots[1:].tolist()
        return cls(np.array(columns, np.int64), np.array(starts), np.array(ends))

    def apply(self, numbers: FloatArray) -> FloatArray:
        """Encodes filled numbers, shape (n, made)."""
        through = (numbers[:, self.columns] - self.starts) / (self.ends - self.starts)
        return np.asarray(np.clip(through, 0.0, 1.0))

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> Pieces:
        """The encoding that gave the arrays."""
        return cls(arrays["columns"].astype(np.int64), arrays["starts"], arrays["ends"])
