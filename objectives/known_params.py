"""What an objective knows of its parameters beyond the space that it proposes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution


@dataclass(frozen=True)
class KnownParam:
    """One parameter that a user may search.

    Attributes:
        kind: Numbers, or one of several values.
        default: What a configuration without it amounts to; None: no telling.
        low: Smallest value that makes sense; None: any.
        high: Largest one; None: any.
        above: Whether `low` itself is too small.
        choices: All values of a choice.
    """

    kind: Literal["float", "int", "choice"]
    default: Any = None
    low: float | None = None
    high: float | None = None
    above: bool = False
    choices: tuple[Any, ...] = ()

    def allowed(self) -> str:
        """What its values may be, for people."""
        if self.kind == "choice":
            return ", ".join(repr(one) for one in self.choices)
        words = "whole numbers" if self.kind == "int" else "numbers"
        if self.low is not None:
            words += f" {'above' if self.above else 'from'} {self.low:g}"
        return words if self.high is None else f"{words} up to {self.high:g}"

    def takes(self, value: Any) -> bool:
        """Whether it may have a value."""
        if self.kind == "choice":
            return any(type(one) is type(value) and one == value for one in self.choices)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if self.kind == "int" and value != int(value):
            return False
        if self.low is not None and (value < self.low or (self.above and value == self.low)):
            return False
        return self.high is None or value <= self.high


@runtime_checkable
class KnowsParams(Protocol):
    """An objective that can say more of its parameters than its own space does."""

    def known_params(self) -> Mapping[str, KnownParam]:
        """Returns all parameters that may be searched, by name."""
        ...


def known_by_space(space: Mapping[str, BaseDistribution]) -> dict[str, KnownParam]:
    """What a space alone says: the kind of each parameter, and a choice's values."""
    return {name: _known(distribution) for name, distribution in space.items()}


def _known(distribution: BaseDistribution) -> KnownParam:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return KnownParam("choice", choices=tuple(distribution.choices))
    return KnownParam("int" if isinstance(distribution, IntDistribution) else "float")
