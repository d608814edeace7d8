"""How a model is trained towards the metric: which losses, on which scales of the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from objectives.data.target_transform import PER, PLAIN, column_of, transform_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.folds import Task

AUTO = "auto"


class Loss(NamedTuple):
    """What a loss asks of the targets.

    Attributes:
        task: The one it is for.
        lowest: Least target that it takes; None: any.
        takes_lowest: Whether the least itself is taken.
    """

    task: Task
    lowest: float | None = None
    takes_lowest: bool = True


LOSSES: dict[str, Loss] = {
    "l2": Loss("regression"),
    "l1": Loss("regression"),
    "mape": Loss("regression"),
    "huber": Loss("regression"),
    "fair": Loss("regression"),
    "quantile": Loss("regression"),
    "poisson": Loss("regression", 0),
    "tweedie": Loss("regression", 0),
    "gamma": Loss("regression", 0, takes_lowest=False),
    "binary": Loss("binary"),
    "multiclass": Loss("multiclass"),
}
# The loss and the scale that fit a metric; any other is trained by its task's first loss, as it is.
_FITTING = {
    "mae": ("l1", "none"),
    "medae": ("l1", "none"),
    "mape": ("mape", "none"),
    "smape": ("l1", "none"),
    "rmsle": ("l2", "log1p"),
}
# What was trained on before there was a choice; a study of that time names neither.
_FIRST_LOSSES = {"mae": "l1", "mape": "mape"}


@dataclass(frozen=True)
class Approach:
    """What an objective may choose from; of several it chooses by a parameter.

    Attributes:
        losses: Names in `LOSSES`, all of one task.
        transforms: As in the setting `target_transform`.
    """

    losses: tuple[str, ...]
    transforms: tuple[str, ...] = ("none",)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a transform divides by."""
        return tuple(column for name in self.transforms if (column := column_of(name)) is not None)

    def __str__(self) -> str:
        return f"loss {', '.join(self.losses)}; target {', '.join(self.transforms)}"


USUAL = Approach(("l2",))


class Divisors(NamedTuple):
    """A column that targets are divided by.

    Attributes:
        train: Its values in the training rows, shape (n_train,).
        test: In the test rows, shape (n_test,).
    """

    train: FloatArray
    test: FloatArray

    def take(self, train: NDArray[np.intp], test: NDArray[np.intp]) -> Divisors:
        """Those of some rows, by position."""
        return Divisors(self.train[train], self.test[test])


def first_approach(metric: str, task: Task) -> Approach:
    """What was trained on before there was a choice."""
    return Approach((_FIRST_LOSSES.get(metric, losses_for(task)[0]),))


def losses_for(task: Task) -> list[str]:
    """Names of a task's losses, the usual one first."""
    return [name for name, loss in LOSSES.items() if loss.task == task]


def find_approach(
    losses: tuple[str, ...], transforms: tuple[str, ...], metric: str, task: Task
) -> tuple[Approach, list[str]]:
    """What was asked for, with "auto" or nothing as what fits the metric, and one line for each bad name."""
    loss, transform = _FITTING.get(metric, (losses_for(task)[0], "none"))
    approach = Approach(_chosen(losses, loss), _chosen(transforms, transform))
    allowed = losses_for(task)
    faults = [
        f"loss: got {name!r}; allowed for {task}: {AUTO}, {', '.join(allowed)}; do: choose from them"
        for name in approach.losses
        if name not in allowed
    ]
    scales = [*PLAIN, f"{PER}COLUMN"] if task == "regression" else ["none"]
    faults += [
        f"target_transform: got {name!r}; allowed for {task}: {AUTO}, {', '.join(scales)}; do: choose from them"
        for name in approach.transforms
        if name != "none" and not (task == "regression" and (name in PLAIN or column_of(name)))
    ]
    return approach, faults


def _chosen(asked: tuple[str, ...], fitting: str) -> tuple[str, ...]:
    names = [fitting if name == AUTO else name for name in asked] or [fitting]
    return tuple(dict.fromkeys(names))


def approach_faults(approach: Approach, metric: str, target: FloatArray) -> list[str]:
    """One line for each loss, transform and metric that cannot take the targets, shape (n,)."""
    faults = [fault for name in approach.transforms if (fault := transform_fault(name, target))]
    for name in approach.losses:
        loss = LOSSES[name]
        if loss.lowest is None:
            continue
        bad = target < loss.lowest if loss.takes_lowest else target <= loss.lowest
        word = "0 or more" if loss.takes_lowest else "more than 0"
        if bad.any():
            faults.append(
                f"loss: got {name} and {np.count_nonzero(bad):,} targets it cannot take, such as {target.min():g}; "
                f"allowed: targets of {word}; do: choose another loss or mend the rows"
            )
        if "quantile" in approach.transforms:
            faults.append(
                f"loss: got {name} with target_transform quantile, whose labels are below 0 too; "
                "allowed: one or the other; do: leave one out"
            )
    if metric == "rmsle" and (target < 0).any():
        faults.append(
            f"metric: got rmsle and {np.count_nonzero(target < 0):,} targets below 0; allowed: targets of 0 or more; "
            "do: choose another metric or mend the rows"
        )
    return faults


def column_faults(approach: Approach, target_name: str, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """One line for each table, by its file's name, in which a column cannot divide the target."""
    faults = []
    for column in approach.columns:
        for path, table in tables.items():
            what = _column_fault(column, target_name, table)
            if what:
                faults.append(
                    f"target_transform: got {PER}{column}, {what} in {path}; allowed: a column of both files with a "
                    "number above 0 in each row; do: choose another column or mend the rows"
                )
    return faults


def _column_fault(column: str, target_name: str, table: pd.DataFrame) -> str | None:
    if column == target_name:
        return "the target itself"
    if column not in table:
        return "no column"
    values = divisor(table, column)
    bad = ~(np.isfinite(values) & (values > 0))
    if not bad.any():
        return None
    return f"{np.count_nonzero(bad):,} values that are no number above 0, such as {table[column][bad].tolist()[0]!r}"


def divisor(table: pd.DataFrame, column: str) -> FloatArray:
    """A column's values in raw rows, shape (n,); NaN where there is no number, or no such column."""
    if column not in table:
        return np.full(len(table), np.nan)
    return np.asarray(pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64, na_value=np.nan))
