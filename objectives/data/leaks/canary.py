"""The canary: on a permuted target nothing can be learned, so whoever does better than chance has peeked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.folds import Fold

    Encode = Callable[[NDArray[np.intp], NDArray[np.intp], FloatArray], tuple[FloatArray, FloatArray]]

# One false alarm in about 30,000 permutations.
_SIGMAS = 4.0
_LEAST_SAID = 0.02
_MODEL = {
    "objective": "regression",
    "num_leaves": 7,
    "learning_rate": 0.2,
    "min_data_in_leaf": 10,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
_ROUNDS = 20


@dataclass(frozen=True)
class Canary:
    """What came of a permuted target.

    Attributes:
        correlation: Of the validation rows' predictions with their permuted target, mean over the folds.
        bound: What chance alone stays under.
    """

    correlation: float
    bound: float

    @property
    def alive(self) -> bool:
        """Whether the score was no better than chance."""
        return self.correlation <= self.bound

    @property
    def line(self) -> str:
        """The figures, for people."""
        verdict = "no better than chance" if self.alive else "better than chance: the encoder has seen them"
        return (
            f"permuted target: correlation {self.correlation:.3f} on validation rows, {verdict} "
            f"(at most {self.bound:.3f})"
        )


def canary(encode: Encode, target: FloatArray, folds: Sequence[Fold], *, seed: int) -> Canary:
    """Permutes the target, encodes in each fold, and fits a small model on what comes out.

    Args:
        encode: Of `(train_idx, val_idx, target)`, with the whole (permuted) target: the encoded training rows,
            shape (n_fold_train, n), and validation rows, shape (n_fold_val, n). One that looks only at the
            target of `train_idx` passes.
        target: Shape (n_train,): numbers, or class indices.
        folds: The study's own.
        seed: Fixes the permutation.
    """
    permuted = np.random.default_rng(seed).permutation(_ranks(target))
    found = [_fold_correlation(encode(*fold, permuted.copy()), permuted, fold) for fold in folds]
    rows = sum(len(fold.val_idx) for fold in folds)
    return Canary(float(np.mean(found)), max(float(_SIGMAS / np.sqrt(max(rows, 1))), _LEAST_SAID))


def _ranks(target: FloatArray) -> FloatArray:
    """Mean ranks, standardised: no outlier decides."""
    from scipy.stats import rankdata

    ranks = rankdata(target)
    return np.asarray((ranks - ranks.mean()) / max(float(ranks.std()), 1e-12), np.float64)


def _fold_correlation(encoded: tuple[FloatArray, FloatArray], target: FloatArray, fold: Fold) -> float:
    import lightgbm as lgb

    train, val = encoded
    rows = lgb.Dataset(np.asarray(train, np.float64), target[fold.train_idx], params={"verbosity": -1})
    booster = lgb.train(_MODEL, rows, num_boost_round=_ROUNDS)
    prediction = np.asarray(booster.predict(np.asarray(val, np.float64), num_threads=1))
    return correlation(prediction, target[fold.val_idx])


def correlation(a: FloatArray, b: FloatArray) -> float:
    """Pearson's, 0 where one side is constant."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / size) if size > 0 else 0.0
