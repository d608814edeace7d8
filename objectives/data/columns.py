"""What each column is, and how raw rows become the matrix a model sees."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from objectives.base import FloatArray

Kind = Literal["number", "date", "category"]
_ISO_DATE = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?"
# In seconds: Timestamp(0) counts nanoseconds, in which the year 9999 overflows.
_EPOCH = pd.Timestamp("1970-01-01").as_unit("s")
_DAY = np.timedelta64(1, "D")
_WHOLE_FLOAT = re.compile(r"\A(-?\d+)\.0\Z")


@dataclass(frozen=True)
class Column:
    """One feature: a number, a date (days since 1970-01-01) or a category (index into its levels)."""

    name: str
    kind: Kind
    levels: tuple[str, ...] = ()

    def encode(self, values: pd.Series) -> FloatArray:
        """Turns raw values into floats; what cannot be read, or was never seen, is missing (NaN)."""
        if self.kind == "category":
            codes = pd.Index(self.levels).get_indexer(pd.Index(_as_text(values)))
            return np.where(codes < 0, np.nan, codes.astype(np.float64))
        if self.kind == "date":
            moments = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
            days = (moments.dt.tz_localize(None) - _EPOCH) / _DAY
            return np.asarray(days.to_numpy(np.float64, na_value=np.nan), np.float64)
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return np.asarray(np.where(np.isfinite(numbers), numbers, np.nan), np.float64)


@dataclass(frozen=True)
class ColumnEncoder:
    """The features in matrix order. Learned from training inputs only, never from the target."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in matrix order."""
        return tuple(column.name for column in self.columns)

    @property
    def categorical(self) -> list[int]:
        """Positions of the categorical features."""
        return [i for i, column in enumerate(self.columns) if column.kind == "category"]

    def transform(self, frame: pd.DataFrame) -> FloatArray:
        """Encodes raw rows; a feature that the frame lacks is missing throughout. Shape (n, n_features)."""
        matrix = np.full((len(frame), len(self.columns)), np.nan, order="F")
        for i, column in enumerate(self.columns):
            if column.name in frame:
                matrix[:, i] = column.encode(frame[column.name])
        return matrix

    def to_json(self) -> str:
        """Text that `from_json` reads back."""
        return json.dumps([asdict(column) for column in self.columns], ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ColumnEncoder:
        """The encoder that wrote the text."""
        columns = [Column(c["name"], c["kind"], tuple(c["levels"])) for c in json.loads(text)]
        return cls(tuple(columns))


def find_columns(
    train: pd.DataFrame, names: Sequence[str], categorical: Collection[str] | None
) -> tuple[ColumnEncoder, tuple[str, ...]]:
    """Decides what each column is.

    Args:
        train: The raw training rows.
        names: Candidate feature columns.
        categorical: Columns to treat as categories whatever they hold; None means: text columns.

    Returns:
        The encoder and one line for each column left out.
    """
    columns: list[Column] = []
    dropped: list[str] = []
    for name in names:
        column = _find(train[name], forced=categorical is not None and name in categorical)
        if isinstance(column, Column):
            columns.append(column)
        else:
            dropped.append(f"{name} ({column})")
    return ColumnEncoder(tuple(columns)), tuple(dropped)


def _find(values: pd.Series, *, forced: bool) -> Column | str:
    name = str(values.name)
    known = values.dropna()
    if known.empty:
        return "empty"
    kind = "category" if forced else _kind(known)
    if kind != "category":
        return Column(name, kind)
    if not forced and len(known) > 1 and known.astype(str).is_unique:
        return "text, every value differs"
    return Column(name, "category", tuple(sorted({text for text in _as_text(known) if text is not None})))


def _kind(known: pd.Series) -> Kind:
    if pd.api.types.is_datetime64_any_dtype(known.dtype):
        return "date"
    if pd.api.types.is_numeric_dtype(known.dtype):
        return "number"
    text = known.astype(str)
    if pd.to_numeric(text, errors="coerce").notna().all():
        return "number"
    if text.str.fullmatch(_ISO_DATE).all():
        moments = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True)
        return "date" if moments.notna().all() else "category"
    return "category"


def _as_text(values: pd.Series) -> list[str | None]:
    """Text of each value; whole floats lose their `.0`, which only a missing neighbour gave them."""
    return [None if pd.isna(v) else _WHOLE_FLOAT.sub(r"\1", str(v)) for v in values]
