"""What each metric computes, in plain numpy: called each round of boosting, on the validation rows.

All take the target, shape (n,), and the prediction, shape (n,) or (n, n_classes). Class predictions are
probabilities; where a metric wants labels, the likelier class is the predicted one. Sums are taken by
`np.add.reduce`, for `np.mean` alone takes longer than the rest of such a function.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.base import FloatArray

    Labels = NDArray[np.intp]

_TINY = 1e-15
_EPSILON = float(np.finfo(np.float64).eps)
_EVEN_ODDS = 0.5


def rmse(y: FloatArray, p: FloatArray) -> float:
    """Root of the mean squared error."""
    return math.sqrt(np.add.reduce(np.square(y - p)) / y.size)


def mae(y: FloatArray, p: FloatArray) -> float:
    """Mean absolute error."""
    return float(np.add.reduce(np.abs(y - p)) / y.size)


def medae(y: FloatArray, p: FloatArray) -> float:
    """Median absolute error."""
    return float(np.median(np.abs(y - p)))


def mape(y: FloatArray, p: FloatArray) -> float:
    """In percent, as competitions print it; a zero target counts through its smallest step."""
    return float(100 * np.add.reduce(np.abs(y - p) / np.maximum(np.abs(y), _EPSILON)) / y.size)


def smape(y: FloatArray, p: FloatArray) -> float:
    """In percent, from 0 to 200: the error over the mean of both sizes; 0 where both are zero."""
    size = np.abs(y) + np.abs(p)
    return float(200 * np.add.reduce(np.abs(y - p) / np.where(size > 0, size, 1.0)) / y.size)


def rmsle(y: FloatArray, p: FloatArray) -> float:
    """RMSE of log(1 + value); a prediction below zero counts as zero."""
    return rmse(np.log1p(np.maximum(y, 0)), np.log1p(np.maximum(p, 0)))


def r2(y: FloatArray, p: FloatArray) -> float:
    """Share of the variance explained; a constant target is explained by itself alone."""
    error = float(np.add.reduce(np.square(y - p)))
    total = float(np.add.reduce(np.square(y - np.add.reduce(y) / y.size)))
    if total == 0:
        return 1.0 if error == 0 else 0.0
    return 1 - error / total


def logloss(y: FloatArray, p: FloatArray) -> float:
    """Mean of minus the log of the true class's probability."""
    p = np.clip(p, _TINY, 1 - _TINY)
    return float(-np.add.reduce(np.where(y == 1, np.log(p), np.log1p(-p))) / y.size)


def auc(y: FloatArray, p: FloatArray) -> float:
    """Area under the ROC curve; NaN where only one class is there."""
    hits, rows = _ranking(y, p)
    n_positive = hits[-1]
    n_negative = rows[-1] - n_positive
    if n_positive == 0 or n_negative == 0:
        return math.nan
    # Trapezoids over the false positives, so that ties count half.
    missed = rows - hits
    width = np.diff(missed, prepend=0.0)
    height = hits - np.diff(hits, prepend=0.0) / 2
    return float(np.add.reduce(width * height) / (n_positive * n_negative))


def average_precision(y: FloatArray, p: FloatArray) -> float:
    """Precision at each threshold, weighted by the recall it adds; 0 where no row is positive."""
    hits, rows = _ranking(y, p)
    if hits[-1] == 0:
        return 0.0
    return float(np.add.reduce(np.diff(hits, prepend=0.0) * hits / rows) / hits[-1])


def _ranking(y: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Positives and rows from the highest score down to each different score."""
    order = np.argsort(p)[::-1]
    ranked = p[order]
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), y.size - 1)
    return np.cumsum(y[order] == 1, dtype=np.float64)[last], last + 1.0


def f1(y: FloatArray, p: FloatArray) -> float:
    """F1 of the second class, predicted where its probability is above one half; 0 where nothing is."""
    predicted, positive = p > _EVEN_ODDS, y == 1
    size = np.count_nonzero(predicted) + np.count_nonzero(positive)
    return 2 * np.count_nonzero(predicted & positive) / size if size else 0.0


def accuracy(y: FloatArray, p: FloatArray) -> float:
    """Share of rows whose class is predicted."""
    return float(np.count_nonzero(_labels(p) == y) / y.size)


def multi_logloss(y: FloatArray, p: FloatArray) -> float:
    """Mean of minus the log of the true class's probability."""
    true_class = p[np.arange(y.size), y.astype(np.intp)]
    return float(-np.add.reduce(np.log(np.clip(true_class, _TINY, 1))) / y.size)


def macro_f1(y: FloatArray, p: FloatArray) -> float:
    """Mean of the classes' F1; a class that is neither there nor predicted does not count."""
    table = _confusion(y, p)
    size = table.sum(axis=0) + table.sum(axis=1)
    there = size > 0
    return float(np.mean(2 * np.diag(table)[there] / size[there]))


def quadratic_kappa(y: FloatArray, p: FloatArray) -> float:
    """Cohen's kappa with quadratic weights, the classes in their order; 1 where all is one class."""
    table = _confusion(y, p)
    steps = np.arange(len(table), dtype=np.float64)
    cost = np.square(steps[:, None] - steps)
    chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / y.size
    expected = float((cost * chance).sum())
    return 1 - float((cost * table).sum()) / expected if expected else 1.0


def _labels(p: FloatArray) -> Labels:
    return p.argmax(axis=1) if p.ndim > 1 else (p > _EVEN_ODDS).astype(np.intp)


def _confusion(y: FloatArray, p: FloatArray) -> FloatArray:
    """Rows of each true class, by predicted class; shape (n_classes, n_classes)."""
    n_classes = p.shape[1] if p.ndim > 1 else 2
    cells = np.bincount(y.astype(np.intp) * n_classes + _labels(p), minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes).astype(np.float64)
