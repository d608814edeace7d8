"""Two columns that are the target together: its parts, or what it was divided by, such as rent per square metre."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from objectives.data.leaks.copies import COPY_SKILL, explains
from objectives.data.leaks.evidence import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from objectives.base import FloatArray

_MOST_COLUMNS = 200
_MOST_ROWS = 1_000
_FEWEST_ROWS = 100
_LEAST_KNOWN = 0.5
_CANDIDATE = 0.9
_MOST_CONFIRMED = 20
_MOST_SAID = 3


class _Pair(NamedTuple):
    strength: float
    sign: str
    one: int
    other: int


def find_pairs(evidence: Evidence, known: Collection[str]) -> list[Finding]:
    """Products, ratios, sums and differences of two columns that give the target away.

    Args:
        evidence: The tables; only a regression has such pairs.
        known: Columns that do so alone.
    """
    if evidence.task != "regression" or len(evidence.rows) < _FEWEST_ROWS:
        return []
    columns = _columns(evidence, known)
    candidates = sorted(_candidates(evidence, columns), reverse=True)[:_MOST_CONFIRMED]
    found: list[Finding] = []
    said: set[int] = set()
    for pair in candidates:
        if len(found) == _MOST_SAID or said & {pair.one, pair.other}:
            continue
        explained = explains(evidence, _combined(evidence, pair))
        if explained >= COPY_SKILL:
            said |= {pair.one, pair.other}
            found.append(_finding(evidence, pair, explained))
    return found


def _columns(evidence: Evidence, known: Collection[str]) -> list[int]:
    """Numeric features with enough values: all, or those that go with the target most."""
    rows = evidence.rows[:: max(len(evidence.rows) // _MOST_ROWS, 1)]
    numeric = [
        i
        for i, name in enumerate(evidence.names)
        if i not in evidence.categorical
        and name not in known
        and np.isfinite(evidence.train[rows, i]).mean() >= _LEAST_KNOWN
        and np.ptp(np.nan_to_num(evidence.train[rows, i])) > 0
    ]
    if len(numeric) <= _MOST_COLUMNS:
        return numeric
    target = _standard(evidence.signals[rows])[:, 0]
    strength = np.abs(_standard(evidence.train[rows][:, numeric]).T @ target)
    return [numeric[k] for k in np.argsort(-strength)[:_MOST_COLUMNS]]


def _candidates(evidence: Evidence, columns: list[int]) -> Iterator[_Pair]:
    """Pairs whose one column goes with what the other leaves of the target."""
    rows = evidence.rows[:: max(len(evidence.rows) // _MOST_ROWS, 1)]
    values = evidence.train[rows][:, columns]
    target = evidence.target[rows]
    yield from _scan(values, target, columns, "+-")
    with np.errstate(divide="ignore", invalid="ignore"):
        logs, log_target = np.log(values), np.log(target)
    positive = np.flatnonzero(np.isfinite(logs).mean(axis=0) >= _LEAST_KNOWN)
    if len(positive) > 1 and np.isfinite(log_target).mean() >= _LEAST_KNOWN:
        yield from _scan(logs[:, positive], log_target, [columns[k] for k in positive], "*/")


def _scan(values: FloatArray, target: FloatArray, columns: list[int], signs: str) -> Iterator[_Pair]:
    plain = _standard(values)
    for i, one in enumerate(columns):
        for sign, rest in zip(signs, (target - values[:, i], target + values[:, i]), strict=True):
            strength = np.abs(_standard(rest[:, None])[:, 0] @ plain)
            strength[i] = 0
            for k in np.flatnonzero(strength >= _CANDIDATE):
                first, second = (columns[int(k)], one) if sign in "-/" else sorted((one, columns[int(k)]))
                yield _Pair(float(strength[k]), sign, first, second)


def _standard(columns: FloatArray) -> FloatArray:
    """Columns with mean 0 and length 1; what is missing is the mean."""
    finite = np.where(np.isfinite(columns), columns, np.nan)
    known = np.isfinite(finite)
    mean = np.nansum(finite, axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, finite - mean, 0.0)
    return np.asarray(centred / np.maximum(np.sqrt((centred**2).sum(axis=0)), 1e-300), np.float64)


def _combined(evidence: Evidence, pair: _Pair) -> FloatArray:
    one, other = (evidence.train[evidence.rows, i] for i in (pair.one, pair.other))
    operation = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[pair.sign]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(operation(one, other), np.float64)


def _finding(evidence: Evidence, pair: _Pair, explained: float) -> Finding:
    one, other = evidence.names[pair.one], evidence.names[pair.other]
    line = (
        f"leak: got {one!r} {pair.sign} {other!r}, which explains {explained:.1%} of {evidence.target_name!r} on "
        "held-out rows; allowed: what is known before the target; do: drop the one that was made from it"
    )
    return Finding("pair", (one, other), line)
