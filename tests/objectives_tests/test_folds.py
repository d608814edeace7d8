from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives.data.folds import TASKS, make_folds, scheme

if TYPE_CHECKING:
    from objectives.base import FloatArray
    from objectives.data.folds import Task


def target_of(task: Task, n: int) -> FloatArray:
    """A target with every class often enough."""
    return np.arange(n, dtype=np.float64) % {"regression": n, "binary": 2, "multiclass": 3}[task]


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(TASKS), st.integers(30, 90), st.integers(2, 7), st.integers(0, 2**32 - 1))
def test_each_row_is_scored_once(task: Task, n: int, n_splits: int, seed: int) -> None:
    """The validation parts share out the rows, and none is fitted on in its own fold."""
    folds = make_folds(target_of(task, n), task, n_splits, seed)

    assert len(folds) == n_splits
    assert np.array_equal(np.sort(np.concatenate([fold.val_idx for fold in folds])), np.arange(n))
    for fold in folds:
        assert np.array_equal(np.union1d(fold.train_idx, fold.val_idx), np.arange(n))
        assert not np.intersect1d(fold.train_idx, fold.val_idx).size


@pytest.mark.parametrize("task", TASKS)
def test_a_seed_fixes_the_folds(task: Task) -> None:
    """The same seed gives the same folds, another one others."""
    first, again, other = ([f.val_idx.tolist() for f in make_folds(target_of(task, 60), task, 5, seed)]
                           for seed in (3, 3, 4))  # fmt: skip

    assert first == again
    assert first != other


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_classes_are_stratified(task: Task) -> None:
    """Every fold holds each class in its share, to within one row."""
    target = (np.arange(103) % 10 >= 8).astype(np.float64) + (task == "multiclass") * (
        np.arange(103) % 10 == 0
    )

    for fold in make_folds(target, task, 5, 0):
        counts = np.bincount(target[fold.val_idx].astype(int))
        assert np.all(np.abs(counts - np.bincount(target.astype(int)) / 5) <= 1)


def test_the_split_has_a_name() -> None:
    """A study can say how it was split."""
    assert [scheme(task) for task in TASKS] == ["kfold", "stratified", "stratified"]
