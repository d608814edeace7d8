"""A parameter's values on an axis: logarithms where they are searched so, choices side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.results.charts.chart import plain, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Scale:
    """How one parameter's values become positions.

    Attributes:
        name: The parameter's.
        choices: Its values as text where they are choices; empty for numbers.
        low: The smallest number met.
        high: The largest.
        is_log: Whether it is searched by its logarithm.
    """

    name: str
    choices: tuple[str, ...]
    low: float
    high: float
    is_log: bool

    def position(self, value: Any) -> float:
        """Between 0 and 1."""
        if self.choices:
            return (self.choices.index(str(value)) + 0.5) / len(self.choices)
        low, high, own = (self._mapped(one) for one in (self.low, self.high, float(value)))
        return (own - low) / (high - low) if high > low else 0.5

    def ends(self) -> tuple[str, str]:
        """What stands at its two ends."""
        if self.choices:
            return plain(self.choices[0]), plain(self.choices[-1])
        return value_text(self.low), value_text(self.high)

    def axis(self) -> dict[str, Any]:
        """Plotly's axis for it."""
        if self.choices:
            return {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": [plain(one) for one in self.choices],
            }
        return {"type": "log" if self.is_log else "linear", "nticks": 5, "exponentformat": "power"}

    def shown(self, value: Any) -> Any:
        """A value as Plotly takes it on that axis."""
        return plain(value) if self.choices else float(f"{float(value):.6g}")

    def _mapped(self, value: float) -> float:
        return math.log(value) if self.is_log else value


def scale_of(name: str, trials: Sequence[FrozenTrial]) -> Scale:
    """The scale of a parameter that each of some trials has."""
    distributions = [trial.distributions[name] for trial in trials]
    values = [trial.params[name] for trial in trials]
    is_number = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    if not is_number or any(hasattr(one, "choices") for one in distributions):
        known = [str(c) for one in distributions for c in getattr(one, "choices", ())] + [
            str(v) for v in values
        ]
        return Scale(name, tuple(dict.fromkeys(known)), 0.0, 0.0, is_log=False)
    is_log = all(getattr(one, "log", False) for one in distributions) and min(values) > 0
    return Scale(name, (), min(values), max(values), is_log)
