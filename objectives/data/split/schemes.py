"""From a decided split to folds, on scikit-learn's splitters."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from objectives.data.folds import Fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.folds import Task
    from objectives.data.split.keys import SplitKeys
    from objectives.data.split.plan import SplitPlan

    _Parts = tuple[NDArray[np.intp], NDArray[np.intp]]

_MOST_BINS = 10
_TWO = 2


class SplitError(Exception):
    """A split that the rows do not allow.

    Attributes:
        faults: One line each: got, allowed, do.
    """

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class Splittable(NamedTuple):
    """What a split depends on.

    Attributes:
        target: Shape (n_train,): numbers, or class indices.
        task: What the target is.
        keys: The columns that the plan names.
    """

    target: FloatArray
    task: Task
    keys: SplitKeys


def make_split(plan: SplitPlan, rows: Splittable) -> tuple[Fold, ...]:
    """Splits the rows.

    Args:
        plan: A decided one, of which `plan_faults` finds nothing to say.
        rows: What is split.

    Returns:
        The folds; with repeats, those of the first repeat come first.

    Raises:
        SplitError: If there are too few rows, groups or moments, or a fold would lack a class of two.
    """
    faults = _too_few(plan, rows)
    if faults:
        raise SplitError(faults)
    pairs = [pair for repeat in range(plan.repeats) for pair in _split(plan, rows, _seed(plan.seed, repeat))]
    folds = tuple(Fold(np.asarray(train, np.intp), np.asarray(val, np.intp)) for train, val in pairs)
    faults = _part_faults(plan, rows, folds)
    if faults:
        raise SplitError(faults)
    return folds


def _split(plan: SplitPlan, rows: Splittable, seed: int) -> Iterable[_Parts]:
    from sklearn import model_selection as by

    if plan.scheme == "time":
        return _by_time(plan, rows)
    if plan.scheme == "column":
        return list(by.PredefinedSplit(rows.keys.folds[0].train).split())
    make = {
        "kfold": by.KFold,
        "stratified": by.StratifiedKFold,
        "group": by.GroupKFold,
        "stratified_group": by.StratifiedGroupKFold,
    }[plan.scheme]
    groups = rows.keys.group(plan.group).train if plan.column else None
    strata = _strata(rows, plan.folds) if "stratified" in plan.scheme else None
    splitter = make(plan.folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(rows.target)), strata, groups))


def _by_time(plan: SplitPlan, rows: Splittable) -> Iterable[_Parts]:
    """Splits the distinct moments, so that no moment is on both sides."""
    from sklearn.model_selection import TimeSeriesSplit

    known, moment = np.unique(rows.keys.time(plan.time).train, return_inverse=True)
    size = (len(known) - plan.gap) // (plan.folds + 1)
    for train, val in TimeSeriesSplit(plan.folds, test_size=size, gap=plan.gap).split(known):
        yield np.flatnonzero(moment <= train[-1]), np.flatnonzero((moment >= val[0]) & (moment <= val[-1]))


def _strata(rows: Splittable, folds: int) -> NDArray[np.intp]:
    """Classes, or about ten equal parts of the target's range by count, each with a row for every fold."""
    if rows.task != "regression":
        return rows.target.astype(np.intp)
    for bins in range(min(_MOST_BINS, len(rows.target) // folds), 1, -1):
        edges = np.unique(np.quantile(rows.target, np.arange(1, bins) / bins))
        strata = np.searchsorted(edges, rows.target, side="right")
        _, strata, counts = np.unique(strata, return_inverse=True, return_counts=True)
        if counts.min() >= folds:
            return np.asarray(strata, np.intp)
    return np.zeros(len(rows.target), np.intp)


def _seed(seed: int, repeat: int) -> int:
    """The first repeat is the split without repeats."""
    return int(np.random.SeedSequence([seed, repeat]).generate_state(1)[0]) if repeat else seed


def _too_few(plan: SplitPlan, rows: Splittable) -> list[str]:
    if plan.scheme in ("group", "stratified_group"):
        return _too_few_groups(plan, rows.keys)
    if plan.scheme == "time":
        return _too_few_moments(plan, rows.keys)
    if plan.scheme != "column" and len(rows.target) < plan.folds:
        return [
            (
                f"folds: got {plan.folds} for {len(rows.target)} rows; allowed: as many as rows at most; "
                "do: lower --folds"
            )
        ]
    return []


def _too_few_groups(plan: SplitPlan, keys: SplitKeys) -> list[str]:
    n = len(np.unique(keys.group(plan.group).train))
    if n >= plan.folds:
        return []
    do = f"give --folds {n}" if n >= _TWO else "name another column by --group"
    return [
        (
            f"group: got {n} distinct values of {plan.group!r} for {plan.folds} folds; allowed: at least one a fold; "
            f"do: {do}"
        )
    ]


def _too_few_moments(plan: SplitPlan, keys: SplitKeys) -> list[str]:
    n = len(np.unique(keys.time(plan.time).train))
    if n >= plan.folds + 1 + plan.gap:
        return []
    what = f"{plan.folds} folds" + (f" and a gap of {plan.gap}" if plan.gap else "")
    fewest = plan.folds + 1 + plan.gap
    return [
        (
            f"time: got {n} distinct values of {plan.time!r} for {what}; allowed: at least {fewest}; "
            f"do: lower --folds{' or --gap' if plan.gap else ''}"
        )
    ]


def _part_faults(plan: SplitPlan, rows: Splittable, folds: tuple[Fold, ...]) -> list[str]:
    faults = []
    for k, fold in enumerate(folds):
        for part, idx in zip(("training", "validation"), fold, strict=True):
            n_values = len(np.unique(rows.target[idx])) if rows.task == "binary" else min(len(idx), _TWO)
            fewest = _TWO if rows.task == "binary" else 1
            if n_values < fewest:
                got = f"{len(idx):,} rows" + (" of one class" if len(idx) else "")
                allowed = "both classes" if rows.task == "binary" else "at least 1 row"
                faults.append(
                    f"split: got {got} in the {part} part of fold {k} ({plan.scheme} folds); allowed: {allowed}; "
                    f"do: {_other_split(plan)}"
                )
    return faults


def _other_split(plan: SplitPlan) -> str:
    if plan.scheme == "column":
        return "mend the fold column"
    return (
        "give --split stratified_group or fewer --folds" if plan.scheme == "group" else "give fewer --folds"
    )
