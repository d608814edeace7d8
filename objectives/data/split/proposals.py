"""Group and time columns that nobody named, found by what the test file does with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from objectives.data.split.keys import Key, group_key, moments, time_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LATER = 0.5
"""Share of the test rows that must lie behind all training rows for time to be what parts the files."""
_UNKNOWN = 0.2
"""Share of the test rows whose group must be unknown beyond what chance would leave unknown."""
_FEWEST_MOMENTS, _FEWEST_GROUPS, _FEWEST_LIKELY = 3, 3, 10
_ROWS_PER_GROUP = 2
_LIKE_ID = re.compile(
    r"(?:^|_)(?:id|code|key|no|zip|zipcode|postcode|customer|user|building|store|group)$", re.IGNORECASE
)
_LIKE_TIME = re.compile(
    r"(?:^|_)(?:date|datetime|day|time|timestamp|ts|week|ym|yyyymm|period|month|year)$", re.IGNORECASE
)


class Proposal(NamedTuple):
    """A column and how the test file parts by it.

    Attributes:
        key: The column.
        share: Of the test rows: later than all training rows; or of a group that training lacks.
        by_chance: The share of unknown groups had the rows been dealt at random; 0 for moments.
    """

    key: Key
    share: float
    by_chance: float = 0.0


def find_time(train: pd.DataFrame, test: pd.DataFrame, names: Sequence[str]) -> Proposal | None:
    """The column by which most test rows come after all training rows, if there is one."""
    found = [_later(train[name], test[name]) for name in names if name in test]
    # The test rows' earliest column tells the most; of equals the one with the fewest moments is the period.
    return max(
        (one for one in found if one is not None),
        key=lambda one: (round(one.share, 2), -len(np.unique(one.key.train))),
        default=None,
    )


def find_group(train: pd.DataFrame, test: pd.DataFrame, names: Sequence[str]) -> Proposal | None:
    """The column whose values repeat in training and hardly occur in the test file, if there is one."""
    found = [_unknown(train[name], test[name]) for name in names if name in test]
    parted = [one for one in found if one is not None and one.share - one.by_chance >= _UNKNOWN]
    if not parted:
        return None
    most = max(one.share for one in parted)
    # A building parts the files as its units do: the wider group is the cause.
    return min(
        (one for one in parted if one.share >= most - _UNKNOWN / 4),
        key=lambda one: len(np.unique(one.key.train)),
    )


def likely_time(train: pd.DataFrame, names: Sequence[str]) -> str | None:
    """A column of moments by its values or name, the one with the most moments."""
    found = {name: train[name].nunique() for name in names if _is_like_time(train[name])}
    return max(
        (name for name, n in found.items() if n > _FEWEST_MOMENTS), key=lambda n: found[n], default=None
    )


def likely_group(train: pd.DataFrame, names: Sequence[str]) -> str | None:
    """A column of ids by its name, or else the text column with the most values that repeat."""
    found = {name: train[name].nunique() for name in names if _is_like_group(train[name])}
    return max(found, key=lambda name: (_is_id(name), found[name]), default=None)


def _later(train: pd.Series, test: pd.Series) -> Proposal | None:
    # New ids are often higher ones, and no later moments.
    if _is_id(str(train.name)) or not _could_be_time(train):
        return None
    key = time_key(str(train.name), train, test)
    assert key.test is not None
    share = float(np.mean(key.test > key.train.max()))
    # NaN is behind nothing. What most columns are not needs no counting of values.
    if share < _LATER or len(np.unique(key.train)) < _FEWEST_MOMENTS:
        return None
    return Proposal(key, share)


def _could_be_time(values: pd.Series) -> bool:
    if pd.api.types.is_bool_dtype(values.dtype):
        return False
    if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_datetime64_any_dtype(values.dtype):
        return True
    # The first value spares the reading of long text columns.
    known = values.dropna()
    return len(known) > 0 and not np.isnan(moments(known.iloc[:1])).any()


def _unknown(train: pd.Series, test: pd.Series) -> Proposal | None:
    if pd.api.types.is_float_dtype(train.dtype) or pd.api.types.is_datetime64_any_dtype(train.dtype):
        return None
    if train.isna().any():
        return None
    key = group_key(str(train.name), train, test)
    n = np.count_nonzero(np.bincount(key.train))
    if not _FEWEST_GROUPS <= n <= len(train) / _ROWS_PER_GROUP:
        return None
    # Behind all training rows, a column is time; its values are unknown for that reason.
    if _later(train, test) is not None:
        return None
    assert key.test is not None
    return Proposal(key, _share_unknown(key.train, key.test), _unknown_by_chance(key.train, key.test))


def _share_unknown(train: NDArray[np.intp], test: NDArray[np.intp]) -> float:
    return float(np.mean(~np.isin(test, train)))


def _unknown_by_chance(train: NDArray[np.intp], test: NDArray[np.intp]) -> float:
    """Share of the test rows whose group training would lack, had the rows of both been dealt at random."""
    together = np.concatenate([train, test[test >= 0]])
    counts = np.bincount(together)
    counts = counts[counts > 0]
    to_test = (len(together) - len(train)) / len(together)
    return float(np.sum(counts * to_test ** (counts - 1.0)) / counts.sum())


def _is_like_time(values: pd.Series) -> bool:
    if values.isna().any() or not _could_be_time(values):
        return False
    is_text = not pd.api.types.is_numeric_dtype(values.dtype)
    return (is_text or bool(_LIKE_TIME.search(str(values.name)))) and not np.isnan(moments(values)).any()


def _is_like_group(values: pd.Series) -> bool:
    if values.isna().any() or pd.api.types.is_float_dtype(values.dtype):
        return False
    if pd.api.types.is_numeric_dtype(values.dtype) and not _is_id(str(values.name)):
        return False
    if _is_like_time(values):
        return False
    return _FEWEST_LIKELY <= values.nunique() <= len(values) / _ROWS_PER_GROUP


def _is_id(name: str) -> bool:
    return bool(_LIKE_ID.search(name))
