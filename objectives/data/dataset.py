"""From two files to what a model sees: read, checked, typed and fingerprinted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from objectives.data.checks import DataFiles, find_task_and_metric, metric_faults, table_faults
from objectives.data.columns import ColumnEncoder, find_columns
from objectives.data.metrics import METRICS
from objectives.data.read import TableError, read_table
from objectives.data.target import encode_target, target_faults

if TYPE_CHECKING:
    from collections.abc import Collection

    from objectives.base import FloatArray
    from objectives.data.folds import Task
    from objectives.data.metrics import Metric


class DatasetError(Exception):
    """Data that cannot be searched.

    Attributes:
        faults: One line each: got, allowed, do.
    """

    def __init__(self, faults: Collection[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Dataset:
    """A competition's data as arrays.

    Attributes:
        train: Features, shape (n_train, n_features); NaN is missing, categories are level indices.
        target: Shape (n_train,): numbers, or class indices.
        test: Features of the rows to predict, shape (n_test, n_features).
        test_ids: Their ids, as text exactly as in the file.
        raw_test: The first raw test rows, as an example of what a served model receives.
        encoder: What turned raw rows into features.
        task: Regression, binary or multiclass.
        metric: The score to search for.
        classes: Class labels in index order; empty for regression.
        target_name: Name of the target column.
        id_name: Name of the id column.
        fingerprint: Hash of all that an objective sees.
        notes: What was found out, one line each, for people.
    """

    train: FloatArray
    target: FloatArray
    test: FloatArray
    test_ids: tuple[str, ...]
    raw_test: pd.DataFrame
    encoder: ColumnEncoder
    task: Task
    metric: Metric
    classes: tuple[str, ...]
    target_name: str
    id_name: str
    fingerprint: str
    notes: tuple[str, ...]


_EXAMPLE_ROWS = 100


def load_dataset(files: DataFiles) -> Dataset:
    """Reads and checks the two tables.

    Raises:
        DatasetError: With every fault found, not just the first.
    """
    tables, faults = _read_both(files)
    if tables is None:
        raise DatasetError([*faults, *metric_faults(files.metric)])
    train, test = tables
    task, metric_name, faults = find_task_and_metric(files, train)
    faults += table_faults(files, train, test)
    if files.target in train and task is not None:
        faults += target_faults(train[files.target], task, files.n_splits)
    if faults or task is None:
        raise DatasetError(faults)
    names = [c for c in train.columns if c in test.columns and c not in (files.target, files.id)]
    encoder, dropped = find_columns(train, names, files.categorical)
    if not encoder.columns:
        raise DatasetError(
            [
                f"got no usable feature: {', '.join(dropped)}; allowed: at least 1; do: add a column with values"
            ]
        )
    target, classes = encode_target(train[files.target], task)
    x_train, x_test = encoder.transform(train), encoder.transform(test)
    test_ids = tuple(test[files.id].astype(str))
    return Dataset(
        train=x_train,
        target=target,
        test=x_test,
        test_ids=test_ids,
        raw_test=test.head(_EXAMPLE_ROWS),
        encoder=encoder,
        task=task,
        metric=METRICS[metric_name],
        classes=classes,
        target_name=files.target,
        id_name=files.id,
        fingerprint=_fingerprint(encoder, (x_train, target, x_test), (*classes, *test_ids)),
        notes=(
            f"Data: {len(train):,} training rows, {len(test):,} test rows, {len(encoder.columns)} features",
            *_notes(files, task, metric_name, encoder),
            *_left_out(files, dropped, train, test),
        ),
    )


def _read_both(files: DataFiles) -> tuple[tuple[pd.DataFrame, pd.DataFrame] | None, list[str]]:
    faults: list[str] = []
    tables: list[pd.DataFrame] = []
    text = {files.id, *files.categorical}
    for path in (files.train, files.test):
        try:
            table = read_table(path, text)
        except TableError as error:
            faults.append(str(error))
            continue
        tables.append(table)
        # A column of text in training is read as text in test too, so that "1" and 1 are one category.
        text |= {str(c) for c in table if not pd.api.types.is_numeric_dtype(table[c].dtype)}
    return (None, faults) if faults else ((tables[0], tables[1]), [])


def _fingerprint(encoder: ColumnEncoder, arrays: tuple[FloatArray, ...], texts: tuple[str, ...]) -> str:
    digest = hashlib.blake2b(encoder.to_json().encode(), digest_size=16)
    for array in arrays:
        digest.update(str(array.shape).encode())
        digest.update(array.tobytes(order="A"))
    digest.update("\n".join(texts).encode())
    return digest.hexdigest()


def _notes(files: DataFiles, task: Task, metric: str, encoder: ColumnEncoder) -> list[str]:
    found = " (found out)"
    notes = [f"Task: {task}{'' if files.task else found}; metric: {metric}{'' if files.metric else found}"]
    for kind, label in (("category", "Categorical"), ("date", "Dates")):
        names = [c.name for c in encoder.columns if c.kind == kind]
        if names:
            notes.append(f"{label} ({len(names)}): {', '.join(names)}")
    return notes


def _left_out(
    files: DataFiles, dropped: tuple[str, ...], train: pd.DataFrame, test: pd.DataFrame
) -> list[str]:
    one_sided = [str(c) for c in train if c not in test and c not in (files.target, files.id)]
    one_sided += [str(c) for c in test if c not in train and c != files.id]
    notes = []
    if dropped:
        notes.append(f"Dropped: {', '.join(dropped)}")
    if one_sided:
        notes.append(f"Ignored (in one file only): {', '.join(one_sided)}")
    return notes
