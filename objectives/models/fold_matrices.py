"""The rows that each fold fits, scores and predicts, learned features included."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from objectives.data.features.inner_folds import inner_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold


class Matrices(NamedTuple):
    """One fold's rows.

    Attributes:
        train: Shape (n, n_features).
        validation: Shape (n_val, n_features).
        test: Shape (n_test, n_features).
        parts: As `FoldData.parts`.
    """

    train: FloatArray
    validation: FloatArray
    test: FloatArray
    parts: NDArray[np.int64]


class FoldMatrices:
    """Takes each fold's rows out of the data set; what a fold learns is kept, its rows are not.

    Args:
        dataset: The data.
        folds: Of the study, and after them that of all rows where there is one.
        n_folds: How many of them are the study's.
    """

    def __init__(self, dataset: Dataset, folds: Sequence[Fold], n_folds: int) -> None:
        self._dataset, self._folds, self._n_folds = dataset, folds, n_folds
        self._learned: dict[int, tuple[FloatArray, FloatArray]] = {}

    def of(self, k: int) -> Matrices:
        """The rows of the fold with this number."""
        data, fold = self._dataset, self._folds[k]
        train, validation, test = data.train[fold.train_idx], data.train[fold.val_idx], data.test
        if data.learned.names:
            learned, learned_test = self._columns(k)
            train = np.hstack([train, learned[fold.train_idx]])
            validation = np.hstack([validation, learned[fold.val_idx]])
            test = np.hstack([test, learned_test])
        parts = inner_parts(fold, self._folds[: self._n_folds], len(data.target))
        return Matrices(train, validation, test, parts)

    def _columns(self, k: int) -> tuple[FloatArray, FloatArray]:
        if k not in self._learned:
            made = self._dataset.learned.in_fold(self._folds[k], self._folds, self._dataset.target)
            self._learned[k] = made.train, made.test
        return self._learned[k]
