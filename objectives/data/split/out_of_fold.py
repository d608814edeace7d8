"""Out-of-fold predictions where a row is validated once, several times, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.folds import Fold


class OutOfFold:
    """Gathers the folds' predictions of their validation rows.

    Args:
        shape: (n_train,) or (n_train, n_classes).
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._total = np.zeros(shape)
        self._times = np.zeros(shape[0], np.intp)

    def add(self, rows: NDArray[np.intp], prediction: FloatArray) -> None:
        """Adds a fold's predictions; within a fold no row comes twice."""
        self._total[rows] += prediction
        self._times[rows] += 1

    def mean(self) -> FloatArray:
        """Mean over the folds that validated a row; NaN where none did."""
        # One NaN for all: that of a division by zero has other bits on other processors.
        result = np.full_like(self._total, np.nan)
        seen = self._times > 0
        times = self._times[seen].reshape(-1, *(1,) * (self._total.ndim - 1))
        result[seen] = self._total[seen] / times
        return result


def validated_rows(folds: Sequence[Fold], n_rows: int) -> NDArray[np.bool_]:
    """Marks the rows that some fold validates; shape (n_rows,)."""
    seen = np.zeros(n_rows, np.bool_)
    for fold in folds:
        seen[fold.val_idx] = True
    return seen
