"""Ridge regression by its normal equations: block by block, whatever the number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.models.encodings.design import Design
    from objectives.models.watch import Watch

_HARDLY = 1e-9
_PENALTIES = (0.1, 1.0, 10.0, 100.0)
_PARTS = 3
_PASSES = 6
_LEAST_RESIDUAL = 1e-3
"""In standard deviations of the labels: a residual below counts as one of that size."""


class Sought(NamedTuple):
    """What is fitted.

    Attributes:
        rows: Shape (n, n_features).
        labels: Shape (n,).
        weights: Shape (n,).
        parts: Of the rows, each of which is held out in turn to choose the penalty, shape (n,).
        penalty: By what the best penalty for them is multiplied.
    """

    rows: FloatArray
    labels: FloatArray
    weights: FloatArray
    parts: NDArray[np.int64]
    penalty: float


@dataclass
class _Moments:
    """Sums over some rows that least squares need.

    Attributes:
        gram: Products of the columns, the last of which is 1. Shape (columns + 1, columns + 1).
        moment: Products with the labels, shape (columns + 1,).
    """

    gram: FloatArray
    moment: FloatArray

    def add(self, full: FloatArray, labels: FloatArray, weights: FloatArray) -> None:
        """Adds rows."""
        weighted = full * weights[:, None]
        self.gram += weighted.T @ full
        self.moment += weighted.T @ labels

    def solve(self, alpha: float) -> FloatArray:
        """Coefficients, the last of which is the intercept: it has next to no penalty."""
        from scipy.linalg import solve

        penalty = np.full(len(self.moment), alpha)
        penalty[-1] = _HARDLY * float(self.gram[-1, -1])
        return np.asarray(solve(self.gram + np.diag(penalty), self.moment, assume_a="pos"))

    def loss(self, coefficients: FloatArray) -> float:
        """Squared residuals, but for a constant."""
        return float(coefficients @ self.gram @ coefficients - 2 * coefficients @ self.moment)


def fit_ridge(design: Design, sought: Sought) -> tuple[FloatArray, float]:
    """Least squares with the penalty on the coefficients' squares that is best for the rows held out.

    Returns:
        Coefficients, shape (columns,), and the intercept.
    """
    n_columns = design.n_columns + 1
    each = [_Moments(np.zeros((n_columns, n_columns)), np.zeros(n_columns)) for _ in range(_PARTS)]
    parts = np.unique(sought.parts, return_inverse=True)[1] % _PARTS
    for where, block in design.blocks(sought.rows):
        full = np.hstack([block, np.ones((len(block), 1))])
        for k, moments in enumerate(each):
            mine = parts[where] == k
            moments.add(full[mine], sought.labels[where][mine], sought.weights[where][mine])
    whole = _Moments(np.sum([one.gram for one in each], axis=0), np.sum([one.moment for one in each], axis=0))
    unit = float(sought.weights.mean())
    best = min(_PENALTIES, key=lambda alpha: sum(_held_out(one, whole, alpha * unit) for one in each))
    coefficients = whole.solve(best * unit * sought.penalty)
    return coefficients[:-1], float(coefficients[-1])


def _held_out(part: _Moments, whole: _Moments, alpha: float) -> float:
    """Squared residuals of a part, but for a constant, where all others are fitted."""
    others = _Moments(whole.gram - part.gram, whole.moment - part.moment)
    return part.loss(others.solve(alpha))


def fit_quantile(design: Design, sought: Sought, share: float, watch: Watch) -> tuple[FloatArray, float]:
    """The same for absolute residuals, by least squares again and again, each weighted by the last residuals.

    Args:
        design: Encodes the rows.
        sought: What is fitted.
        share: Of the rows that shall lie below; 0.5 for the median.
        watch: Asked for a stop before each pass.
    """
    labels = sought.labels
    least = _LEAST_RESIDUAL * float(labels.std()) or 1.0
    spread = float(np.abs(labels - np.median(labels)).mean()) or 1.0
    weights = sought.weights
    for _ in range(_PASSES):
        watch.check()
        coefficients, intercept = fit_ridge(design, sought._replace(weights=weights))
        made = apply_linear(design, sought.rows, coefficients[:, None], np.array([intercept]))
        residual = labels - made[:, 0]
        side = np.where(residual > 0, share, 1 - share)
        weights = sought.weights * side * spread / np.maximum(np.abs(residual), least)
    return coefficients, intercept


def apply_linear(
    design: Design, rows: FloatArray, coefficients: FloatArray, intercepts: FloatArray
) -> FloatArray:
    """Linear functions of encoded rows, shape (n, outputs).

    Args:
        design: Encodes the rows.
        rows: Shape (n, n_features).
        coefficients: Shape (columns, outputs).
        intercepts: Shape (outputs,).
    """
    made = np.empty((len(rows), len(intercepts)))
    for where, block in design.blocks(rows):
        made[where] = block @ coefficients + intercepts
    return made
