"""Categories as numbers: a column for each frequent level, or the mean label of their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.models.fold_model import FoldData
    from objectives.models.saved_arrays import Arrays

    Codes = NDArray[np.int64]

_PRIOR_ROWS = 10.0
"""Rows that the mean of all counts as beside those of a level."""


def codes_of(rows: FloatArray, column: int) -> Codes:
    """Level indices of a column, -1 for a missing or unseen one. Shape (n,)."""
    values = rows[:, column]
    return np.where(np.isnan(values), -1, values).astype(np.int64)


@dataclass(frozen=True)
class OneHot:
    """Zeros and ones: the frequent levels of each category, a missing cell as one of them.

    Attributes:
        columns: Position of the feature that each made column is of, shape (made,).
        codes: Its level there; -1 for a missing cell. Shape (made,).
    """

    columns: Codes
    codes: Codes

    @classmethod
    def fit(cls, data: FoldData, *, fewest: int, most: int) -> OneHot:
        """Finds the levels of the rows to fit.

        Args:
            data: The fold.
            fewest: Rows that a level must have.
            most: Levels of all categories at most, the frequent ones first.
        """
        columns, codes, counts = [], [], []
        for column in data.categorical:
            levels, times = np.unique(codes_of(data.rows, column), return_counts=True)
            columns += [column] * len(levels)
            codes += levels.tolist()
            counts += times.tolist()
        rows = np.array(counts, np.int64)
        kept = np.argsort(-rows, kind="stable")[:most]
        kept = np.sort(kept[rows[kept] >= fewest])
        return cls(np.array(columns, np.int64)[kept], np.array(codes, np.int64)[kept])

    @property
    def sources(self) -> Codes:
        """The feature that each made column is of."""
        return self.columns

    def apply(self, rows: FloatArray) -> FloatArray:
        """Encodes rows, shape (n, made)."""
        made = np.empty((len(rows), len(self.columns)))
        for column in np.unique(self.columns):
            mine = np.flatnonzero(self.columns == column)
            made[:, mine] = codes_of(rows, column)[:, None] == self.codes[mine]
        return made

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return {"columns": self.columns, "codes": self.codes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Codes]) -> OneHot:
        """The encoding that gave the arrays."""
        return cls(arrays["columns"], arrays["codes"])


@dataclass(frozen=True)
class CategoryMeans:
    """Each category as the mean label of its level's rows, shrunk to that of all, and how many rows it has.

    Attributes:
        columns: Positions of the categorical features, shape (c,).
        starts: Where each one's levels begin in `values`, and at last its length. Shape (c + 1,). A column's last
            entry is that of a missing cell and of levels unseen in training.
        values: Means of the levels, one column for each target. Shape (levels, targets).
        counts: Logarithms of one more than their rows, shape (levels,).
    """

    columns: Codes
    starts: Codes
    values: FloatArray
    counts: FloatArray

    @classmethod
    def fit(cls, data: FoldData) -> tuple[CategoryMeans, FloatArray]:
        """Learns from the rows to fit; returns them encoded too, each part by what the others teach."""
        sizes = [int(codes_of(data.rows, column).max(initial=-1)) + 2 for column in data.categorical]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        shape = cls(np.array(data.categorical, np.int64), starts, np.empty((0, 0)), np.empty(0))
        places, targets = shape._places(data.rows), data.targets
        made = shape._taught(places, targets)
        encoded = made.encode(places)
        for part in np.unique(data.parts):
            mine = data.parts == part
            if not mine.all():
                encoded[mine] = shape._taught(places[~mine], targets[~mine]).encode(places[mine])
        return made, encoded

    @property
    def sources(self) -> Codes:
        """The feature that each made column is of."""
        return np.repeat(self.columns, self.values.shape[1] + 1)

    def apply(self, rows: FloatArray) -> FloatArray:
        """Encodes rows, shape (n, c * (targets + 1))."""
        return self.encode(self._places(rows))

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> CategoryMeans:
        """The encoding that gave the arrays."""
        columns, starts = (arrays[name].astype(np.int64) for name in ("columns", "starts"))
        return cls(columns, starts, arrays["values"], arrays["counts"])

    def _places(self, rows: FloatArray) -> Codes:
        """Where each cell's level is in `values`, shape (n, c)."""
        places = np.empty((len(rows), len(self.columns)), np.int64)
        for i, column in enumerate(self.columns):
            codes, last = codes_of(rows, column), self.starts[i + 1] - self.starts[i] - 1
            places[:, i] = self.starts[i] + np.where((codes < 0) | (codes >= last), last, codes)
        return places

    def _taught(self, places: Codes, targets: FloatArray) -> CategoryMeans:
        n_levels, mean = int(self.starts[-1]), targets.mean(axis=0)
        counts = np.bincount(places.ravel(), minlength=n_levels).astype(np.float64)
        each = len(self.columns)
        sums = [np.bincount(places.ravel(), np.repeat(one, each), n_levels) for one in targets.T]
        values = (np.stack(sums, axis=1) + _PRIOR_ROWS * mean) / (counts + _PRIOR_ROWS)[:, None]
        return CategoryMeans(self.columns, self.starts, values, np.log1p(counts))

    def encode(self, places: Codes) -> FloatArray:
        """Encodes places in `values`, shape (n, c)."""
        both = np.concatenate([self.values[places], self.counts[places][:, :, None]], axis=2)
        return both.reshape(len(places), len(self.sources))
