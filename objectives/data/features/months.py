"""Months written as one whole number, such as 202404."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from objectives.data.features.values import as_numbers

if TYPE_CHECKING:
    import pandas as pd

    from objectives.base import FloatArray

_FIRST_YEAR, _LAST_YEAR = 1850, 2150
_ORIGIN = 1970
_YEAR = 12


@dataclass(frozen=True)
class Months:
    """Two features of a yyyymm column: months since 1970-01, and the month of the year from 1.

    Month 00, which some files write for "unknown", keeps its year; anything else that is no month is missing.
    """

    name: str
    kind: Literal["months"] = "months"

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw column."""
        return (self.name,)

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in order."""
        return (self.name, f"{self.name}.month")

    def encode(self, values: pd.Series) -> FloatArray:
        """Shape (n, 2)."""
        numbers = as_numbers(values)
        year, month = np.divmod(np.where(could_be_months(numbers), numbers, np.nan), 100)
        since = (year - _ORIGIN) * _YEAR + np.maximum(month - 1, 0)
        return np.column_stack([since, np.where(month > 0, month, np.nan)])


def could_be_months(numbers: FloatArray) -> FloatArray:
    """Whether each number reads as yyyymm, month 00 included; a missing one does not. Shape (n,), of bool."""
    with np.errstate(invalid="ignore"):
        year, month = np.divmod(numbers, 100)
        return np.asarray((year >= _FIRST_YEAR) & (year <= _LAST_YEAR) & np.isin(month, np.arange(_YEAR + 1)))
