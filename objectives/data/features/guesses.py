"""What a column most likely is: careful guesses, which leave a plain number or category where in doubt."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from objectives.data.features.months import could_be_months
from objectives.data.features.tags import count_tags, find_separator, split
from objectives.data.features.values import as_numbers, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

# Enough to tell lists and sentences by; each look at a text costs, and wide tables have many columns.
_ROWS_LOOKED_AT = 10_000
_FEWEST_MONTHS = 6
_FEWEST_LISTS = 30
_MOST_TAGS = 300
# Dates, fractions and places have the same number of pieces in each row.
_SAME_LENGTH = 0.9
# Between digits these are part of a number.
_NUMERIC = ","
_LONG_TEXT = 30
_MOSTLY_DISTINCT = 0.9
_PAIRS = (
    ("latitude", "longitude"),
    ("lat", "lon"),
    ("lat", "lng"),
    ("lat", "long"),
    ("nl", "el"),
    ("緯度", "経度"),
)


def is_months(known: pd.Series) -> bool:
    """Whether all values are yyyymm, and enough of them differ for that to be no accident."""
    numbers = as_numbers(known)
    return bool(could_be_months(numbers).all()) and len(np.unique(numbers)) >= _FEWEST_MONTHS


def is_tags(known: pd.Series) -> bool:
    """Whether the cells are lists: many different ones, made of few tags that come again."""
    known = _some(known)
    separator = find_separator(known)
    texts = as_text(known)
    cells = len({text for text in texts if text})
    if cells < _FEWEST_LISTS or 2 * sum(separator in (text or "") for text in texts) < len(texts):
        return False
    tags = count_tags(known, separator)
    if separator in _NUMERIC and any(re.fullmatch(r"[\d.]+", tag) for tag in tags):
        return False
    lengths = Counter(len(split(text, separator)) for text in texts if text)
    varied = lengths.most_common(1)[0][1] <= _SAME_LENGTH * len(texts)
    return varied and 2 * len(tags) <= cells and len(tags) <= _MOST_TAGS


def is_long_text(known: pd.Series) -> bool:
    """Whether the cells are sentences, hardly any of which comes twice."""
    texts = [text for text in as_text(_some(known)) if text is not None]
    return (
        len(set(texts)) >= _MOSTLY_DISTINCT * len(texts)
        and float(np.median([len(t) for t in texts])) >= _LONG_TEXT
    )


def _some(known: pd.Series) -> pd.Series:
    return known.iloc[:: -(-len(known) // _ROWS_LOOKED_AT)] if len(known) > _ROWS_LOOKED_AT else known


def latitude_longitude(train: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of columns that are named as coordinates and hold numbers."""
    by_name = {name.lower(): name for name in reversed(names)}
    found = [(by_name[a], by_name[b]) for a, b in _PAIRS if a in by_name and b in by_name]
    return [both for both in found[:1] if all(np.isfinite(as_numbers(train[name])).any() for name in both)]
