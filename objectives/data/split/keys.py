"""The columns that say which rows belong together, which come first, and which fold they validate."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from objectives.base import FloatArray

_ALWAYS_TRAINING = ("-1", "-1.0")
_MOST_FOLDS = 50
_DATE = re.compile(r"\d{4}[-/]\d{1,2}.*")


@dataclass(frozen=True)
class Key:
    """One such column.

    Attributes:
        name: Its name.
        train: Of the training rows, shape (n_train,): the index of a group or fold, or a moment that only compares.
        test: Of the test rows, shape (n_test,); None where the test file lacks the column. A group that is missing
            there is -1, a moment NaN.
        labels: Of a fold column, the label of each fold.
    """

    name: str
    train: NDArray[Any]
    test: NDArray[Any] | None = None
    labels: tuple[str, ...] = ()

    def take(self, train: NDArray[Any], test: NDArray[Any]) -> Key:
        """The same of some rows only."""
        return replace(self, train=self.train[train], test=None if self.test is None else self.test[test])


@dataclass(frozen=True)
class SplitKeys:
    """The columns that a split may need; none for a random one.

    Attributes:
        groups: Rows of one group belong together.
        times: Moments.
        folds: Fold columns, at most one.
        found: Names among them that nobody gave.
    """

    groups: tuple[Key, ...] = ()
    times: tuple[Key, ...] = ()
    folds: tuple[Key, ...] = ()
    found: tuple[str, ...] = ()

    def group(self, name: str | None) -> Key:
        """The group column of that name."""
        return next(key for key in self.groups if key.name == name)

    def time(self, name: str | None) -> Key:
        """The time column of that name."""
        return next(key for key in self.times if key.name == name)

    def take(self, train: NDArray[Any], test: NDArray[Any]) -> SplitKeys:
        """The same of some rows only."""

        def some(keys: Iterable[Key]) -> tuple[Key, ...]:
            return tuple(key.take(train, test) for key in keys)

        return replace(self, groups=some(self.groups), times=some(self.times), folds=some(self.folds))


NO_KEYS = SplitKeys()


def group_key(name: str, train: pd.Series, test: pd.Series | None) -> Key:
    """Numbers the groups, the same in both files; what is missing has -1."""
    if test is None:
        return Key(name, pd.factorize(train)[0])
    if train.dtype != test.dtype and not _both_numbers(train, test):
        train, test = train.astype("str"), test.astype("str")
    codes = pd.factorize(pd.concat([train, test], ignore_index=True))[0]
    return Key(name, codes[: len(train)], codes[len(train) :])


def _both_numbers(one: pd.Series, other: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(one.dtype) and pd.api.types.is_numeric_dtype(other.dtype)


def time_key(name: str, train: pd.Series, test: pd.Series | None) -> Key:
    """The moments of both files; what cannot be read is NaN."""
    return Key(name, moments(train), None if test is None else moments(test))


def moments(values: pd.Series) -> FloatArray:
    """Numbers that compare as the moments do: years, yyyymm or seconds as they are, dates as days.

    Returns:
        Shape (n,); NaN where there is neither a number nor a date with the year first.
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _days(values)
    if not pd.api.types.is_numeric_dtype(values.dtype):
        # Moments come back, and reading text is slow: each is read once.
        codes, known = pd.factorize(values)
        return np.append(_read_moments(pd.Series(known).astype("str").str.strip()), np.nan)[codes]
    found = pd.to_numeric(values).to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _read_moments(text: pd.Series) -> FloatArray:
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers.notna().all():
        found = numbers.to_numpy(np.float64)
        return np.where(np.isfinite(found), found, np.nan)
    # Only with the year first is the order of day and month no guess.
    dates = text.where(text.str.fullmatch(_DATE.pattern, na=False)).str.replace("/", "-", regex=False)
    return _days(pd.to_datetime(dates, errors="coerce", format="mixed", utc=True))


def _days(values: pd.Series) -> FloatArray:
    if getattr(values.dt, "tz", None) is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    days = (values - pd.Timestamp("1970-01-01").as_unit("s")) / np.timedelta64(1, "D")
    return np.asarray(days.to_numpy(np.float64, na_value=np.nan), np.float64)


def fold_key(name: str, train: pd.Series) -> Key:
    """Numbers the folds in the order of their labels; a row with the label -1 never validates."""
    labels = _fold_labels(train)
    return Key(name, pd.Index(labels).get_indexer(pd.Index(train)), labels=tuple(map(str, labels)))


def _fold_labels(values: pd.Series) -> list[Any]:
    labels = values.dropna().unique().tolist()
    labels = [label for label in labels if str(label).strip() not in _ALWAYS_TRAINING]
    # Numbers by size, then words by letter: 2 comes before 10.
    return sorted(labels, key=lambda label: (isinstance(label, str), label))


def group_faults(name: str, values: pd.Series) -> list[str]:
    """The fault of a group column."""
    return _missing_faults("group", name, values)


def time_faults(name: str, values: pd.Series) -> list[str]:
    """The faults of a time column: missing values, and such as are no moment."""
    faults = _missing_faults("time", name, values)
    unread = values[np.isnan(moments(values)) & values.notna().to_numpy()]
    if len(unread):
        faults.append(
            f"time: got {len(unread):,} values in {name!r} that are no moment, such as {unread.iloc[0]!r}; "
            "allowed: numbers (2019, 201907, 1562025600) or dates with the year first (2019-07-02, 2019/7/2); "
            "do: mend them or name another column by --time"
        )
    return faults


def fold_faults(name: str, values: pd.Series) -> list[str]:
    """The faults of a fold column: missing values, one fold, or as many as an id has."""
    faults = _missing_faults("fold_column", name, values)
    n = len(_fold_labels(values))
    is_whole = n == values.dropna().nunique()
    fewest = 2 if is_whole else 1
    if not fewest <= n <= _MOST_FOLDS:
        faults.append(
            f"fold_column: got {n:,} folds in {name!r}; allowed: {fewest} to {_MOST_FOLDS}, one for each value "
            "(rows with -1 are always trained on); do: mend it or name another column by --fold-column"
        )
    return faults


def _missing_faults(setting: str, name: str, values: pd.Series) -> list[str]:
    missing = int(values.isna().sum())
    if not missing:
        return []
    return [
        (
            f"{setting}: got {missing:,} missing values in {name!r}; allowed: 0; do: fill them, drop those rows or "
            f"name another column by --{setting.replace('_', '-')}"
        )
    ]
