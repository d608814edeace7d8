"""Columns whose gaps tell the target, and columns that the test rows do not really have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from objectives.data.leaks.copies import explains
from objectives.data.leaks.evidence import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from objectives.base import FloatArray

_PERFECT = 0.97
_FEWEST, _LEAST_SHARE = 10, 0.01
_FEWEST_TEST_ROWS = 30
# Chance of what is seen, if training and test rows were alike.
_UNLIKELY = 1e-9
_LESS_KNOWN = 0.5


def find_telling_gaps(evidence: Evidence) -> list[Finding]:
    """Columns that are missing for some targets only."""
    gaps = np.isnan(evidence.train).mean(axis=0)
    found = []
    for i in np.flatnonzero((gaps > 0) & (gaps < 1)):
        missing = np.isnan(evidence.train[evidence.rows, i])
        told = tells(evidence, missing)
        if told:
            name = evidence.names[i]
            line = (
                f"leak: got {name!r}, missing in {gaps[i]:.0%} of the training rows, and {told}; "
                "allowed: gaps that say little; do: drop the column: it is filled in when the target is known"
            )
            found.append(Finding("telling gaps", (name,), line))
    return found


def tells(evidence: Evidence, flag: Sequence[bool] | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> str:
    """How a yes or no of `evidence.rows` gives the target away; empty where it does not."""
    flags = np.asarray(flag, np.bool_)
    rarer = int(min(flags.sum(), (~flags).sum()))
    if rarer < max(_FEWEST, _LEAST_SHARE * len(flags)):
        return ""
    if evidence.task != "regression":
        explained = explains(evidence, flags.astype(np.float64))
        return f"that alone explains {explained:.1%} of a class" if explained >= _PERFECT else ""
    target = evidence.target[evidence.rows]
    yes, no = target[flags], target[~flags]
    if yes.max() < no.min() or no.max() < yes.min():
        return (
            f"all its targets lie on one side of {max(min(yes.max(), no.max()), min(yes.min(), no.min())):g}"
        )
    return ""


def find_absent(evidence: Evidence) -> list[Finding]:
    """Columns that training rows have and test rows have not: empty, or one value throughout."""
    if len(evidence.test) < _FEWEST_TEST_ROWS:
        return []
    found = []
    for i, name in enumerate(evidence.names):
        known, known_test = _known_shares(evidence, i)
        if known - known_test > _LESS_KNOWN:
            what = f"known in {known:.0%} of the training rows but {known_test:.0%} of the test rows"
            found.append(_finding(name, "absent in test", what))
        elif _is_frozen(evidence.train[:, i], evidence.test[:, i]):
            found.append(
                _finding(name, "constant in test", "of many values in training but one in the test rows")
            )
    return found


def _known_shares(evidence: Evidence, i: int) -> tuple[float, float]:
    name = evidence.names[i]
    if i in evidence.categorical and name in evidence.raw_train and name in evidence.raw_test:
        # As raw text: a category that training never had is missing to the model, but there.
        return float(evidence.raw_train[name].notna().mean()), float(evidence.raw_test[name].notna().mean())
    tables = evidence.train, evidence.test
    known, known_test = (float(np.isfinite(table[:, i]).mean()) for table in tables)
    return known, known_test


def _is_frozen(train: FloatArray, test: FloatArray) -> bool:
    """Whether the test rows have one value, which chance would not give them, nor the course of time."""
    known = test[np.isfinite(test)]
    if len(known) < _FEWEST_TEST_ROWS or np.ptp(known) > 0:
        return False
    values = train[np.isfinite(train)]
    # A later year, a new shop: beyond what training has at either end is not a leak.
    if known[0] <= values.min() or known[0] >= values.max():
        default = known[0] in (0.0, -1.0)
        if not default:
            return False
    share = float((values == known[0]).mean())
    return share ** len(known) < _UNLIKELY


def _finding(name: str, kind: str, what: str) -> Finding:
    line = (
        f"leak: got {name!r}, {what}; allowed: columns that test rows have alike; "
        "do: drop the column: the model would learn from what it will not be given"
    )
    return Finding(kind, (name,), line)
