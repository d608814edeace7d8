"""The rows that each fold fits and predicts, binned once in a process."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np

from objectives.models.boosting import Rows
from objectives.models.feature_names import plain_names

if TYPE_CHECKING:
    from objectives.base import FloatArray
    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold
    from objectives.models.fold_labels import Labelling

BINNING = {"max_bin": 255, "feature_pre_filter": False}


class BinnedRows:
    """The data set binned, whatever its folds.

    Args:
        dataset: The data; its training rows are not kept.
        threads: To bin with.
    """

    def __init__(self, dataset: Dataset, threads: int) -> None:
        self.learned, self.target, self.test = dataset.learned, dataset.target, dataset.test
        self._names = plain_names(dataset.feature_names)
        self._params: dict[str, Any] = {**BINNING, "num_threads": threads, "verbosity": -1}
        self.train = self._bin(dataset.train, dataset.encoder.categorical)

    def _bin(self, train: FloatArray, categorical: list[int]) -> lgb.Dataset:
        """Binned once; folds are subsets of it, at 1/36 of the cost of binning each."""
        names = self._names[: train.shape[1]]
        data = lgb.Dataset(
            train, self.target, feature_name=names, categorical_feature=categorical, params=self._params
        )
        return data.construct() if names else data

    def joined(self, columns: FloatArray) -> lgb.Dataset:
        """A copy of the binned data with the learned columns beside: the same model as binning all at once.

        Copying and adding cost milliseconds, so that a fold costs the binning of its few new columns.
        """
        names = self._names[-columns.shape[1] :]
        extra = lgb.Dataset(columns, self.target, feature_name=names, params=self._params).construct()
        if len(names) == len(self._names):
            return extra
        everything = self.train.subset(list(range(len(self.target)))).construct()
        with warnings.catch_warnings():
            # It warns that the raw data is gone, which nobody wants, and resets names of categories, long binned.
            warnings.simplefilter("ignore")
            return everything.add_features_from(extra)


class FoldRows:
    """The rows that each fold of one split fits and predicts; with learned features, a binned copy for each.

    Args:
        binned: Shared with other splits.
        folds: Of the split.
    """

    def __init__(self, binned: BinnedRows, folds: tuple[Fold, ...]) -> None:
        self._binned, self._folds = binned, folds
        self._learned_rows: dict[int, tuple[lgb.Dataset, FloatArray]] = {}

    def of(self, fold: int, labelling: Labelling) -> Rows:
        """The rows of the fold with this number, and how their target is seen."""
        binned = self._binned
        if not binned.learned.names:
            return Rows(binned.train, labelling, binned.test)
        if fold not in self._learned_rows:
            columns = binned.learned.in_fold(self._folds[fold], self._folds, binned.target)
            test = np.asfortranarray(np.hstack([binned.test, columns.test]))
            self._learned_rows[fold] = binned.joined(columns.train), test
        train, test = self._learned_rows[fold]
        return Rows(train, labelling, test)
