"""How much better one candidate is than another, fold by fold, and how sure that is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from objectives.base import FloatArray


class Gain(NamedTuple):
    """A mean difference over the same folds; above 0 is better.

    Attributes:
        mean: On the metric's own scale.
        error: Standard error of the mean; infinite where there is one fold.
        folds: How many.
    """

    mean: float
    error: float
    folds: int

    @property
    def is_sure(self) -> bool:
        """Whether it is above 0 by more than one standard error."""
        return self.mean > self.error

    @property
    def known_error(self) -> float | None:
        """The error as JSON has it, which knows no infinity."""
        return self.error if math.isfinite(self.error) else None


def paired_gain(gains: FloatArray, folds_a_split: int) -> Gain:
    """The mean of paired differences with its error.

    Folds of one split validate different rows, but each further split validates the same rows again: it takes
    away what the split and the seed did, not what the rows did. So however many splits there are, no more folds
    than one split has count as independent; the usual error, over all folds, would be too sure of itself.

    Args:
        gains: One a fold, shape (n_folds,).
        folds_a_split: Folds of one whole split.
    """
    n = len(gains)
    if n < 2:  # noqa: PLR2004 - one difference has no spread
        return Gain(float(np.mean(gains)) if n else 0.0, math.inf, n)
    error = float(np.std(gains, ddof=1)) / math.sqrt(min(n, folds_a_split))
    return Gain(float(np.mean(gains)), error, n)
