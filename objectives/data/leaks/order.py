"""Ids and row order that predict the target: a table sorted, grouped or in time order, or ids given by it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from objectives.data.leaks.evidence import Evidence, Finding
from objectives.data.leaks.skill import bins, skill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from objectives.base import FloatArray

# One false alarm in a million, and of a strength that matters.
_SIGMAS = 5.0
_LEAST_CORRELATION = 0.1
_MOST_ROWS = 100_000
_FEWEST_ROWS = 50
_BINS = 50
_MODULI = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 100)
_DIGITS = re.compile(r"(\d+)\D*$")
_DENSE = 10
_MOST_SIGNALS = 8


def find_order(evidence: Evidence) -> list[Finding]:
    """The order of the rows, the id, and each feature that only counts rows, where they predict the target."""
    n = len(evidence.target)
    if n < _FEWEST_ROWS:
        return []
    found: list[Finding] = []
    for kind, name, numbers in _counters(evidence):
        if found and (kind == "row order" or name in found[-1].columns):
            continue  # most likely the same fact once more
        strength, how = _strength(
            numbers, evidence.signals[:, :_MOST_SIGNALS], neighbours=kind == "row order"
        )
        if strength - _SIGMAS / np.sqrt(min(n, _MOST_ROWS)) > _LEAST_CORRELATION:
            found.append(
                _finding(evidence, kind, name, f"correlation {strength:.2f} on held-out rows, {how}")
            )
    return found


def _counters(evidence: Evidence) -> Iterator[tuple[str, str, FloatArray]]:
    if evidence.id_name in evidence.raw_train:
        ids = evidence.raw_train[evidence.id_name].astype("str")
        numbers = pd.to_numeric(ids.str.extract(_DIGITS.pattern, expand=False), errors="coerce")
        if numbers.notna().all():
            yield "id", evidence.id_name, numbers.to_numpy(np.float64)
        prefixes = ids.str.replace(r"\d+\D*$", "", regex=True)
        if 1 < prefixes.nunique() <= len(ids) // 10:
            yield "id", evidence.id_name, pd.factorize(prefixes)[0].astype(np.float64)
    for i, name in enumerate(evidence.names):
        if i not in evidence.categorical and _counts_rows(evidence.train[:, i]):
            yield "row number", name, evidence.train[:, i]
    yield "row order", "", np.arange(len(evidence.target), dtype=np.float64)


def _counts_rows(values: FloatArray) -> bool:
    """Whether these are whole numbers, each once, without great gaps."""
    n = len(values)
    if not np.isfinite(values).all() or np.ptp(values) > _DENSE * n or (values[:_FEWEST_ROWS] % 1).any():
        return False
    return bool((values % 1 == 0).all() and len(np.unique(values)) == n)


def _strength(numbers: FloatArray, signals: FloatArray, *, neighbours: bool) -> tuple[float, str]:
    """The best held-out correlation of some ways to look at a counter, and which one it is."""
    generator = np.random.default_rng(2)
    n = len(numbers)
    rows = generator.choice(n, _MOST_ROWS, replace=False) if n > _MOST_ROWS else np.arange(n)
    first = generator.random(len(rows)) < 1 / 2
    taken, values = signals[rows], numbers[rows]
    looks: list[tuple[float, str]] = [(_explained(_coarse(values), taken, first), "by its size")]
    if (values % 1 == 0).all():
        looks += [
            (_explained((values % m).astype(np.intp), taken, first), f"by its remainder of {m}")
            for m in _MODULI
            if len(values) >= _FEWEST_ROWS * m
        ]
    if neighbours:
        looks.append((_neighbours(signals), "neighbours alike"))
    return max(looks)


def _coarse(values: FloatArray) -> NDArray[np.intp]:
    codes = bins(values)
    return codes * _BINS // (int(codes.max()) + 1)


def _explained(codes: NDArray[np.intp], signals: FloatArray, first: NDArray[np.bool_]) -> float:
    return float(np.sqrt(max(float(skill(codes, signals, first).max()), 0.0)))


def _neighbours(signals: FloatArray) -> float:
    """Correlation of each row's target with the next row's, of the best signal."""
    before, after = (part - part.mean(axis=0) for part in (signals[:-1], signals[1:]))
    size = np.sqrt((before**2).sum(axis=0) * (after**2).sum(axis=0))
    return float(((before * after).sum(axis=0) / np.maximum(size, 1e-300)).max())


def _finding(evidence: Evidence, kind: str, name: str, figures: str) -> Finding:
    what = f"a {kind} {name!r}" if name else "an order of the rows"
    line = (
        f"leak: got {what} that predicts {evidence.target_name!r} ({figures}); allowed: ids and order without "
        "meaning; do: find out why (sorted, grouped, in time order?), drop such a column, and split by time or group"
    )
    return Finding(kind, (name,) if name else (), line)
