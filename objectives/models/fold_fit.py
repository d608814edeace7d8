"""What is left of each fold's fit, and the result that they make together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from objectives.base import CVResult
from objectives.data.split.out_of_fold import OutOfFold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from objectives.base import FloatArray
    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold


@dataclass(frozen=True)
class FoldFit:
    """One fold's, cut back to its best round.

    Attributes:
        model: As it is saved.
        rounds: It has so many.
        score: The metric on the validation rows.
        val_prediction: Of the validation rows, shape (n_val,) or (n_val, n_classes).
        test_prediction: Of the test rows, shape (n_test,) or (n_test, n_classes).
        importance: Of each feature, in any unit, shape (n_features,).
        transform: What turns the model's output into a prediction, as text.
    """

    model: str | bytes
    rounds: int
    score: float
    val_prediction: FloatArray
    test_prediction: FloatArray
    importance: FloatArray
    transform: str


def result_of(
    dataset: Dataset,
    folds: Sequence[Fold],
    fits: Sequence[FoldFit],
    kept: Sequence[FoldFit],
    *,
    is_transformed: bool,
) -> CVResult:
    """What the folds' fits scored, and what the kept ones predict.

    Args:
        dataset: What they are of.
        folds: One for each of `fits`.
        fits: Those that are scored; none where all rows are fitted.
        kept: Those whose mean predicts the test rows: the same, or models of all rows.
        is_transformed: Whether the models' outputs have to be turned into predictions.
    """
    columns = (len(dataset.classes),) if dataset.task == "multiclass" else ()
    oof = OutOfFold((len(dataset.target), *columns))
    for fold, fit in zip(folds, fits, strict=True):
        oof.add(fold.val_idx, fit.val_prediction)
    test = np.zeros((len(dataset.test), *columns))
    for fit in kept:
        test += fit.test_prediction / len(kept)
    return CVResult(
        scores=tuple(fit.score for fit in fits),
        oof_prediction=oof.mean(),
        test_prediction=test,
        best_iterations=tuple(fit.rounds for fit in fits),
        importance=_shares([fit.importance for fit in fits or kept]),
        models=tuple(fit.model for fit in kept),
        transforms=tuple(fit.transform for fit in kept) if is_transformed else (),
    )


def _shares(importances: Sequence[FloatArray]) -> FloatArray:
    total = np.sum(importances, axis=0)
    whole = float(total.sum())
    return total / whole if np.isfinite(whole) and whole > 0 else np.zeros_like(total, dtype=np.float64)
