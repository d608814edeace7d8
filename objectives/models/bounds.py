"""Configurations moved into a data set's space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution

    from objectives.base import Params


def inside(space: Mapping[str, BaseDistribution], params: Params) -> dict[str, Any]:
    """The configuration with each number between its bounds, which may be narrower on this data; a choice stays.

    Args:
        space: Every parameter.
        params: A value for each of them, and maybe for others, which are left out.
    """
    return {name: _moved(distribution, params[name]) for name, distribution in space.items()}


def _moved(distribution: BaseDistribution, value: Any) -> Any:
    bounds: Any = distribution
    return min(max(value, bounds.low), bounds.high) if hasattr(bounds, "low") else value
