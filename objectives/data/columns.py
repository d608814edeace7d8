"""How raw rows become the matrix a model sees."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
import pandas as pd

from objectives.data.features.dates import DateParts
from objectives.data.features.geo import Geo
from objectives.data.features.months import Months
from objectives.data.features.tags import Tags
from objectives.data.features.text import Text
from objectives.data.features.values import as_moments, as_numbers, as_text
from objectives.data.written import Written

if TYPE_CHECKING:
    from collections.abc import Callable

    from objectives.base import FloatArray

Kind = Literal["number", "date", "category"]
# In seconds: Timestamp(0) counts nanoseconds, in which the year 9999 overflows.
_EPOCH = pd.Timestamp("1970-01-01").as_unit("s")
_DAY = np.timedelta64(1, "D")


class Part(Protocol):
    """Some neighbouring features, made from one or two raw columns; a dataclass of plain values."""

    @property
    def kind(self) -> str:
        """What it is, by the name that its class has in `_PARTS`."""
        ...

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw columns that it reads."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Its feature names in order."""
        ...

    @property
    def encode(self) -> Callable[..., FloatArray]:
        """Turns the raw columns into floats, shape (n,) or (n, features); what cannot be read is missing."""
        ...


@dataclass(frozen=True)
class Column:
    """One feature: a number, a date (days since 1970-01-01) or a category (index into its levels)."""

    name: str
    kind: Kind
    levels: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw column."""
        return (self.name,)

    @property
    def names(self) -> tuple[str, ...]:
        """The feature's name."""
        return (self.name,)

    def encode(self, values: pd.Series) -> FloatArray:
        """Turns raw values into floats; what cannot be read, or was never seen, is missing (NaN)."""
        if self.kind == "category":
            codes = pd.Index(self.levels).get_indexer(pd.Index(as_text(values)))
            return np.where(codes < 0, np.nan, codes.astype(np.float64))
        if self.kind == "date":
            days = (as_moments(values) - _EPOCH) / _DAY
            return np.asarray(days.to_numpy(np.float64, na_value=np.nan), np.float64)
        return as_numbers(values)


_PARTS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("number", "date", "category"), Column),
    "months": Months,
    "date_parts": DateParts,
    "tags": Tags,
    "text": Text,
    "geo": Geo,
    "written_number": Written,
}


@dataclass(frozen=True)
class ColumnEncoder:
    """The features in matrix order. Learned from training inputs only, never from the target."""

    columns: tuple[Part, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in matrix order."""
        return tuple(name for part in self.columns for name in part.names)

    @property
    def categorical(self) -> list[int]:
        """Positions of the categorical features."""
        kinds = [part.kind for part in self.columns for _ in part.names]
        return [i for i, kind in enumerate(kinds) if kind == "category"]

    def transform(self, frame: pd.DataFrame) -> FloatArray:
        """Encodes raw rows; a feature that the frame lacks is missing throughout. Shape (n, n_features)."""
        matrix = np.full((len(frame), len(self.names)), np.nan, order="F")
        place = 0
        for part in self.columns:
            end = place + len(part.names)
            if all(source in frame for source in part.sources):
                encoded = part.encode(*(frame[source] for source in part.sources))
                matrix[:, place:end] = encoded.reshape(len(frame), -1)
            place = end
        return matrix

    def to_json(self) -> str:
        """Text that `from_json` reads back."""
        return json.dumps([asdict(cast("Any", part)) for part in self.columns], ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ColumnEncoder:
        """The encoder that wrote the text."""
        return cls(tuple(_read_part(fields) for fields in json.loads(text)))


def _read_part(fields: dict[str, Any]) -> Part:
    part: Part = _PARTS[fields["kind"]](**{key: _frozen(value) for key, value in fields.items()})
    return part


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
