"""What a whole evaluation of a configuration costs, by what finished ones did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

ENOUGH_TO_FIT = 8
"""Complete trials from which parameters are believed to say something about cost."""
_RIDGE = 0.1
"""Weight of no dependence at all, about that of one trial: a parameter has to show that it costs."""


def full_seconds(trial: FrozenTrial) -> float | None:
    """Seconds of a complete trial's evaluation; None for any other."""
    if trial.state.name != "COMPLETE":
        return None
    metrics = trial.user_attrs.get("metrics")
    if isinstance(metrics, dict) and metrics.get("seconds"):
        return float(metrics["seconds"])
    return trial.duration.total_seconds() if trial.duration else None


class CostModel:
    """Predicts the seconds of a whole evaluation from its parameters.

    Ridge regression of the logarithm of the seconds on the parameters, each scaled to 0..1 as it is searched;
    before there are enough complete trials, their median.

    Args:
        trials: Complete trials; others are not looked at.
    """

    def __init__(self, trials: Sequence[FrozenTrial]) -> None:
        known = [(trial, seconds) for trial in trials if (seconds := full_seconds(trial)) is not None]
        # A space may have conditions, and may have been another: only what all of them had is compared.
        shared = set[str].intersection(*({*trial.params} for trial, _ in known)) if known else set()
        last = known[-1][0].distributions if known else {}
        self._space: Mapping[str, BaseDistribution] = {n: one for n, one in last.items() if n in shared}
        self._logs = np.log([seconds for _, seconds in known])
        self.median = float(np.exp(np.median(self._logs))) if known else float("nan")
        self._weights: NDArray[np.float64] | None = None
        if len(known) >= ENOUGH_TO_FIT:
            self._fit(np.array([self._scaled(trial.params) for trial, _ in known]))

    def predict(self, params: Mapping[str, Any]) -> float:
        """Seconds; NaN if nothing is known."""
        if self._weights is None or not self._space.keys() <= params.keys():
            return self.median
        log = self._logs.mean() + (self._scaled(params) - self._centre) @ self._weights
        # Not beyond what has been seen by much: a straight line has no end.
        return float(np.exp(np.clip(log, self._logs.min() - np.log(2), self._logs.max() + np.log(2))))

    def _fit(self, x: NDArray[np.float64]) -> None:
        self._centre = x.mean(axis=0)
        x = x - self._centre
        self._weights = np.linalg.solve(
            x.T @ x + _RIDGE * np.eye(x.shape[1]),
            x.T @ (self._logs - self._logs.mean()),
        )

    def _scaled(self, params: Mapping[str, Any]) -> NDArray[np.float64]:
        return np.concatenate([_scale(one, params[name]) for name, one in self._space.items()])


def _scale(distribution: BaseDistribution, value: Any) -> list[float]:
    """A number as its place between the bounds, a choice as one of several."""
    if isinstance(distribution, CategoricalDistribution):
        return [float(value == choice) for choice in distribution.choices]
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    if not isinstance(value, (int, float)):
        return [0.0]
    low, high, at = distribution.low, distribution.high, value
    if distribution.log:
        low, high, at = np.log([low, high, max(at, low / 10)])
    return [float((at - low) / (high - low)) if high > low else 0.0]
