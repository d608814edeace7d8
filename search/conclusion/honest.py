"""The score to expect on rows like the test file's, as many as it has, and how far off that may be.

What is expected starts from what the study's own folds say and is corrected by two differences, both measured on
the very same rows: what fresh splits score instead (the study's split chose the candidate, and flatters it), and
what the mean of several models gains over one (a row of the test file is predicted by the mean of all folds' models,
one out of fold by the one model that has not seen it). The interval has three sources: which rows the test file
happens to have, which ones the training file happened to have, and what the split and the seed did.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.conclusion.row_noise import Drawn, draw_scores
from search.conclusion.scored_folds import folds_with
from search.config import HONEST_DRAWS, HONEST_FEW_ROWS, HONEST_LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from search.conclusion.candidates import Candidate
    from search.conclusion.scored_folds import ScoredFold, Scorer


@dataclass(frozen=True)
class UnseenRows:
    """What is known of the rows to predict.

    Attributes:
        n_rows: How many.
        groups: Shape (n_train,): the group of each training row where whole groups are new in the test file.
        n_groups: Groups in the test file; 0 without groups.
        folds_differ: Whether a fold is a time or a place of its own, so that the test file is like one more
            fold rather than like more rows.
    """

    n_rows: int
    groups: NDArray[np.intp] | None = None
    n_groups: int = 0
    folds_differ: bool = False


@dataclass(frozen=True)
class HonestScore:
    """What a candidate is worth.

    Attributes:
        expected: On rows like the test file's.
        low: Lower end of the interval that shall hold the score there `HONEST_LEVEL` of the time.
        high: Upper end.
        fresh_folds: Folds of fresh splits that it rests on; 0: the study's own folds are all there is.
        averaging: What the mean of the folds' models gains over one of them, at the metric's sign.
    """

    expected: float
    low: float
    high: float
    fresh_folds: int
    averaging: float

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {**vars(self), "level": HONEST_LEVEL}

    @classmethod
    def from_json(cls, known: dict[str, Any]) -> HonestScore:
        """The inverse of `to_json`."""
        return cls(**{name: value for name, value in known.items() if name != "level"})


def honest_score(
    candidate: Candidate,
    scorer: Scorer,
    own: Sequence[ScoredFold],
    fresh: Sequence[ScoredFold],
    test: UnseenRows,
    *,
    optimism: float,
    seed: int,
) -> HonestScore:
    """Says what a candidate will score.

    Args:
        candidate: It.
        scorer: Target and metric.
        own: The study's own folds with its parts.
        fresh: Those of fresh splits, if any have them.
        test: What is to be predicted.
        optimism: By how much the score on the study's folds is better than an honest one, on the metric's scale,
            as far as it is known otherwise; used where there are no fresh folds.
        seed: Of the draws.
    """
    fresh = folds_with(fresh, [candidate])
    table = _Table.of(candidate, scorer, own, fresh)
    shift = float(table.differences.mean()) if fresh else -optimism
    averaging = float(scorer.averaging(candidate, fresh).mean()) if fresh else 0.0
    expected = scorer.score(table.seen, scorer.own(candidate)[table.seen]) + shift + averaging
    drawn = draw_scores(scorer, table.seen, table.mean_prediction, test, draws=HONEST_DRAWS, seed=seed)
    rng = np.random.default_rng([seed, 1])
    noise = table.split_error() * rng.standard_normal(len(drawn.scores))
    if test.folds_differ:
        noise = noise + table.between_folds(drawn) * rng.standard_t(max(1, len(own) - 1), len(drawn.scores))
    # Few rows lack what is rare, in every draw from them alike, and the best of many tries looks better on them.
    wider = 1 + HONEST_FEW_ROWS / math.sqrt(len(table.seen))
    deviations = wider * (drawn.deviations + noise)
    tail = (1 - HONEST_LEVEL) / 2
    low, high = np.quantile(deviations[np.isfinite(deviations)], [tail, 1 - tail])
    # What is added to a score near the best there can be leads beyond it.
    ends = np.array([expected, expected + low, expected + high])
    limit = np.minimum if scorer.metric.greater_is_better else np.maximum
    expected, low, high = limit(ends, scorer.metric.perfect).tolist()
    return HonestScore(expected, low, high, len(fresh), averaging)


@dataclass(frozen=True)
class _Table:
    """A candidate's predictions of the training rows: by the study's models, and by further ones on fresh splits."""

    scorer: Scorer
    own: Sequence[ScoredFold]
    candidate: Candidate
    differences: FloatArray
    seen: NDArray[np.intp]
    mean_prediction: FloatArray

    @classmethod
    def of(
        cls, candidate: Candidate, scorer: Scorer, own: Sequence[ScoredFold], fresh: Sequence[ScoredFold]
    ) -> _Table:
        """Lays all predictions on the rows they are of, and compares fresh models with the study's."""
        single = scorer.own(candidate)
        seen = np.unique(np.concatenate([fold.rows for fold in own]))
        total, times = single.copy(), np.ones(len(single))
        for fold in fresh:
            total[fold.rows] += fold.prediction(candidate)
            times[fold.rows] += 1
        mean = total[seen] / times[seen].reshape(-1, *(1,) * (total.ndim - 1))
        others = np.array([scorer.score(fold.rows, single[fold.rows]) for fold in fresh])
        return cls(scorer, own, candidate, scorer.scores(candidate, fresh) - others, seen, mean)

    def split_error(self) -> float:
        """Standard deviation of a whole split's score by what split and seed do, and the error of the shift."""
        found, n_own = self.differences, len(self.own)
        if len(found) < 2:  # noqa: PLR2004 - one difference has no spread
            return 0.0
        # A difference has the noise of two models, and a whole split's score that of as many folds as it has.
        of_a_split = float(np.var(found, ddof=1)) / 2 / n_own
        return math.sqrt(of_a_split * (1 + n_own / len(found)))

    def between_folds(self, drawn: Drawn) -> float:
        """Standard deviation of what folds differ by beyond what as many rows at random would."""
        scores = self.scorer.scores(self.candidate, self.own)
        if len(scores) < 2:  # noqa: PLR2004 - one fold differs from nothing
            return 0.0
        size = float(np.mean([len(fold.rows) for fold in self.own]))
        by_rows = float(np.nanvar(drawn.deviations)) * drawn.size / size
        beyond = max(0.0, float(np.var(scores, ddof=1)) - by_rows)
        return math.sqrt(beyond * (1 + 1 / len(scores)))
