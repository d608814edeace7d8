"""Fewer rows for a quick comparison, groups left whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.data.dataset import Dataset
    from objectives.data.split.keys import Key

_FEWEST_GROUPS = 1_000


def sample_rows(dataset: Dataset, most: int, seed: int) -> Dataset:
    """About `most` training rows, and the like share of the test rows.

    Groups are kept or left out whole, the same in both files: a sample of rows would tear them, and make random
    folds look better or worse than they are.
    """
    share = most / len(dataset.target)
    if share >= 1:
        return dataset
    train, test = _kept(dataset, share, seed)
    return replace(
        dataset,
        train=np.asfortranarray(dataset.train[train]),
        target=dataset.target[train],
        test=np.asfortranarray(dataset.test[test]),
        test_ids=tuple(dataset.test_ids[i] for i in test),
        keys=dataset.keys.take(train, test),
        learned=dataset.learned.take(train, test),
        divisors={column: values.take(train, test) for column, values in dataset.divisors.items()},
    )


def _kept(dataset: Dataset, share: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    group = _widest(dataset.keys.groups)
    if group is None:
        n_train, n_test = len(dataset.target), len(dataset.test)
        return _some(rng, n_train, share), _some(rng, n_test, share)
    n = int(max(group.train.max(), -1 if group.test is None else group.test.max())) + 1
    is_kept = rng.random(n) < share
    train = np.flatnonzero(is_kept[group.train])
    if group.test is None:
        return train, _some(rng, len(dataset.test), share)
    # A group that is missing has the index -1: those rows are dealt one by one.
    missing = (group.test < 0) & (rng.random(len(group.test)) < share)
    return train, np.flatnonzero(np.where(group.test < 0, missing, is_kept[group.test]))


def _widest(groups: tuple[Key, ...]) -> Key | None:
    """The column with the fewest groups that are enough for their sizes to even out."""
    sizes = {len(np.unique(key.train)): key for key in groups}
    return sizes[min(enough)] if (enough := [n for n in sizes if n >= _FEWEST_GROUPS]) else None


def _some(rng: np.random.Generator, n: int, share: float) -> NDArray[np.intp]:
    return np.sort(rng.permutation(n)[: max(1, round(n * share))])
