"""The calendar of a date, beside its place in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from objectives.data.features.values import as_moments

if TYPE_CHECKING:
    import pandas as pd

    from objectives.base import FloatArray

CALENDAR = {"year": "year", "month": "month", "weekday": "day_of_week"}
_TWO = 2


@dataclass(frozen=True)
class DateParts:
    """Year, month from 1, weekday from Monday as 0: those of them that vary in training."""

    name: str
    parts: tuple[str, ...]
    kind: Literal["date_parts"] = "date_parts"

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw column."""
        return (self.name,)

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in order."""
        return tuple(f"{self.name}.{part}" for part in self.parts)

    def encode(self, values: pd.Series) -> FloatArray:
        """Shape (n, parts)."""
        moments = as_moments(values)
        return np.column_stack(
            [_calendar(moments, part).to_numpy(np.float64, na_value=np.nan) for part in self.parts]
        )


def varying_parts(values: pd.Series) -> tuple[str, ...]:
    """The parts of the calendar that have at least two values."""
    moments = as_moments(values).dropna()
    return tuple(part for part in CALENDAR if len(_calendar(moments, part).unique()) >= _TWO)


def _calendar(moments: pd.Series, part: str) -> pd.Series:
    """One part of the calendar, by its name here; pandas has changed its own."""
    values: pd.Series = getattr(moments.dt, CALENDAR[part])
    return values
