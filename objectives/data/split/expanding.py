"""What follows from folds that go forward in time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from objectives.data.folds import Fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from objectives.base import CVResult


def last_fit(folds: Sequence[Fold], n_rows: int) -> Fold | None:
    """All rows to fit, where each fold is fitted on those of the fold before and more; None for other folds.

    The validation rows of the last fold are there to watch; they are fitted too.
    """
    sizes = [len(fold.train_idx) for fold in folds]
    if not all(a < b for a, b in pairwise(sizes)) or len(folds) == 1:
        return None
    if not all(np.isin(a.train_idx, b.train_idx).all() for a, b in pairwise(folds)):
        return None
    return whole_fit(folds, n_rows)


def whole_fit(folds: Sequence[Fold], n_rows: int) -> Fold:
    """All rows to fit, for models beside those of the folds; some of them are watched."""
    return Fold(np.arange(n_rows), folds[-1].val_idx)


def fitted_folds(folds: Sequence[Fold], n_rows: int, result: CVResult) -> tuple[Fold, ...]:
    """What each of a result's models was fitted to.

    Args:
        folds: Of the study.
        n_rows: All training rows.
        result: With models.
    """
    last = last_fit(folds, n_rows)
    if last is not None:
        return (last,)
    return tuple(folds) if result.scores else (whole_fit(folds, n_rows),) * len(result.models)


def whole_rounds(folds: Sequence[Fold], rounds: float) -> int:
    """Rounds for that: the folds' mean, and more in proportion to the rows, for more of them bear more rounds."""
    n_rows = len(np.unique(np.concatenate([folds[0].train_idx, folds[0].val_idx])))
    growth = n_rows / float(np.mean([len(fold.train_idx) for fold in folds]))
    return max(1, round(growth * rounds))


def last_rounds(folds: Sequence[Fold], best_iterations: Sequence[int]) -> int:
    """Rounds for all rows: the mean of the folds', those with more rows counting more."""
    sizes = [len(fold.train_idx) for fold in folds]
    return max(1, round(float(np.average(best_iterations, weights=sizes))))
