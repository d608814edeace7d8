"""What becomes of a trial, by what became of others that stood where it stands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PRIOR_TRIALS = 4
"""Trials that a slope of 1 counts as: where little is known, who is ahead by so much ends ahead by so much."""
FEWEST = 16
"""Trials that a forecast is made from where there are more: the better half, which is what it is about."""


class Forecast(NamedTuple):
    """A line from a trial's standing at one step of the ladder to its final score; lower is better.

    Attributes:
        standing: Mean of the standings that it was made from.
        final: Mean of their final scores.
        slope: Of the line.
        variance: Of the final scores around it.
        n: Trials that it was made from.
        spread: Sum of the squared distances of the standings from their mean.
    """

    standing: float
    final: float
    slope: float
    variance: float
    n: int
    spread: float

    def best(self, standing: float, doubt: float) -> float:
        """The final score that a trial standing there beats with a probability of `doubt` only."""
        from scipy.special import stdtrit

        away = standing - self.standing
        distance = away**2 / self.spread if self.spread > 0 else 1.0
        deviation = math.sqrt(self.variance * (1 + 1 / self.n + distance))
        return self.final + self.slope * away + float(stdtrit(self.n - 2, doubt)) * deviation


def forecast(standings: Sequence[float], finals: Sequence[float]) -> Forecast | None:
    """Fits the line through finished trials; None for fewer than three of them.

    Args:
        standings: At one step; lower is better.
        finals: Final scores of the same trials.
    """
    x, y = _better_half(np.array(standings), np.array(finals))
    if len(x) < 3:  # noqa: PLR2004 - a line and what is left over
        return None
    dx = x - x.mean()
    seen = float(dx @ dx)
    prior = PRIOR_TRIALS * seen / len(x)
    slope = (float(dx @ (y - y.mean())) + prior) / (seen + prior) if seen > 0 else 1.0
    rest = y - y.mean() - slope * dx
    return Forecast(
        float(x.mean()), float(y.mean()), slope, float(rest @ rest) / (len(x) - 2), len(x), seen + prior
    )


def _better_half(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By final score; one that diverged would bend the line for all."""
    best = np.argsort(y, kind="stable")[: max(FEWEST, len(y) // 2)]
    return x[best], y[best]
