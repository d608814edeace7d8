"""How blends of fixed parts score: asked for thousands of times, so that each metric gets the shortest way.

What counts is the mean over the folds of the metric, as for a trial, turned so that less is better. Three ways
lead there. Where the metric is a square, the parts' residuals are multiplied with each other once, and rows are
never looked at again. Where it is a mean over rows, one number a row and part is enough, also for 26 classes. For
any other the metric itself is called, on a sample of the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from search.config import BLEND_ROWS, BLEND_ROWS_ANY_METRIC, BLEND_ROWS_OWN_METRIC

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.metrics import Metric

    Rows = Sequence[NDArray[np.intp]]

_TINY = 1e-15
_EPSILON = float(np.finfo(np.float64).eps)


class BlendLoss(Protocol):
    """Scores blends of parts that are known by their index.

    Attributes:
        is_slow: Whether a blend costs as much as a call of the metric.
    """

    is_slow: bool

    def with_one_more(self, counts: NDArray[np.intp], candidates: Sequence[int]) -> FloatArray:
        """Losses of the blends that `counts`, shape (n_parts,), and one more of each candidate make."""
        ...


def blend_loss(
    oofs: Sequence[FloatArray], target: FloatArray, metric: Metric, rows: Rows, rng: np.random.Generator
) -> BlendLoss:
    """Prepares the scoring of blends.

    Args:
        oofs: Out-of-fold predictions of the parts, each (n_train,) or (n_train, n_classes).
        target: The target, shape (n_train,).
        metric: The score.
        rows: Of each fold, the rows it validates; their predictions are finite.
        rng: Draws the rows that are looked at, where there are too many.
    """
    if metric.source is None and metric.name in {"rmse", "r2"}:
        return _Squares(oofs, target, rows, as_share=metric.name == "r2")
    if metric.source is None and metric.name in _ROW_BY_ROW:
        return _RowMeans(oofs, target, _sampled(rows, BLEND_ROWS, rng), metric.name)
    most = BLEND_ROWS_ANY_METRIC if metric.source is None else BLEND_ROWS_OWN_METRIC
    return _AnyMetric(oofs, target, metric, _sampled(rows, most, rng))


def _sampled(rows: Rows, most: int, rng: np.random.Generator) -> Rows:
    share = most / sum(map(len, rows))
    if share >= 1:
        return rows
    return [rng.choice(some, max(1, int(share * len(some))), replace=False) for some in rows]


class _Squares:
    """RMSE and R²: quadratic in the weights, so products of residuals are all there is to know."""

    is_slow = False

    def __init__(self, oofs: Sequence[FloatArray], target: FloatArray, rows: Rows, *, as_share: bool) -> None:
        self._as_share = as_share
        self._products = np.stack([_products(oofs, target, some, as_share=as_share) for some in rows])

    def with_one_more(self, counts: NDArray[np.intp], candidates: Sequence[int]) -> FloatArray:
        some = list(candidates)
        along = self._products @ counts
        own = self._products[:, some, some]
        sums = (along @ counts)[:, None] + 2 * along[:, some] + own
        squares = np.maximum(sums, 0) / (counts.sum() + 1) ** 2
        losses: FloatArray = np.mean(squares - 1 if self._as_share else np.sqrt(squares), axis=0)
        return losses


def _products(
    oofs: Sequence[FloatArray], target: FloatArray, rows: NDArray[np.intp], *, as_share: bool
) -> FloatArray:
    residuals = np.stack([oof[rows] - target[rows] for oof in oofs])
    scale = float(np.var(target[rows])) if as_share else 1.0
    products: FloatArray = residuals @ residuals.T / (len(rows) * (scale or 1.0))
    return products


_ROW_BY_ROW: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "mae": lambda p, y: p - y,
    "mape": lambda p, y: 100 * (p - y) / np.maximum(np.abs(y), _EPSILON),
    "logloss": lambda p, y: np.where(y == 1, p, 1 - p),
    "multi_logloss": lambda p, y: p[np.arange(len(y)), y.astype(np.intp)],
}
"""What a blend is the mean of, row by row: the error, or the probability of the true class."""


class _RowMeans:
    """A mean over rows of the size, or of the log, of something that blends as the predictions do."""

    is_slow = False

    def __init__(self, oofs: Sequence[FloatArray], target: FloatArray, rows: Rows, metric: str) -> None:
        self._is_log = metric.endswith("logloss")
        taken, y = np.concatenate(rows), target[np.concatenate(rows)]
        self._values = np.stack([_ROW_BY_ROW[metric](oof[taken], y) for oof in oofs])
        self._weights = np.concatenate([np.full(len(some), 1 / len(some) / len(rows)) for some in rows])

    def with_one_more(self, counts: NDArray[np.intp], candidates: Sequence[int]) -> FloatArray:
        used = np.flatnonzero(counts)
        total = counts[used] @ self._values[used]
        values = self._values[list(candidates)]
        values += total
        values /= counts.sum() + 1
        if not self._is_log:
            losses: FloatArray = np.abs(values, out=values) @ self._weights
            return losses
        np.clip(values, _TINY, 1, out=values)
        logs: FloatArray = np.log(values, out=values) @ self._weights
        return -logs


class _AnyMetric:
    """Whatever the metric is, it is called on each fold."""

    is_slow = True

    def __init__(self, oofs: Sequence[FloatArray], target: FloatArray, metric: Metric, rows: Rows) -> None:
        taken = np.concatenate(rows)
        self._oofs = [oof[taken] for oof in oofs]
        self._target = target[taken]
        self._metric = metric
        ends = np.cumsum([len(some) for some in rows])
        self._folds = [slice(end - len(some), end) for end, some in zip(ends, rows, strict=True)]

    def with_one_more(self, counts: NDArray[np.intp], candidates: Sequence[int]) -> FloatArray:
        total = np.zeros_like(self._oofs[0])
        for k in np.flatnonzero(counts):
            total += counts[k] * self._oofs[k]
        size = counts.sum() + 1
        return np.array([self._loss((total + self._oofs[k]) / size) for k in candidates])

    def _loss(self, blend: FloatArray) -> float:
        scores = [self._metric.score(self._target[fold], blend[fold]) for fold in self._folds]
        known = [score for score in scores if np.isfinite(score)]
        if not known:
            return np.inf
        return float(-np.mean(known) if self._metric.greater_is_better else np.mean(known))
