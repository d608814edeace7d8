"""Dates written after the event: known late, or only, because the target is known."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from objectives.data.leaks.absence import tells
from objectives.data.leaks.copies import COPY_SKILL, explains
from objectives.data.leaks.evidence import Evidence, Finding

if TYPE_CHECKING:
    from objectives.base import FloatArray

_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ].*)?"
_LOOKED_AT = 50
_SCANNED = 500
_MOST_DATES = 12
_FEWEST_TEST_ROWS = 30
_LATE, _UNLIKELY = 0.05, 1e-9
_MONTHS = (190001, 210012)


def find_late_dates(evidence: Evidence) -> list[Finding]:
    """Pairs of date columns whose order or distance gives the target away, or is another in the test rows."""
    names = _date_columns(evidence)[:_MOST_DATES]
    moments = {name: _days(evidence.raw_train[name]) for name in names}
    found = []
    for one, other in combinations(names, 2):
        line = _told_by(evidence, moments[one] - moments[other], one, other) or _drifted(
            evidence, moments[one] - moments[other], one, other
        )
        if line:
            found.append(Finding("late date", (one, other), line))
    return found


def _date_columns(evidence: Evidence) -> list[str]:
    shared = (name for name in map(str, evidence.raw_train) if name in evidence.raw_test)
    left_out = (evidence.id_name, evidence.target_name)
    return [name for name in shared if name not in left_out and _holds_dates(evidence.raw_train[name])]


def _holds_dates(values: pd.Series) -> bool:
    known = values.head(_SCANNED).dropna().head(_LOOKED_AT)
    if known.empty:
        known = values.dropna().head(_LOOKED_AT)
    if known.empty or pd.api.types.is_bool_dtype(known.dtype):
        return False
    if pd.api.types.is_datetime64_any_dtype(known.dtype):
        return True
    if pd.api.types.is_numeric_dtype(known.dtype):
        months = known.to_numpy(np.float64)
        low, high = _MONTHS
        named = ((months >= low) & (months <= high) & (months % 1 == 0)).all()
        return bool(named and ((months % 100 >= 1) & (months % 100 <= 12)).all())  # noqa: PLR2004 - months
    return bool(known.astype("str").str.fullmatch(_ISO).all())


def _days(values: pd.Series) -> FloatArray:
    """Days since 1970, shape (n,); a month is its first day, what cannot be read is missing."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        values = pd.to_datetime(values.astype("Int64").astype("str"), format="%Y%m", errors="coerce")
    moments = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
    days = (moments - pd.Timestamp("1970-01-01", tz="UTC")) / np.timedelta64(1, "D")
    return np.asarray(days.to_numpy(np.float64, na_value=np.nan), np.float64)


def _told_by(evidence: Evidence, distance: FloatArray, one: str, other: str) -> str:
    days = distance[evidence.rows]
    name = evidence.target_name
    if evidence.task == "regression":
        explained = explains(evidence, days)
        if explained >= COPY_SKILL:
            return _line(f"{one!r} - {other!r} in days, which explains {explained:.1%} of {name!r}")
    for flag, how in ((days > 0, "after"), (days < 0, "before")):
        told = tells(evidence, flag)
        if told:
            return _line(f"{one!r} {how} {other!r} in {flag.mean():.0%} of the training rows, and {told}")
    return ""


def _drifted(evidence: Evidence, distance: FloatArray, one: str, other: str) -> str:
    """A date that is later than another in training only: the test rows were written before the event."""
    in_test = _days(evidence.raw_test[one]) - _days(evidence.raw_test[other])
    known, known_test = distance[np.isfinite(distance)], in_test[np.isfinite(in_test)]
    if len(known_test) < _FEWEST_TEST_ROWS or len(known) < _FEWEST_TEST_ROWS:
        return ""
    for late, early, sign in ((one, other, 1), (other, one, -1)):
        share, test_share = float((sign * known > 0).mean()), float((sign * known_test > 0).mean())
        if share > _LATE and test_share == 0 and (1 - share) ** len(known_test) < _UNLIKELY:
            return _line(f"{late!r} after {early!r} in {share:.0%} of the training rows and in no test row")
    return ""


def _line(what: str) -> str:
    return (
        f"leak: got {what}; allowed: dates that are known before the target; "
        "do: drop the later column: it is written after the event"
    )
