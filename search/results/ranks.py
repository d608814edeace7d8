"""How far CV and leaderboard agree, and which two files to select."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from objectives.base import FloatArray

FEWEST_PAIRS = 4
"""Files with both scores before anything is said about how they agree."""
LEAST_CORRELATION = 0.5


@dataclass(frozen=True)
class Candidate:
    """A file that could be selected.

    Attributes:
        name: For people.
        sha256: Of the file.
        cv: Cross-validated score; None where it is not known.
        std: Standard deviation of that over the folds.
        n_folds: How many there were.
        n_train: Training rows.
        board: Score on the leaderboard; None where it has none.
        private: Score on the private leaderboard.
        prediction: What the file holds, flat; None where that is not known.
    """

    name: str
    sha256: str
    cv: float | None = None
    std: float | None = None
    n_folds: int | None = None
    n_train: int | None = None
    board: float | None = None
    private: float | None = None
    prediction: FloatArray | None = None


@dataclass(frozen=True)
class Estimate:
    """What a file is expected to score.

    Attributes:
        candidate: The file.
        mean: On the scale of the CV scores.
        error: Its standard error.
    """

    candidate: Candidate
    mean: float
    error: float


@dataclass(frozen=True)
class Pair:
    """Two files to select.

    Attributes:
        safe: With the best expected score.
        other: The one that adds most to it.
        correlation: Of the two predictions.
        best_of_two: Expected score of the better of both.
    """

    safe: Estimate
    other: Estimate
    correlation: float
    best_of_two: float


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's; NaN for fewer than two values or a constant."""
    return correlation(_ranks(np.asarray(one, np.float64)), _ranks(np.asarray(other, np.float64)))


def correlation(one: FloatArray, other: FloatArray) -> float:
    """Pearson's; NaN for fewer than two values or a constant."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:  # noqa: PLR2004 - one value does not vary
        return math.nan
    return float(np.corrcoef(one, other)[0, 1])


def estimates(candidates: Sequence[Candidate], *, public_rows: float) -> list[Estimate]:
    """Weighs CV and leaderboard by the rows they rest on; the leaderboard's usual distance from CV is taken off.

    Args:
        candidates: The files.
        public_rows: Test rows behind a score of the public leaderboard.
    """
    both = [(one.board - one.cv) for one in candidates if one.board is not None and one.cv is not None]
    offset = float(np.median(both)) if both else 0.0
    spreads = [one.std for one in candidates if one.std is not None and math.isfinite(one.std)]
    usual = float(np.median(spreads)) if spreads else 1.0
    return [
        estimate for one in candidates if (estimate := _estimate(one, offset, usual, public_rows)) is not None
    ]


def _estimate(one: Candidate, offset: float, usual: float, public_rows: float) -> Estimate | None:
    n_train = float(one.n_train or 1_000)
    std, n_folds = one.std or usual, one.n_folds or 5
    # The spread of a fold's score, as of the rows behind it: one row's is what more rows make smaller.
    per_row = std * math.sqrt(n_train / n_folds)
    known = [(one.cv, n_train)] if one.cv is not None else []
    if one.board is not None:
        known.append((one.board - offset, public_rows))
    rows = sum(weight for _, weight in known)
    if not rows:
        return None
    mean = sum(score * weight for score, weight in known) / rows
    return Estimate(one, mean, per_row / math.sqrt(rows))


def pick_two(known: Sequence[Estimate], *, greater_is_better: bool) -> Pair | None:
    """Picks the file with the best expected score, and the one with which the better of both is expected best.

    Args:
        known: At least two of them have a prediction.
        greater_is_better: Whether a higher score is better.

    Returns:
        None where there are no two.
    """
    usable = [one for one in known if one.candidate.prediction is not None]
    if len(usable) < 2:  # noqa: PLR2004 - a pair
        return None
    sign = 1.0 if greater_is_better else -1.0
    safe = max(usable, key=lambda one: sign * one.mean)
    pairs = [_pair(safe, other, sign) for other in usable if other is not safe]
    return max(pairs, key=lambda pair: (sign * pair.best_of_two, -pair.correlation))


def _pair(safe: Estimate, other: Estimate, sign: float) -> Pair:
    one, two = safe.candidate.prediction, other.candidate.prediction
    assert one is not None
    assert two is not None
    found = correlation(one, two) if one.shape == two.shape else math.nan
    # Two constants, or files of other shapes, tell nothing: taken for independent.
    shared = 0.0 if math.isnan(found) else found
    return Pair(safe, other, found, sign * _expected_best(safe, other, shared, sign))


def _expected_best(one: Estimate, other: Estimate, shared: float, sign: float) -> float:
    """Of the better of two normal scores (Clark 1961)."""
    a, b = sign * one.mean, sign * other.mean
    variance = one.error**2 + other.error**2 - 2 * shared * one.error * other.error
    if variance <= 0:
        return max(a, b)
    spread = math.sqrt(variance)
    z = (a - b) / spread
    above = 0.5 * (1 + math.erf(z / math.sqrt(2)))
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return a * above + b * (1 - above) + spread * density


def parting(candidates: Sequence[Candidate], *, greater_is_better: bool) -> list[str]:
    """Returns how CV and leaderboard part, a line each; nothing where they go together or too little is known."""
    known = [(one, one.cv, one.board) for one in candidates if one.cv is not None and one.board is not None]
    if len(known) < FEWEST_PAIRS:
        return []
    warnings = []
    rho = rank_correlation([cv for _, cv, _ in known], [board for _, _, board in known])
    if not rho >= LEAST_CORRELATION:
        warnings.append(
            f"CV and leaderboard order {len(known)} files differently: rank correlation {rho:.2f}; "
            "look at the split: it may not resemble the test data"
        )
    sign = 1.0 if greater_is_better else -1.0
    by_cv = max(known, key=lambda entry: sign * entry[1])
    by_board = max(known, key=lambda entry: sign * entry[2])
    if by_cv[0] is not by_board[0]:
        gap = sign * (by_board[2] - by_cv[2])
        warnings.append(
            f"the best by CV, {by_cv[0].name}, is {gap:.4g} behind the best on the leaderboard, {by_board[0].name}"
        )
    gaps = np.array([board - cv for _, cv, board in known])
    spreads = [one.std for one, _, _ in known if one.std is not None]
    middle, usual = float(np.median(gaps)), float(np.median(spreads)) if spreads else math.inf
    if abs(middle) > 2 * usual:
        warnings.append(
            f"the leaderboard is {middle:+.4g} from CV, {abs(middle) / usual:.1f} standard deviations of a fold: "
            "CV flatters, or the test data differ"
        )
    return warnings


def _ranks(values: FloatArray) -> FloatArray:
    """From 0; equals share the mean of theirs."""
    ordered = np.sort(values)
    low, high = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return (low + high - 1) / 2
