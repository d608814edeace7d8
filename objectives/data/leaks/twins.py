"""Rows that are there twice: in training and test, or in training with one target or another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from objectives.data.leaks.evidence import Evidence, Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.base import FloatArray

    Hashes = NDArray[np.uint64]

_SIGMAS = 6.0
_LEAST_EXCESS = 0.01
_SHARED, _REPEATED, _CONTRADICTED = 0.1, 0.1, 0.01
_FEWEST = 10
# A column with as many values as this share of the different rows makes equal rows copies, not coincidences.
_IDENTIFYING = 0.5


def find_twins(evidence: Evidence) -> list[Finding]:
    """Exact copies of rows, where they are more than coincidence."""
    train, test = _hashes(evidence.train), _hashes(evidence.test)
    _, inverse, counts = np.unique(train, return_inverse=True, return_counts=True)
    repeated = counts[inverse] > 1
    in_train, in_test = float(repeated.mean()), float(np.isin(test, train).mean())
    copies = _identified(evidence.train, len(counts))
    found = []
    if _exceeds(in_test, in_train, len(test), len(train)) or (copies and in_test > _SHARED):
        found.append(_shared(in_test, in_train))
    if copies:
        found += _within(evidence, inverse, repeated)
    return found


def _hashes(rows: FloatArray) -> Hashes:
    """One number a row; equal rows have equal ones."""
    total = np.zeros(len(rows), np.uint64)
    generator = np.random.default_rng(3)
    for column in np.ascontiguousarray((rows + 0.0).T):  # adding 0 makes -0 a 0
        bits = np.where(np.isnan(column), np.nan, column).view(np.uint64)
        factor = np.uint64(generator.integers(1, 2**63) | 1)
        mixed = bits * factor
        total = (total ^ (mixed ^ (mixed >> np.uint64(29)))) * np.uint64(0x9E3779B97F4A7C15)
    return total


def _exceeds(in_test: float, in_train: float, n_test: int, n_train: int) -> bool:
    """Whether test rows have twins in training more often than training rows have among themselves."""
    share = (in_test * n_test + in_train * n_train + 1) / (n_test + n_train + 2)
    error = np.sqrt(share * (1 - share) * (1 / n_test + 1 / n_train))
    return bool(in_test - in_train > max(_SIGMAS * error, _LEAST_EXCESS) and in_test * n_test >= _FEWEST)


def _identified(rows: FloatArray, different: int) -> bool:
    return any(len(np.unique(rows[:, i])) >= _IDENTIFYING * different for i in range(rows.shape[1]))


def _shared(in_test: float, in_train: float) -> Finding:
    line = (
        f"leak: got {in_test:.1%} of the test rows in training too, feature for feature (training rows among "
        f"themselves: {in_train:.1%}); allowed: no more than coincidence; do: look where the files were joined"
    )
    return Finding("shared rows", (), line)


def _within(evidence: Evidence, groups: NDArray[np.intp], repeated: NDArray[np.bool_]) -> list[Finding]:
    """Copies among the training rows: with one target they flatter folds, with several they contradict."""
    low, high = np.full(groups.max() + 1, np.inf), np.full(groups.max() + 1, -np.inf)
    np.minimum.at(low, groups, evidence.target)
    np.maximum.at(high, groups, evidence.target)
    apart = (high > low)[groups]
    different, alike = float((repeated & apart).mean()), float((repeated & ~apart).mean())
    found = []
    if different > _CONTRADICTED and different * len(groups) >= _FEWEST:
        line = (
            f"leak: got {different:.1%} of the training rows repeated with different {evidence.target_name!r}; "
            "allowed: one target a row; do: find out which is right"
        )
        found.append(Finding("contradicting rows", (), line))
    if alike > _REPEATED:
        line = (
            f"leak: got {alike:.1%} of the training rows repeated, target included; allowed: each row once: "
            "copies in training and validation flatter the score; do: drop the repeats, or split by group"
        )
        found.append(Finding("repeated rows", (), line))
    return found
