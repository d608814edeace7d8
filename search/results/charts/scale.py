"""A parameter's values on an axis: logarithms where they are searched so, choices side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.results.charts.chart import plain, shortened, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import FrozenTrial

_FEW_DECADES = 1.6
_MOST_TICKS = 6
_FEW_CHOICES = 4


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
            return self.choices.index(str(value)) / max(1, len(self.choices) - 1)
        low, high, own = (self._mapped(one) for one in (self.low, self.high, float(value)))
        return (own - low) / (high - low) if high > low else 0.5

    def marks(self) -> list[tuple[float, str]]:
        """What stands along it, at which positions: a few choices, or its ends."""
        if self.choices:
            some = self.choices if len(self.choices) <= _FEW_CHOICES else (self.choices[0], self.choices[-1])
            return [(self.position(one), plain(shortened(one, 14))) for one in some]
        return [(0.0, value_text(self.low)), (1.0, value_text(self.high))]

    def axis(self) -> dict[str, Any]:
        """Plotly's axis for it."""
        if self.choices:
            return {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": [plain(one) for one in self.choices],
            }
        if not self.is_log:
            return {"type": "linear", "nticks": 5}
        ticks = self._ticks()
        return {"type": "log", "tickvals": ticks, "ticktext": [value_text(tick) for tick in ticks]}

    def shown(self, value: Any) -> Any:
        """A value as Plotly takes it on that axis."""
        return plain(value) if self.choices else float(f"{float(value):.6g}")

    def _ticks(self) -> list[float]:
        """Powers of ten; fewer where these are many, more between them where they are few."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        if math.log10(self.high / self.low) > _FEW_DECADES:
            every = -(-(last - first) // _MOST_TICKS)
            ticks = [10.0**k for k in range(first, last + 1, every)]
        else:
            ticks = [m * 10.0**k for k in range(first, last + 1) for m in (1, 2, 5)]
        return [tick for tick in ticks if self.low <= tick * 1.0001 and tick <= self.high * 1.0001]

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
