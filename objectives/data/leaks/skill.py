"""How well one column alone tells the target on rows it was not fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.base import FloatArray

    Codes = NDArray[np.intp]

_ROWS_PER_BIN = 10
_FEWEST_SEEN, _LEAST_SEEN = 100, 0.2
_FEWEST_BINS, _MOST_BINS = 5, 200


def bins(values: FloatArray) -> Codes:
    """Each value's bin, shape (n,), from 0: about equally many rows in each, missing values in one of their own."""
    known = np.isfinite(values)
    n_known = int(known.sum())
    count = int(np.clip(n_known // _ROWS_PER_BIN, _FEWEST_BINS, _MOST_BINS))
    codes = np.zeros(len(values), np.intp)
    if n_known:
        edges = np.unique(np.sort(values[known])[(np.arange(1, count) * n_known) // count])
        codes[known] = 1 + np.searchsorted(edges, values[known], side="right")
    return codes


def levels(values: FloatArray) -> Codes:
    """Each category's code, shape (n,), from 0: missing is one of them."""
    return np.where(np.isfinite(values), values + 1, 0).astype(np.intp)


def skill(codes: Codes, signals: FloatArray, first: NDArray[np.bool_]) -> FloatArray:
    """Explained variance of each signal on the half that was held out, shape (n_signals,); chance is about 0.

    Args:
        codes: Bin of each row, shape (n,).
        signals: Shape (n, n_signals).
        first: Which rows are the first half, shape (n,).
    """
    size = int(codes.max(initial=0)) + 1
    error, total = np.zeros(signals.shape[1]), np.zeros(signals.shape[1])
    for fit in (first, ~first):
        fitted = codes[fit]
        counts = np.bincount(fitted, minlength=size)
        asked = _asked(codes, ~fit, counts)
        for k, (known, rest) in enumerate(zip(signals[fit].T, signals[asked].T, strict=True)):
            mean = float(known.mean()) if len(known) else 0.0
            sums = np.bincount(fitted, known, minlength=size)
            table = np.where(counts > 0, sums / np.maximum(counts, 1), mean)
            error[k] += ((rest - table[codes[asked]]) ** 2).sum()
            total[k] += ((rest - mean) ** 2).sum()
    return np.where(total > 0, 1 - error / np.maximum(total, 1e-300), 0.0)


def _asked(codes: Codes, held_out: NDArray[np.bool_], counts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """The held-out rows whose code the other half has, if they are enough to tell; else all of them."""
    seen = held_out & (counts[codes] > 0)
    enough = seen.sum() >= max(_FEWEST_SEEN, _LEAST_SEEN * held_out.sum())
    return seen if enough else held_out
