"""Decides what each raw column is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from objectives.data.columns import Column, ColumnEncoder
from objectives.data.features.choice import FeatureChoice, find_pair
from objectives.data.features.dates import DateParts, varying_parts
from objectives.data.features.geo import learn_geo
from objectives.data.features.guesses import (
    is_long_text,
    is_months,
    is_tags,
    latitude_longitude,
)
from objectives.data.features.months import Months
from objectives.data.features.tags import learn_tags
from objectives.data.features.text import Text
from objectives.data.features.values import as_text
from objectives.data.written import Written, find_written

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from objectives.base import FloatArray
    from objectives.data.columns import Kind, Part

_DATE = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?|\d{4}/\d{1,2}/\d{1,2}"


@dataclass(frozen=True)
class Found:
    """What the columns are.

    Attributes:
        encoder: Makes the features that need no target.
        target_encoded: Categories that become the mean target of the training fold.
        dropped: One line for each column left out.
    """

    encoder: ColumnEncoder
    target_encoded: tuple[Column, ...]
    dropped: tuple[str, ...]


def find_columns(
    train: pd.DataFrame,
    names: Sequence[str],
    categorical: Collection[str] | None,
    choice: FeatureChoice | None = None,
) -> Found:
    """Decides what each column is.

    Args:
        train: The raw training rows.
        names: Candidate feature columns.
        categorical: Columns to treat as categories whatever they hold; None means: text columns.
        choice: What is said of the other kinds.
    """
    finding = _Finding(train, categorical or (), choice or FeatureChoice())
    for name in names:
        finding.look(name)
    finding.look_for_places(names)
    return Found(ColumnEncoder(tuple(finding.parts)), tuple(finding.encoded), tuple(finding.dropped))


class _Finding:
    def __init__(self, train: pd.DataFrame, categorical: Collection[str], choice: FeatureChoice) -> None:
        self._train, self._categorical, self._choice = train, categorical, choice
        self.parts: list[Part] = []
        self.encoded: list[Column] = []
        self.dropped: list[str] = []

    def look(self, name: str) -> None:
        values = self._train[name]
        known = values.dropna()
        if known.empty:
            self.dropped.append(f"{name} (empty)")
        elif name in self._choice.target_encode:
            self.encoded.append(_category(name, known))
        elif name in self._categorical:
            self.parts.append(_category(name, known))
        else:
            self._look_inside(name, values, known)

    def look_for_places(self, names: Sequence[str]) -> None:
        if self._choice.geo is None:
            pairs = latitude_longitude(self._train, names)
        else:
            pairs = [both for pair in self._choice.geo if (both := find_pair(pair, set(names)))]
        self.parts += [learn_geo(self._train[north], self._train[east]) for north, east in pairs]

    def _look_inside(self, name: str, values: pd.Series, known: pd.Series) -> None:
        kind = _kind(known)
        if _chosen(name, self._choice.months, kind == "number" and is_months(known)):
            self.parts.append(Months(name))
        elif _chosen(name, self._choice.tags, kind == "category" and is_tags(known)):
            self.parts.append(learn_tags(values))
        elif _chosen(name, self._choice.text, kind == "category" and is_long_text(known)):
            self.parts.append(Text(name))
        elif kind == "date":
            self._date(name, known)
        elif kind == "number":
            self.parts.append(Column(name, kind))
        elif decimal := find_written(known):
            self.parts.append(Written(name, decimal))
        elif len(known) > 1 and known.astype(str).is_unique:
            self.dropped.append(f"{name} (text, every value differs)")
        else:
            self.parts.append(_category(name, known))

    def _date(self, name: str, known: pd.Series) -> None:
        self.parts.append(Column(name, "date"))
        parts = varying_parts(known) if name in self._choice.calendar else ()
        if parts:
            self.parts.append(DateParts(name, parts))


def _chosen(name: str, said: tuple[str, ...] | None, found: bool) -> bool:
    return found if said is None else name in said


def _category(name: str, known: pd.Series) -> Column:
    return Column(name, "category", tuple(sorted({text for text in as_text(known) if text is not None})))


def _kind(known: pd.Series) -> Kind:
    if pd.api.types.is_datetime64_any_dtype(known.dtype):
        return "date"
    if pd.api.types.is_numeric_dtype(known.dtype):
        return "number"
    text = known.astype(str)
    if pd.to_numeric(text, errors="coerce").notna().all():
        return "number"
    if text.str.fullmatch(_DATE).all():
        moments = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True)
        return "date" if moments.notna().all() else "category"
    return "category"


def drop_repeats(
    encoder: ColumnEncoder, train: FloatArray, test: FloatArray
) -> tuple[ColumnEncoder, FloatArray, FloatArray, tuple[str, ...]]:
    """Leaves out single features that have one value in training, or are another one in both files.

    Returns:
        Encoder and matrices without them, and one line each; the very same ones where there are none.
    """
    seen: dict[tuple[str, bytes, bytes], str] = {}
    keep: list[int] = []
    parts: list[Part] = []
    lines: list[str] = []
    place = 0
    for part in encoder.columns:
        places = range(place, place + len(part.names))
        place += len(places)
        reason = (
            _idle(part, train[:, places[0]], test[:, places[0]], seen) if isinstance(part, Column) else ""
        )
        if reason:
            lines.append(f"{part.name} ({reason})")
            continue
        parts.append(part)
        keep += places
    if not lines:
        return encoder, train, test, ()
    kept = [np.asfortranarray(matrix[:, keep]) for matrix in (train, test)]
    return ColumnEncoder(tuple(parts)), kept[0], kept[1], tuple(lines)


def _idle(
    part: Column, train: FloatArray, test: FloatArray, seen: dict[tuple[str, bytes, bytes], str]
) -> str:
    if (train == train[0]).all():
        return "one value"
    values = (part.kind if part.kind == "category" else "", train.tobytes(), test.tobytes())
    if values in seen:
        return f"same as {seen[values]}"
    seen[values] = part.name
    return ""
