"""Finds and checks the columns a split needs, given or not, in the two raw tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from objectives.data.split.keys import (
    Key,
    SplitKeys,
    fold_faults,
    fold_key,
    group_faults,
    group_key,
    time_faults,
    time_key,
)
from objectives.data.split.proposals import find_group, find_time, likely_group, likely_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from objectives.data.split.plan import SplitPlan
    from objectives.data.split.proposals import Proposal

_FAULTS = {"group": group_faults, "time": time_faults, "fold_column": fold_faults}


class Found(NamedTuple):
    """What was found.

    Attributes:
        keys: The columns a split needs.
        notes: What is proposed, one line each, for people.
    """

    keys: SplitKeys
    notes: tuple[str, ...] = ()


def split_column_faults(
    plan: SplitPlan, train: pd.DataFrame, others: Sequence[str], path: object
) -> list[str]:
    """One line for each fault of the columns that the plan names.

    Args:
        plan: The split as asked for.
        train: The raw training rows.
        others: Columns that can be none of them: the target and the id.
        path: Of the training file, for people.
    """
    faults = []
    for setting, name in plan.given.items():
        flag = "--" + setting.replace("_", "-")
        if name not in train or name in others:
            what = "the target or the id" if name in others else f"not a column of {path}"
            names = [str(c) for c in train.columns if c not in others]
            allowed = ", ".join(names[:8]) + (f", ... ({len(names)} columns)" if len(names) > 8 else "")  # noqa: PLR2004
            faults.append(f"{setting}: got {name!r}, {what}; allowed: {allowed}; do: name one by {flag}")
            continue
        faults += _FAULTS[setting](name, train[name])
    return faults


def find_split_columns(
    plan: SplitPlan, train: pd.DataFrame, test: pd.DataFrame, others: Sequence[str]
) -> Found:
    """The columns given and, where none is, what is proposed.

    Args:
        plan: The split as asked for; with `compare` its candidates are found as well.
        train: The raw training rows.
        test: The raw test rows.
        others: Columns that can be none of them.
    """
    given = _given(plan, train, test)
    if plan.scheme != "auto" and not plan.compare:
        return Found(given)
    if plan.given and not plan.compare:
        return Found(given)
    names = [str(c) for c in train.columns if c not in others and c not in plan.given.values()]
    time, group = find_time(train, test, names), find_group(train, test, names)
    if not plan.compare:
        return Found(given, tuple(_notes(time, group)))
    return Found(_candidates(given, train, test, names, (time, group)))


def _given(plan: SplitPlan, train: pd.DataFrame, test: pd.DataFrame) -> SplitKeys:
    def in_test(name: str) -> pd.Series | None:
        return test.get(name, None)

    return SplitKeys(
        (group_key(plan.group, train[plan.group], in_test(plan.group)),) if plan.group else (),
        (time_key(plan.time, train[plan.time], in_test(plan.time)),) if plan.time else (),
        (fold_key(plan.fold_column, train[plan.fold_column]),) if plan.fold_column else (),
    )


def _candidates(
    given: SplitKeys,
    train: pd.DataFrame,
    test: pd.DataFrame,
    names: Sequence[str],
    proposed: tuple[Proposal | None, Proposal | None],
) -> SplitKeys:
    """What parts the files and, where nothing is given or parts them, what might have."""
    shared = [name for name in names if name in test]
    times, groups = ([one.key] if one else [] for one in proposed)
    if not given.times and not times and (name := likely_time(train, shared)):
        times.append(time_key(name, train[name], test[name]))
    taken = [key.name for key in (*times, *groups)]
    if not given.groups and not groups:
        free = [name for name in shared if name not in taken]
        if name := likely_group(train, free):
            groups.append(group_key(name, train[name], test[name]))
    found: list[Key] = [*groups, *times]
    return SplitKeys(
        (*given.groups, *groups),
        (*given.times, *times),
        given.folds,
        tuple(key.name for key in found),
    )


def _notes(time: Proposal | None, group: Proposal | None) -> list[str]:
    lines = []
    if time is not None:
        lines.append(
            f"Folds: {time.share:.0%} of the test rows have a later {time.key.name} than all training rows: "
            f"random folds may flatter; --time {time.key.name} splits likewise, search.splits compares"
        )
    if group is not None:
        lines.append(
            f"Folds: {group.share:.0%} of the test rows have a {group.key.name} that training lacks "
            f"({group.by_chance:.0%} by chance): random folds may flatter; --group {group.key.name} splits "
            "likewise, search.splits compares"
        )
    return lines
