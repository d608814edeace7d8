"""Raw values as text, numbers and dates, the same from every file format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from objectives.data.written import read_written

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from objectives.base import FloatArray

_WHOLE_FLOAT = re.compile(r"\A(-?\d+)\.0\Z")


def as_text(values: pd.Series) -> list[str | None]:
    """Text of each value; whole floats lose their `.0`, which only a missing neighbour gave them."""
    if isinstance(values.dtype, pd.StringDtype):  # each text once: a million rows have few
        codes, unique = pd.factorize(values)
        texts = [*(_WHOLE_FLOAT.sub(r"\1", text) for text in unique), None]
        return [texts[code] for code in codes]
    return [None if pd.isna(v) else _WHOLE_FLOAT.sub(r"\1", str(v)) for v in values]


def as_numbers(values: pd.Series) -> FloatArray:
    """Each value as a number; what is none, or infinite, is missing (NaN). Shape (n,)."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    unread = np.isnan(numbers) & values.notna().to_numpy()
    if unread.any():  # such as `1,200` in a test table whose training table stays below a thousand
        numbers = np.where(unread, read_written(values, "point"), numbers)
    return np.asarray(np.where(np.isfinite(numbers), numbers, np.nan), np.float64)


def as_moments(values: pd.Series) -> pd.Series:
    """Each value as a moment without zone; what is none is missing (NaT)."""
    return pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True).dt.tz_localize(None)


def each_text_once(
    values: pd.Series, encode: Callable[[list[str]], NDArray[np.float64]], width: int
) -> FloatArray:
    """Encodes every distinct text once; a missing value is missing in all columns.

    Args:
        values: The raw column.
        encode: Turns n texts into shape (n, width).
        width: Number of columns made.

    Returns:
        Shape (len(values), width).
    """
    codes, texts = pd.factorize(pd.Series(as_text(values), dtype=object))
    rows = np.full((len(texts) + 1, width), np.nan)
    if len(texts):
        rows[:-1] = encode([str(text) for text in texts])
    return np.asarray(rows[codes])
