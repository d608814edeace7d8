"""What a score owes to the rows it was taken of: drawn anew, whole groups where rows come in groups."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.config import HONEST_LEVEL, HONEST_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from search.conclusion.honest import UnseenRows
    from search.conclusion.scored_folds import Scorer

    Draw = Callable[[np.random.Generator], NDArray[np.intp]]

_BLOCKS = 50
_FEWEST_FREEDOM = 4.0


@dataclass(frozen=True)
class Drawn:
    """Scores of rows drawn with replacement.

    Attributes:
        scores: One a draw; not finite where a draw has no score, as one of a single class.
        deviations: What each differs by from the score of all rows, on the scale of a test file's score.
        size: Rows that these deviations are of.
    """

    scores: FloatArray
    deviations: FloatArray
    size: float


def draw_scores(
    scorer: Scorer,
    rows: NDArray[np.intp],
    prediction: FloatArray,
    test: UnseenRows,
    *,
    draws: int,
    seed: int,
) -> Drawn:
    """Scores as many rows as tell two samples apart: the training rows, and the test file's.

    The score of a test file differs from what training rows say by the noise of both samples, whose variances are
    as 1/n each; so one draw of 1 / (1/n_train + 1/n_test) rows has just as much.

    Args:
        scorer: Target and metric.
        rows: Training rows that have predictions.
        prediction: Of these rows.
        test: What is to be predicted.
        draws: How many.
        seed: Of the draws.
    """
    whole = scorer.score(rows, prediction)
    size = _harmonic(len(rows), test.n_rows)
    columns = prediction.shape[1] if prediction.ndim > 1 else 1
    most = min(size, max(HONEST_ROWS / columns, HONEST_ROWS / 10))
    if test.groups is not None and test.n_groups:
        draw = _group_draw(test.groups[rows], test.n_groups)
        scale = 1.0
    else:
        n = max(1, round(most))
        draw = lambda rng: rng.integers(len(rows), size=n)  # noqa: E731 - the other branch's form
        scale = math.sqrt(n / size)
    rng = np.random.default_rng(seed)
    scores = np.full(draws, np.nan)
    for k in range(draws):
        chosen = draw(rng)
        with np.errstate(all="ignore"):
            scores[k] = scorer.score(rows[chosen], prediction[chosen])
    away = scale * (scores - whole)
    low, high = _widening(scorer, rows, prediction, test.groups, rng)
    return Drawn(scores, np.where(away < 0, low, high) * away, size)


def _widening(
    scorer: Scorer,
    rows: NDArray[np.intp],
    prediction: FloatArray,
    groups: NDArray[np.intp] | None,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """By how much draws from these rows are too sure below and above, where a few rows decide the score.

    As Student's quantile is wider than the normal one: with the degrees of freedom of a variance that was estimated
    from blocks of rows, each left out in turn, whose influences have that kurtosis. Once more on the side that these
    few rows push to: rarer and bigger ones are in no sample, and make a test file worse rather than better.
    """
    from scipy.special import ndtri, stdtrit

    owners = np.arange(len(rows)) if groups is None else np.unique(groups[rows], return_inverse=True)[1]
    n_owners = int(owners.max()) + 1
    n_blocks = min(_BLOCKS, n_owners)
    if n_blocks < 3:  # noqa: PLR2004 - no kurtosis of two
        return 1.0, 1.0
    block = rng.permutation(np.arange(n_owners) % n_blocks)[owners]
    with np.errstate(all="ignore"):
        left = [scorer.score(rows[block != k], prediction[block != k]) for k in range(n_blocks)]
    away = np.array([one for one in left if math.isfinite(one)])
    away = away - away.mean() if len(away) else away
    variance = float(np.mean(away**2)) if len(away) else 0.0
    if variance == 0.0:
        return 1.0, 1.0
    kurtosis = float(np.mean(away**4)) / variance**2
    freedom = max(_FEWEST_FREEDOM, 2 * len(away) / max(kurtosis - 1, 1.0))
    tail = (1 + HONEST_LEVEL) / 2
    wider = float(stdtrit(freedom, tail) / ndtri(tail))
    # What is left when a block is out has moved away from where the block had pushed it.
    pushes_up = float(np.mean(away**3)) < 0
    return (wider, wider**2) if pushes_up else (wider**2, wider)


def _harmonic(n: float, m: float) -> float:
    return 1 / (1 / max(n, 1) + 1 / max(m, 1))


def _group_draw(groups: NDArray[np.intp], n_test: int) -> Draw:
    """Draws whole groups: rows of one group err together."""
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    n = max(1, round(_harmonic(len(parts), n_test)))

    def draw(rng: np.random.Generator) -> NDArray[np.intp]:
        return np.concatenate([parts[k] for k in rng.integers(len(parts), size=n)])

    return draw
