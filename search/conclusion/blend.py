"""The blend: greedy selection with replacement (Caruana 2004), bagged, and what it is worth where it did not look.

A blend is the weighted mean of parts' predictions on the target's own scale. Selection begins with the best part
and adds, with replacement, the part that brings the mean most, as long as that helps. Several such selections, each
from a random share of the parts, are averaged, so that luck on these rows counts less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from search.conclusion.blend_loss import blend_loss
from search.conclusion.candidates import blend_of
from search.config import BLEND_BAG_SHARE, BLEND_BAGS, BLEND_PARTS, BLEND_SHORTLIST, BLEND_STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.folds import Fold
    from objectives.data.metrics import Metric
    from search.conclusion.blend_loss import BlendLoss
    from search.conclusion.candidates import Part

    Counts = NDArray[np.intp]
    Rows = Sequence[NDArray[np.intp]]

Key = TypeVar("Key")
"""A part, or whatever else it is known by."""

_FEWEST_IN_A_BAG = 5


@dataclass(frozen=True)
class NestedScore:
    """What selecting is worth: each fold scored by what was selected on the other folds' rows alone.

    Attributes:
        blend: Scores of the blends, one a fold.
        single: Scores of the single parts that were best on the other rows, one a fold.
    """

    blend: tuple[float, ...]
    single: tuple[float, ...]


def select(
    oofs: Mapping[Key, FloatArray], target: FloatArray, metric: Metric, folds: Sequence[Fold], *, seed: int
) -> tuple[tuple[Key, float], ...]:
    """Selects a blend.

    The same arguments give the same blend. Parts without a finite prediction in each row that is scored are left out.

    Args:
        oofs: Out-of-fold predictions by part, each (n_train,) or (n_train, n_classes); of equally good parts the
            earlier is taken.
        target: The target, shape (n_train,).
        metric: The score.
        folds: The split that the predictions are of.
        seed: Of the bags.

    Returns:
        At most `BLEND_PARTS` parts with their weights, the heaviest first; the weights sum to 1.

    Raises:
        ValueError: If no part has finite predictions.
    """
    rows = [fold.val_idx for fold in folds]
    return _select(oofs, target, metric, rows, seed)


def nested_score(
    oofs: Mapping[Part, FloatArray], target: FloatArray, metric: Metric, folds: Sequence[Fold], *, seed: int
) -> NestedScore:
    """Scores, fold by fold, what would have been selected without that fold's rows; arguments as for `select`.

    Raises:
        ValueError: If no part has finite predictions, or there is but one fold.
    """
    if len(folds) == 1:
        raise ValueError("nested_score: got 1 fold; allowed: 2 or more; do: score on fresh splits")
    blends, singles = [], []
    for fold in folds:
        # With repeats other folds validate some of these rows too.
        others = [np.setdiff1d(other.val_idx, fold.val_idx) for other in folds if other is not fold]
        others = [rows for rows in others if len(rows)]
        y = target[fold.val_idx]
        chosen = blend_of(_select(oofs, target, metric, others, seed))
        best = _best_single(oofs, target, metric, others)
        blends.append(metric.score(y, chosen.mixed(oofs)[fold.val_idx]))
        singles.append(metric.score(y, oofs[best][fold.val_idx]))
    return NestedScore(tuple(map(float, blends)), tuple(map(float, singles)))


def _select(
    oofs: Mapping[Key, FloatArray], target: FloatArray, metric: Metric, rows: Rows, seed: int
) -> tuple[tuple[Key, float], ...]:
    parts = _usable(oofs, rows)
    rng = np.random.default_rng(seed)
    loss = blend_loss([oofs[part] for part in parts], target, metric, rows, rng)
    shares = np.mean([_greedy(loss, bag, len(parts)) for bag in _bags(loss, len(parts), rng)], axis=0)
    heaviest = [int(k) for k in np.argsort(-shares, kind="stable")[:BLEND_PARTS] if shares[k] > 0]
    total = sum(shares[k] for k in heaviest)
    return tuple((parts[k], float(shares[k] / total)) for k in heaviest)


def _usable(oofs: Mapping[Key, FloatArray], rows: Rows) -> list[Key]:
    parts = [part for part, oof in oofs.items() if all(np.isfinite(oof[some]).all() for some in rows)]
    if not parts:
        raise ValueError(f"got {len(oofs)} parts, none finite in each scored row; allowed: one or more")
    return parts


def _best_single(oofs: Mapping[Part, FloatArray], target: FloatArray, metric: Metric, rows: Rows) -> Part:
    def mean(part: Part) -> float:
        return float(np.mean([metric.score(target[some], oofs[part][some]) for some in rows]))

    return (max if metric.greater_is_better else min)(_usable(oofs, rows), key=mean)


def _bags(loss: BlendLoss, n_parts: int, rng: np.random.Generator) -> list[list[int]]:
    """Indices of the parts that each bag selects from; every one has the best part of all."""
    size = max(_FEWEST_IN_A_BAG, round(BLEND_BAG_SHARE * n_parts))
    if size >= n_parts:
        return [list(range(n_parts))]
    best = int(np.argmin(loss.with_one_more(np.zeros(n_parts, np.intp), range(n_parts))))
    drawn = (rng.choice(n_parts, size, replace=False).tolist() for _ in range(BLEND_BAGS))
    return [sorted({best, *bag}) for bag in drawn]


def _greedy(loss: BlendLoss, bag: Sequence[int], n_parts: int) -> FloatArray:
    """Shares of the parts, shape (n_parts,), in the best blend on the way to `BLEND_STEPS` draws."""
    counts = np.zeros(n_parts, np.intp)
    best_counts, best_loss = counts, np.inf
    candidates = list(bag)
    for _ in range(BLEND_STEPS):
        losses = loss.with_one_more(counts, candidates)
        first = int(np.argmin(losses))
        counts = counts.copy()
        counts[candidates[first]] += 1
        if losses[first] < best_loss:
            best_counts, best_loss = counts, losses[first]
        if loss.is_slow and counts.sum() > 1 and len(candidates) > BLEND_SHORTLIST:
            # What brings least to a pair brings little to a crowd.
            candidates = sorted(candidates[k] for k in np.argsort(losses, kind="stable")[:BLEND_SHORTLIST])
    shares: FloatArray = best_counts / best_counts.sum()
    return shares
