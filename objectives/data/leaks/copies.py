"""Columns that are the target under another name: copied, scaled, rounded, binned, coded, or in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from objectives.data.leaks.evidence import Evidence, Finding
from objectives.data.leaks.skill import bins, levels, skill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.base import FloatArray

# A single honest column explains less than this of the target's ranks, or of a class, on held-out rows.
COPY_SKILL = 0.98
_COPY_OF_CLASS = 0.97
_FEWEST_ROWS = 30
_FEWEST_KNOWN = 100
_FEW_ROWS = 400
_EQUAL_SHARE, _EQUAL_BY_CHANCE = 0.5, 0.1
_MOST_LEVELS = 50
_FEWEST_OF_A_LEVEL, _LEAST_SHARE_OF_A_LEVEL = 10, 0.02


def find_copies(evidence: Evidence) -> list[Finding]:
    """Each single column that gives the target away."""
    if len(evidence.rows) < _FEWEST_ROWS:
        return []
    found = (_copy(evidence, i) for i in range(len(evidence.names)))
    return [finding for finding in found if finding is not None]


def _copy(evidence: Evidence, i: int) -> Finding | None:
    values = evidence.train[evidence.rows, i]
    name = evidence.names[i]
    explained = explains(evidence, values, category=i in evidence.categorical)
    if explained >= (COPY_SKILL if evidence.task == "regression" else _COPY_OF_CLASS):
        how = f"which alone explains {explained:.1%} of it on held-out rows"
        return _finding(evidence, "copy", name, how)
    if evidence.task != "regression":
        return None
    target = evidence.target[evidence.rows]
    equal = _equal_share(values, target)
    if equal > _EQUAL_SHARE and i not in evidence.categorical:
        return _finding(
            evidence, "partial copy", name, f"which equals it in {equal:.0%} of the rows that have it"
        )
    apart = ordered_apart(values, target)
    if apart:
        return _finding(evidence, "binned copy", name, f"whose {apart} values part it without overlap")
    return None


def explains(evidence: Evidence, values: FloatArray, *, category: bool = False) -> float:
    """Explained share of the target's ranks, or of the best explained class, by values of `evidence.rows`.

    Of all rows, or of those that have a value, whichever is more.
    """
    codes = levels(values) if category else bins(values)
    signals, halves = evidence.signals[evidence.rows], evidence.halves
    best = float(skill(codes, signals, halves).max())
    known = np.isfinite(values)
    if _FEWEST_KNOWN <= known.sum() < len(values):
        best = max(best, float(skill(codes[known], signals[known], halves[known]).max()))
    if evidence.task == "regression" and not category and _FEWEST_ROWS <= known.sum() < _FEW_ROWS:
        best = max(best, _monotone(values[known], signals[known, 0]))
    return best


def _monotone(values: FloatArray, ranks: FloatArray) -> float:
    """Squared rank correlation: the bins of few rows are too wide to show a copy."""
    from scipy.stats import rankdata

    both = np.corrcoef(rankdata(values), ranks) if np.ptp(values) > 0 else np.zeros((2, 2))
    return float(both[0, 1]) ** 2


def _equal_share(values: FloatArray, target: FloatArray) -> float:
    """Share of the known values that equal the target, 0 where chance would do it too."""
    known = np.isfinite(values)
    if known.sum() < _FEWEST_ROWS:
        return 0.0
    values, target = values[known], target[known]
    share = float((values == target).mean())
    if share <= _EQUAL_SHARE:
        return 0.0
    _, inverse = np.unique(np.concatenate([values, target]), return_inverse=True)
    one, other = (np.bincount(part, minlength=inverse.max() + 1) for part in np.split(inverse, 2))
    by_chance = float((one * other).sum()) / len(values) ** 2
    return share if by_chance < _EQUAL_BY_CHANCE else 0.0


def ordered_apart(values: FloatArray, target: FloatArray) -> int:
    """Number of levels whose targets lie in ranges that do not overlap; 0 where some do."""
    if len(np.unique(values[:_FEWEST_KNOWN])) > _MOST_LEVELS:
        return 0
    codes = np.unique(np.nan_to_num(values, nan=-np.inf), return_inverse=True)[1]
    count = int(codes.max()) + 1
    if not 1 < count <= _MOST_LEVELS or not _all_filled(codes, target):
        return 0
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, codes, target)
    np.maximum.at(high, codes, target)
    order = np.argsort(low)
    # One value throughout a level may be a fact, such as nothing sold on days of rest.
    varied = (high > low).all()
    return count if varied and (high[order][:-1] <= low[order][1:]).all() else 0


def _all_filled(codes: NDArray[np.intp], target: FloatArray) -> bool:
    least = max(_FEWEST_OF_A_LEVEL, _LEAST_SHARE_OF_A_LEVEL * len(target))
    return bool(np.bincount(codes).min() >= least)


def _finding(evidence: Evidence, kind: str, name: str, how: str) -> Finding:
    line = (
        f"leak: got {name!r}, {kind} of {evidence.target_name!r}, {how}; allowed: what is known before the target; "
        "do: drop the column from both files"
    )
    return Finding(kind, (name,), line)
