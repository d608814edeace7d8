"""What can be wrong with a result that came back without an error, as from an objective of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.base import CVResult
from objectives.data.split.expanding import last_fit
from objectives.data.split.out_of_fold import validated_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold


def class_fault(result: Any) -> str | None:
    """Says what else than a result it is; None if it is one."""
    if isinstance(result, CVResult):
        return None
    return f"TypeError: evaluate returned {type(result).__name__}, not CVResult"


def score_fault(result: Any) -> str | None:
    """Says what is wrong with a result's class or scores; None if nothing is."""
    if (fault := class_fault(result)) is not None:
        return fault
    try:
        scores = np.asarray(result.scores, np.float64)
    except (TypeError, ValueError):
        return f"TypeError: the scores are {result.scores!r}, not numbers"
    if scores.ndim != 1 or not len(scores):
        return f"ValueError: the scores have the shape {scores.shape}, not one number for each fold"
    if not np.isfinite(scores).all():
        return f"FloatingPointError: the score is not finite in every fold: {scores.tolist()}"
    return None


def whole_fault(dataset: Dataset, result: Any, models: int) -> str | None:
    """Says what is wrong with a result of so many models of all rows; None if nothing is."""
    if (fault := class_fault(result)) is not None:
        return fault
    if len(result.models) != models or not all(isinstance(model, (str, bytes)) for model in result.models):
        return f"ValueError: the models are not {models}, each text or bytes"
    return _test_fault(dataset, result)


def result_fault(dataset: Dataset, folds: tuple[Fold, ...], result: Any) -> str | None:
    """Says what is wrong with a result of a data set; None if nothing is.

    Args:
        dataset: The data.
        folds: Of the study.
        result: What an objective returned.
    """
    fault = score_fault(result)
    if fault is not None:
        return fault
    n_train = len(dataset.target)
    return (
        _length_fault(result, len(folds), 1 if last_fit(folds, n_train) else len(folds))
        or _prediction_fault(
            "out-of-fold",
            result.oof_prediction,
            (n_train, *_columns(dataset)),
            validated_rows(folds, n_train),
        )
        or _test_fault(dataset, result)
    )


def _test_fault(dataset: Dataset, result: CVResult) -> str | None:
    n_test = len(dataset.test)
    shape = (n_test, *_columns(dataset))
    return _prediction_fault("test", result.test_prediction, shape, np.ones(n_test, np.bool_))


def _columns(dataset: Dataset) -> tuple[int, ...]:
    return (len(dataset.classes),) if dataset.task == "multiclass" else ()


def _length_fault(result: CVResult, n_folds: int, n_models: int) -> str | None:
    for name in ("scores", "best_iterations", "models", "transforms"):
        # A worker keeps the models to itself where nobody wants them.
        if len(getattr(result, name)) not in (
            {0, n_models} if name in ("models", "transforms") else {n_folds}
        ):
            return f"ValueError: {name} has {len(getattr(result, name))} entries for {n_folds} folds"
    if not all(isinstance(model, (str, bytes)) for model in result.models):
        return "TypeError: the models are not all text or bytes"
    return None


def _prediction_fault(
    name: str, prediction: Any, shape: tuple[int, ...], is_predicted: NDArray[np.bool_]
) -> str | None:
    array = np.asarray(prediction)
    if array.shape != shape:
        return f"ValueError: the {name} prediction has the shape {array.shape}, not {shape}"
    if array.dtype.kind not in "fiu":
        return f"TypeError: the {name} prediction is of type {array.dtype}, not of numbers"
    predicted = array[is_predicted]
    bad = int(predicted.size - np.isfinite(predicted).sum())
    if bad:
        return f"FloatingPointError: the {name} prediction has {bad:,} values that are not finite"
    if not np.isnan(array[~is_predicted]).all():
        return f"ValueError: the {name} prediction has values for rows that no fold validates; allowed: NaN"
    return None
