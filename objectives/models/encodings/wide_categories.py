"""Categories with more levels than a library takes, as the mean label of their rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from objectives.models.encodings.categories import CategoryMeans, codes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from objectives.base import FloatArray
    from objectives.models.fold_model import FoldData
    from objectives.models.saved_arrays import Arrays


@dataclass(frozen=True)
class MeansOfWide:
    """Puts the first target's mean in the place of each wide category; all other features stay as they are.

    Attributes:
        means: Of the wide categories.
    """

    means: CategoryMeans

    @classmethod
    def fit(cls, data: FoldData, most: int) -> tuple[MeansOfWide, FloatArray]:
        """Learns from the rows to fit; returns them encoded too, each part by what the others teach.

        Args:
            data: The fold.
            most: Levels that the library takes.
        """
        wide = tuple(c for c in data.categorical if codes_of(data.rows, c).max(initial=-1) >= most)
        means, encoded = CategoryMeans.fit(replace(data, categorical=wide))
        made = cls(means)
        return made, made._put(data.rows, encoded)

    def kept(self, categorical: Sequence[int]) -> list[int]:
        """Those categories that stay as they are."""
        return [column for column in categorical if column not in set(self.means.columns.tolist())]

    def apply(self, rows: FloatArray) -> FloatArray:
        """Encodes rows, shape (n, n_features)."""
        return self._put(rows, self.means.apply(rows)) if len(self.means.columns) else rows

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return self.means.arrays()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> MeansOfWide:
        """The encoding that gave the arrays."""
        return cls(CategoryMeans.from_arrays(arrays))

    def _put(self, rows: FloatArray, encoded: FloatArray) -> FloatArray:
        if not len(self.means.columns):
            return rows
        put = np.array(rows)
        each = encoded.shape[1] // len(self.means.columns)
        put[:, self.means.columns] = encoded[:, ::each]
        return put
