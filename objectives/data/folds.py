"""Cross-validation folds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.base import FloatArray

Task = Literal["regression", "binary", "multiclass"]
TASKS: tuple[Task, ...] = ("regression", "binary", "multiclass")


class Fold(NamedTuple):
    """Row positions of one split: fit on `train_idx`, score on `val_idx`."""

    train_idx: NDArray[np.intp]
    val_idx: NDArray[np.intp]


def scheme(task: Task) -> Literal["kfold", "stratified"]:
    """Name of the split: classes are stratified."""
    return "kfold" if task == "regression" else "stratified"


def make_folds(target: FloatArray, task: Task, n_splits: int, seed: int) -> tuple[Fold, ...]:
    """Shuffled folds: K-fold for regression, stratified by class otherwise.

    Args:
        target: Shape (n_train,): numbers, or class indices.
        task: What the target is.
        n_splits: Number of folds, at least 2.
        seed: Fixes the shuffle.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    splitter = (KFold if task == "regression" else StratifiedKFold)(n_splits, shuffle=True, random_state=seed)
    return tuple(Fold(train, val) for train, val in splitter.split(np.zeros(len(target)), target))
