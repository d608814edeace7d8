"""What is asked of two tables, and every reason why they cannot answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from objectives.data.folds import TASKS
from objectives.data.metrics import DEFAULT_METRIC, METRICS, metrics_for
from objectives.data.target import find_task

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from objectives.data.folds import Task


@dataclass(frozen=True)
class DataFiles:
    """Where the data is and which columns matter; `None` means: find out.

    Attributes:
        train: Training table, with the target.
        test: Table to predict, without it.
        target: Name of the target column.
        id: Name of the id column; the test table must have it.
        task: Regression, binary or multiclass.
        metric: A name in `objectives.data.metrics.METRICS`.
        categorical: Columns to treat as categories besides the text columns.
        n_splits: Number of folds the classes must fill.
    """

    train: Path
    test: Path
    target: str
    id: str
    task: Task | None = None
    metric: str | None = None
    categorical: tuple[str, ...] = ()
    n_splits: int = 5


def find_task_and_metric(files: DataFiles, train: pd.DataFrame) -> tuple[Task | None, str, list[str]]:
    """The task and the metric's name, given or found out, and the faults of the given ones."""
    if files.task is not None and files.task not in TASKS:
        return None, "", [f"task: got {files.task!r}; allowed: {', '.join(TASKS)}; do: choose one"]
    metric = METRICS.get(files.metric or "")
    task = files.task
    if task is None and files.target in train:
        task = find_task(train[files.target])
        if metric is not None and task not in metric.tasks:
            task = metric.tasks[-1]
    if files.metric is None:
        return task, DEFAULT_METRIC[task] if task else "", []
    allowed = metrics_for(task) if task else list(METRICS)
    if files.metric not in allowed:
        where = f" for {task}" if task else ""
        return (
            task,
            "",
            [f"metric: got {files.metric!r}; allowed{where}: {', '.join(allowed)}; do: choose one"],
        )
    return task, files.metric, []


def metric_faults(metric: str | None) -> list[str]:
    """The fault of a metric that no task has."""
    if metric is None or metric in METRICS:
        return []
    return [f"metric: got {metric!r}; allowed: {', '.join(METRICS)}; do: choose one"]


def table_faults(files: DataFiles, train: pd.DataFrame, test: pd.DataFrame) -> list[str]:
    """One line for each column that is missing, repeated or in the wrong file."""
    faults = _target_column_faults(files, train, test)
    if files.id not in test:
        faults.append(
            f"id: got {files.id!r}, not a column of {files.test}; allowed: {_some(test)}; do: name one by --id"
        )
    for path, table in ((files.train, train), (files.test, test)):
        faults += _id_faults(files.id, path, table)
    faults += [
        f"categorical: got {c!r}, not a feature of {files.train}; allowed: {_some(train)}; do: choose from them"
        for c in files.categorical
        if c not in train or c in (files.target, files.id)
    ]
    if not (set(train) & set(test)) - {files.target, files.id}:
        faults.append(
            f"got no feature in common: {files.train} has {_some(train)}, {files.test} has {_some(test)}; "
            "allowed: at least 1 shared column; do: give both files the same feature columns"
        )
    return faults


def _target_column_faults(files: DataFiles, train: pd.DataFrame, test: pd.DataFrame) -> list[str]:
    faults = []
    if files.target not in train:
        faults.append(
            f"target: got {files.target!r}, not a column of {files.train}; allowed: {_some(train)}; "
            "do: name one by --target"
        )
    if files.target in test:
        faults.append(
            f"target: got {files.target!r} in {files.test} too; allowed: in the training file only; "
            "do: drop it from the test file, it would leak"
        )
    return faults


def _id_faults(name: str, path: Path, table: pd.DataFrame) -> list[str]:
    if name not in table:
        return []
    missing = int(table[name].isna().sum())
    if missing:
        return [
            f"id: got {missing:,} missing values of {name!r} in {path}; allowed: 0; do: fill or drop those rows"
        ]
    repeated = table[name][table[name].duplicated()]
    if len(repeated):
        return [
            (
                f"id: got {len(repeated):,} repeats of {name!r} in {path}, such as {repeated.iloc[0]!r}; "
                "allowed: each id once, unique; do: drop the repeats or name another column by --id"
            )
        ]
    return []


def _some(table: pd.DataFrame, most: int = 8) -> str:
    names = [str(c) for c in table.columns]
    return ", ".join(names[:most]) + (f", ... ({len(names)} columns)" if len(names) > most else "")
