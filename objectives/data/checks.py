"""What is asked of two tables, and every reason why they cannot answer it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from objectives.data.features.choice import FeatureChoice
from objectives.data.split.plan import DEFAULT_PLAN

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from objectives.data.folds import Task
    from objectives.data.split.plan import SplitPlan


@dataclass(frozen=True)
class DataFiles:
    """Where the data is and which columns matter; `None` means: find out.

    Attributes:
        train: Training table, with the target.
        test: Table to predict, without it.
        target: Name of the target column.
        id: Name of the id column; the test table must have it.
        task: Regression, binary or multiclass.
        metric: A name in `objectives.data.metrics.METRICS`, or `file.py:function` or `module:function`.
        categorical: Columns to treat as categories besides the text columns.
        split: How the training rows are split.
        strict: Whether a leak is a fault, not a warning.
        metric_direction: "min" or "max", for a metric of one's own.
        metric_code: Text of the metric's file as it was when a study began; None: as it is now.
        losses: Names in `objectives.data.approach.LOSSES`, or "auto"; none: what fits the metric.
        transforms: Scales to train on, as in the setting `target_transform`, or "auto"; none: likewise.
        choice: Columns of the other kinds, and the user's own features.
    """

    train: Path
    test: Path
    target: str
    id: str
    task: Task | None = None
    metric: str | None = None
    categorical: tuple[str, ...] = ()
    split: SplitPlan = DEFAULT_PLAN
    strict: bool = False
    metric_direction: str | None = None
    metric_code: str | None = None
    losses: tuple[str, ...] = ()
    transforms: tuple[str, ...] = ()
    choice: FeatureChoice = field(default_factory=FeatureChoice)


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
