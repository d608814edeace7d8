"""Numbers as people write them: with thousands, money, percent, full-width digits or a decimal comma."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from objectives.base import FloatArray

Decimal = Literal["point", "comma"]
_MONEY = "[¥$€£]"
# Thousands are grouped from the second group on; 0,123 is a fraction with a decimal comma.
_WRITTEN: dict[Decimal, re.Pattern[str]] = {
    "point": re.compile(
        rf"([-+]?){_MONEY}? ?([-+]?)([1-9]\d{{0,2}}(?:,\d{{3}})+|\d+)?(\.\d+|\.)?(e[-+]?\d+)? ?(円|%|{_MONEY})?",
        re.ASCII | re.IGNORECASE,
    ),
    "comma": re.compile(
        rf"([-+]?){_MONEY}? ?([-+]?)([1-9]\d{{0,2}}(?:\.\d{{3}})+|\d+)?(,\d+)?(e[-+]?\d+)? ?(円|%|{_MONEY})?",
        re.ASCII | re.IGNORECASE,
    ),
}
# Accountants' minus, and the typographers'.
_MINUS = str.maketrans(dict.fromkeys("▲△−‒–", "-"))  # noqa: RUF001 - the very characters in question


@dataclass(frozen=True)
class Written:
    """A feature of numbers written for people.

    Attributes:
        name: The column.
        decimal: What stands before the fraction; the other of point and comma groups thousands.
        kind: For the encoder's JSON.
    """

    name: str
    decimal: Decimal = "point"
    kind: Literal["written_number"] = "written_number"

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw column."""
        return (self.name,)

    @property
    def names(self) -> tuple[str, ...]:
        """The feature's name."""
        return (self.name,)

    def encode(self, values: pd.Series) -> FloatArray:
        """Turns raw values into floats, shape (n,); what cannot be read is missing (NaN)."""
        return read_written(values, self.decimal)


def find_written(known: pd.Series) -> Decimal | None:
    """How the numbers of a text column are written, if all its known values are numbers.

    All or none must be percentages: `5 %` and `0.05` in one column are not one scale.
    """
    values = known.unique()
    if not len(values) or all(_number(_plain(values[0]), decimal) is None for decimal in _WRITTEN):
        return None
    texts = [_plain(value) for value in values]
    if len({"%" in text for text in texts}) > 1:
        return None
    for decimal in _WRITTEN:
        if all(_number(text, decimal) is not None for text in texts):
            return decimal
    return None


def read_written(values: pd.Series, decimal: Decimal) -> FloatArray:
    """Reads written numbers, shape (n,); numbers stay what they are, anything else is missing (NaN)."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return np.asarray(values.to_numpy(np.float64, na_value=np.nan), np.float64)
    codes, unique = pd.factorize(values)
    numbers = np.array([*(_read(value, decimal) for value in unique), np.nan], np.float64)
    return np.asarray(numbers[codes], np.float64)


def _read(value: object, decimal: Decimal) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    number = _number(_plain(value), decimal)
    return np.nan if number is None else number


def _plain(value: object) -> str:
    return unicodedata.normalize("NFKC", str(value)).translate(_MINUS).strip()


def _number(text: str, decimal: Decimal) -> float | None:
    match = _WRITTEN[decimal].fullmatch(text)
    if match is None or not (match[3] or (match[4] or ".") != "."):
        return None
    whole = re.sub("[,.]", "", match[3] or "0")
    fraction = (match[4] or "").replace(",", ".")
    sign = -1.0 if "-" in match[1] + match[2] else 1.0
    number = sign * float(f"{whole}{fraction}{match[5] or ''}")
    return number if np.isfinite(number) else None
