"""What is asked for: the task, the metric and the approach to it, given or found out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from objectives.data.approach import (
    Approach,
    Divisors,
    approach_faults,
    column_faults,
    divisor,
    find_approach,
)
from objectives.data.folds import TASKS
from objectives.data.metrics import DEFAULT_METRIC, METRICS, Metric, metrics_for
from objectives.data.own_metric import OwnMetricError, find_own, is_own
from objectives.data.own_metric_trial import try_metric
from objectives.data.target import find_task

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from objectives.base import FloatArray
    from objectives.data.checks import DataFiles
    from objectives.data.folds import Task

_OWN = "file.py:function"


class Asked(NamedTuple):
    """The score that is searched for, and how models are trained towards it.

    Attributes:
        metric: With its direction.
        approach: Losses and transforms.
        divisors: Of the transforms, by column.
        notes: What was found out, one line each.
    """

    metric: Metric
    approach: Approach
    divisors: Mapping[str, Divisors]
    notes: tuple[str, ...]


def find_task_and_metric(
    files: DataFiles, train: pd.DataFrame
) -> tuple[Task | None, Metric | None, list[str]]:
    """The task and the metric, given or found out, and the faults of the given ones."""
    if files.task is not None and files.task not in TASKS:
        return None, None, [f"task: got {files.task!r}; allowed: {', '.join(TASKS)}; do: choose one"]
    own, faults = _own(files)
    if faults:
        return files.task, None, faults
    metric = own or METRICS.get(files.metric or "")
    task = files.task
    if task is None and files.target in train:
        task = find_task(train[files.target])
        if metric is not None and task not in metric.tasks:
            task = metric.tasks[-1]
    if files.metric is None:
        return task, METRICS[DEFAULT_METRIC[task]] if task else None, []
    allowed = metrics_for(task) if task else list(METRICS)
    if own is None and files.metric not in allowed:
        where = f" for {task}" if task else ""
        return task, None, [_name_fault(files.metric, where, allowed)]
    return task, metric, []


def metric_faults(files: DataFiles) -> list[str]:
    """The fault of a metric that no task has, before anything is known of the data."""
    own, faults = _own(files)
    if faults or own or files.metric is None or files.metric in METRICS:
        return faults
    return [_name_fault(files.metric, "", list(METRICS))]


def _own(files: DataFiles) -> tuple[Metric | None, list[str]]:
    if files.metric is None or not is_own(files.metric):
        return None, []
    try:
        return find_own(files.metric, code=files.metric_code), []
    except OwnMetricError as error:
        return None, [str(error)]


def _name_fault(metric: str, where: str, allowed: list[str]) -> str:
    return f"metric: got {metric!r}; allowed{where}: {', '.join(allowed)}, {_OWN}; do: choose one"


def settle(
    files: DataFiles,
    metric: Metric,
    task: Task,
    target: FloatArray,
    tables: tuple[pd.DataFrame, pd.DataFrame],
) -> tuple[Asked, list[str]]:
    """Looks at the metric and the approach together with the targets.

    Args:
        files: What was given.
        metric: From `find_task_and_metric`.
        task: Likewise.
        target: Shape (n_train,): numbers, or class indices.
        tables: The raw training and test rows.

    Returns:
        What was settled, and one line for each fault.
    """
    tried = try_metric(metric, files.metric_direction, task, target)
    approach, faults = find_approach(files.losses, files.transforms, metric.name, task)
    faults = [*tried.faults, *faults]
    if task == "regression":
        named = {str(files.train): tables[0], str(files.test): tables[1]}
        faults += approach_faults(approach, metric.name, target) + column_faults(
            approach, files.target, named
        )
    if faults:
        return Asked(tried.metric, approach, {}, ()), faults
    divisors = {
        column: Divisors(*(divisor(table, column) for table in tables)) for column in approach.columns
    }
    return Asked(
        tried.metric, approach, divisors, (*tried.notes, *_notes(files, approach, metric, target))
    ), []


def _notes(files: DataFiles, approach: Approach, metric: Metric, target: FloatArray) -> list[str]:
    notes = []
    if approach.transforms != ("none",) or files.losses:
        found = "" if files.transforms or files.losses else " (found out: it fits the metric)"
        notes.append(f"Training: {approach}{found}")
    zeros = int((target == 0).sum())
    if metric.name == "mape" and zeros:
        notes.append(
            f"Metric: mape has no meaning for the {zeros:,} targets of 0, and they outweigh all others"
        )
    return notes
