"""What candidates score on the rows of one fold, as a test file would score them.

A row of the test file is predicted by the mean of several models, one for each of the study's folds; a row of the
training file by the one model that has not seen it. A blend has gained by itself what such a mean gains, so out of
fold it looks better beside a single trial than it will on the test file. With a fresh split each training row has
two models that have not seen it, and how much better the mean of two is than one tells what the mean of more is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.folds import Fold
    from objectives.data.metrics import Metric
    from search.conclusion.candidates import Candidate, Part


@dataclass(frozen=True)
class ScoredFold:
    """One fold, by models that have not seen its rows.

    Attributes:
        place: Number of the split, 0 for the study's own, and of the fold in it.
        rows: Positions of its rows among the training rows.
        predictions: Of these rows, by part; (n,) or (n, n_classes) each.
    """

    place: tuple[int, int]
    rows: NDArray[np.intp]
    predictions: Mapping[Part, FloatArray]

    def prediction(self, candidate: Candidate) -> FloatArray:
        """A candidate's prediction of its rows."""
        return candidate.mixed(self.predictions)


@dataclass(frozen=True)
class Scorer:
    """What predictions are held against.

    Attributes:
        target: Shape (n_train,).
        metric: The score.
        n_models: How many models' mean predicts a row of the test file.
        oofs: Out-of-fold predictions on the study's own folds, by part; (n_train,) or (n_train, n_classes) each.
    """

    target: FloatArray
    metric: Metric
    n_models: int
    oofs: Mapping[Part, FloatArray]

    def score(self, rows: NDArray[np.intp], prediction: FloatArray) -> float:
        """Scores a prediction of some training rows."""
        return float(self.metric.score(self.target[rows], prediction))

    def scores(self, candidate: Candidate, folds: Iterable[ScoredFold]) -> FloatArray:
        """Scores of a candidate out of fold, one a fold."""
        return np.array([self.score(fold.rows, fold.prediction(candidate)) for fold in folds], np.float64)

    def averaging(self, candidate: Candidate, folds: Iterable[ScoredFold]) -> FloatArray:
        """What the mean of `n_models` models scores more than one of them, one number a fresh fold.

        By the study's model and the fresh one of each row. The loss of a mean of m falls by 1 - 1/m of what it can
        fall at most; exactly so for squared errors.
        """
        share = (1 - 1 / self.n_models) / (1 - 1 / 2)
        return np.array([share * self._of_two(candidate, fold) for fold in folds], np.float64)

    def _of_two(self, candidate: Candidate, fold: ScoredFold) -> float:
        if self.n_models == 1:
            return 0.0
        own, fresh = self.own(candidate)[fold.rows], fold.prediction(candidate)
        if not np.isfinite(own).all():
            return 0.0
        alone = (self.score(fold.rows, own) + self.score(fold.rows, fresh)) / 2
        return self.score(fold.rows, (own + fresh) / 2) - alone

    def own(self, candidate: Candidate) -> FloatArray:
        """A candidate's out-of-fold prediction on the study's own folds."""
        return candidate.mixed(self.oofs)

    def gain(self, score: FloatArray, over: FloatArray) -> FloatArray:
        """How much better scores are than others; above 0 is better whichever way the metric goes."""
        return score - over if self.metric.greater_is_better else over - score


def parts_of(candidates: Iterable[Candidate]) -> list[Part]:
    """The parts of several candidates, each once, in their order."""
    return list(dict.fromkeys(part for candidate in candidates for part, _ in candidate.parts))


def folds_with(folds: Iterable[ScoredFold], candidates: Iterable[Candidate]) -> list[ScoredFold]:
    """The folds where all of some candidates can be compared."""
    parts = parts_of(candidates)
    return [fold for fold in folds if all(part in fold.predictions for part in parts)]


def own_folds(folds: Sequence[Fold], oofs: Mapping[Part, FloatArray]) -> list[ScoredFold]:
    """The study's own folds, from its kept out-of-fold predictions."""
    return [
        ScoredFold((0, k), fold.val_idx, {part: oof[fold.val_idx] for part, oof in oofs.items()})
        for k, fold in enumerate(folds)
    ]
