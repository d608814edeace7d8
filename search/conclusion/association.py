"""Whether predictions say anything about the target at all.

A score alone cannot tell: early stopping keeps the round that did best on the very rows that are scored, so a little
is gained on a constant even where there is nothing to learn. What it can gain that way is bounded by chance, and
chance is what an association is measured in here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from objectives.base import FloatArray
    from objectives.data.folds import Task
    from search.conclusion.candidates import Candidate
    from search.conclusion.scored_folds import ScoredFold


def signal_strength(
    candidate: Candidate, folds: Iterable[ScoredFold], target: FloatArray, task: Task
) -> float:
    """Mean over folds of the association of prediction and target, in standard deviations of chance.

    Of parts alone it is to be asked, not of blends: noise that several parts were stopped at adds up in their mean.

    Args:
        candidate: What predicts.
        folds: Its folds.
        target: Shape (n_train,).
        task: What the target is.
    """
    found = [association(target[fold.rows], fold.prediction(candidate), task) for fold in folds]
    return float(np.mean(found)) if found else 0.0


def association(target: FloatArray, prediction: FloatArray, task: Task) -> float:
    """Agreement of target and prediction in standard deviations of what a shuffled target would show.

    Args:
        target: Shape (n,).
        prediction: Shape (n,) or (n, n_classes).
        task: What the target is; numbers are compared by rank, for one far out would decide alone.

    Returns:
        0 for a constant prediction.
    """
    if task == "regression":
        y, p = _ranks(target)[:, None], _ranks(prediction)[:, None]
    elif prediction.ndim == 1:
        y, p = target[:, None], prediction[:, None]
    else:
        y, p = (target[:, None] == np.arange(prediction.shape[1])).astype(np.float64), prediction
    y, p = y - y.mean(axis=0), p - p.mean(axis=0)
    chance = float(np.sum((y.T @ y) * (p.T @ p))) / max(1, len(target) - 1)
    return float(np.sum(y * p)) / math.sqrt(chance) if chance > 0 else 0.0


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks, of equals the mean rank: a constant has one rank only."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    ranks: FloatArray = (ends - (count - 1) / 2.0)[place]
    return ranks
