"""What split is asked for, and what it comes to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from objectives.data.folds import scheme as default_scheme

if TYPE_CHECKING:
    from objectives.data.folds import Fold, Task

Scheme = Literal["auto", "kfold", "stratified", "group", "stratified_group", "time", "column"]

NEEDED: dict[Scheme, str] = {
    "group": "group",
    "stratified_group": "group",
    "time": "time",
    "column": "fold_column",
}
"""The setting that names the column a scheme splits by."""


@dataclass(frozen=True)
class SplitPlan:
    """A split as it is asked for.

    Attributes:
        scheme: How; `auto` follows from the columns given, and from the task where there are none.
        folds: How many; a fold column has its own number.
        seed: Fixes the shuffle.
        group: Column whose equal values never are on both sides.
        time: Column of moments; training comes before validation.
        gap: Distinct moments left out between the two.
        fold_column: Column whose value is the fold a row validates.
        repeats: How often to split anew.
        compare: Whether no split is decided yet: the columns given are candidates, and more are looked for.
    """

    scheme: Scheme = "auto"
    folds: int = 5
    seed: int = 42
    group: str | None = None
    time: str | None = None
    gap: int = 0
    fold_column: str | None = None
    repeats: int = 1
    compare: bool = False

    @property
    def given(self) -> dict[str, str]:
        """The columns given, by setting."""
        columns = {"group": self.group, "time": self.time, "fold_column": self.fold_column}
        return {setting: name for setting, name in columns.items() if name is not None}

    @property
    def column(self) -> str | None:
        """The column the scheme splits by."""
        return self.given.get(NEEDED.get(self.scheme, ""))

    @property
    def rows_per_class(self) -> int:
        """Rows that each class must have: one a fold, where the rows are dealt to the folds one by one."""
        is_dealt = self.scheme in ("kfold", "stratified") or (self.scheme == "auto" and not self.given)
        return self.folds if is_dealt or self.compare else 1

    def resolved(self, task: Task) -> SplitPlan:
        """The same with its scheme decided."""
        if self.scheme != "auto":
            return self
        by_column: dict[str, Scheme] = {"group": "group", "time": "time", "fold_column": "column"}
        found = [by_column[setting] for setting in self.given]
        return replace(self, scheme=found[0] if found and not self.compare else default_scheme(task))

    def is_default(self, task: Task) -> bool:
        """Whether a decided split is the one that every study had before there were others."""
        return self.scheme == default_scheme(task) and self.repeats == 1


DEFAULT_PLAN = SplitPlan()


def plan_faults(plan: SplitPlan) -> list[str]:
    """One line for each setting that contradicts another; no data is needed to see it."""
    if plan.compare:
        return []
    given = [_flag(setting) for setting in plan.given]
    faults = []
    if plan.scheme == "auto" and len(given) > 1:
        faults.append(
            f"split: got {' and '.join(given)} together; allowed: one of them decides; "
            "do: say which by --split, or drop the others"
        )
    needed = NEEDED.get(plan.scheme)
    if needed is not None and needed not in plan.given:
        faults.append(
            f"{needed}: got nothing; allowed with --split {plan.scheme}: a column of the training file; "
            f"do: name it by {_flag(needed)}, or see what python -m search.splits finds"
        )
    is_time = plan.scheme == "time" or (plan.scheme == "auto" and "time" in plan.given)
    if plan.gap and not is_time:
        faults.append(f"gap: got {plan.gap} without time folds; allowed: 0; do: add --time, or drop --gap")
    is_fixed = is_time or plan.scheme == "column" or (plan.scheme == "auto" and "fold_column" in plan.given)
    if plan.repeats > 1 and is_fixed:
        kind = "time folds" if is_time else "a fold column"
        faults.append(
            f"repeats: got {plan.repeats} with {kind}; allowed: 1, for these folds are always the same; "
            "do: drop --repeats"
        )
    return faults


def unused_columns(plan: SplitPlan) -> list[str]:
    """One line for each column that was given and has no part in a decided scheme."""
    return [
        f"Folds: {name} (given by {_flag(setting)}) has no part in {plan.scheme} folds"
        for setting, name in plan.given.items()
        if name != plan.column and not plan.compare
    ]


def describe_plan(plan: SplitPlan) -> str:
    """A decided split by name, as `group by city`."""
    return plan.scheme + (f" by {plan.column}" if plan.column else "")


def plan_settings(plan: SplitPlan) -> dict[str, str | int]:
    """The settings that ask for a decided split, by name; those with their default are left out."""
    settings: dict[str, str | int] = {}
    if plan.scheme in ("stratified_group", "stratified", "kfold"):
        settings["split"] = plan.scheme
    if plan.column:
        settings[NEEDED[plan.scheme]] = plan.column
    for name in ("gap", "folds", "repeats"):
        value = getattr(plan, name)
        if value != getattr(DEFAULT_PLAN, name) and not (name == "folds" and plan.scheme == "column"):
            settings[name] = value
    return settings


def describe(plan: SplitPlan, task: Task, folds: tuple[Fold, ...]) -> str:
    """What a decided split means, for a study that must always mean the same by it.

    The default split is told by its name alone, as in every study before there were others; any other carries
    a hash of its rows, for it depends on a column that may be no feature.
    """
    seed = f"seed {plan.seed}"
    if plan.is_default(task):
        return f"{plan.scheme}, {len(folds)} folds, {seed}"
    gap = f", gap {plan.gap}" if plan.gap else ""
    repeats = f", {plan.repeats} repeats" if plan.repeats > 1 else ""
    n = len(folds) // plan.repeats
    return f"{describe_plan(plan)}, {n} folds{gap}{repeats}, {seed}, rows {_digest(folds)}"


def _digest(folds: tuple[Fold, ...]) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for fold in folds:
        for rows in fold:
            digest.update(len(rows).to_bytes(8, "little"))
            digest.update(np.ascontiguousarray(rows, "<i8").tobytes())
    return digest.hexdigest()


def _flag(setting: str) -> str:
    return "--" + setting.replace("_", "-")
