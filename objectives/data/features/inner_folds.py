"""How the rows of a training fold are divided to encode each part by what the others teach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from objectives.data.folds import Fold

_PARTS = 5
_FEWEST = 2
_SEED = 0


def inner_parts(fold: Fold, folds: Sequence[Fold], n_rows: int) -> NDArray[np.int64]:
    """Divides a training fold as the study divides all rows, so that groups and periods stay together.

    The validation parts of the other folds are the parts, where they do not overlap; training rows of none of
    them are one more. A fold of which that makes a single part is divided at random.

    Args:
        fold: The fold.
        folds: All of the study, it among them.
        n_rows: Training rows of the study.

    Returns:
        Number of the part of each row of `fold.train_idx`, in that order.
    """
    part = np.full(n_rows, -1)
    taken = np.zeros(n_rows, bool)
    taken[fold.val_idx] = True
    for k, other in enumerate(folds):
        if not taken[other.val_idx].any():
            part[other.val_idx] = k
            taken[other.val_idx] = True
    parts = part[fold.train_idx]
    if len(np.unique(parts)) >= _FEWEST:
        return parts
    return np.random.default_rng(_SEED).permutation(np.arange(len(parts)) % _PARTS)
