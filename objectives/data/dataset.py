"""From two files to what a model sees: read, checked, typed and fingerprinted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from objectives.data.approach import USUAL, Approach, first_approach
from objectives.data.asked_score import find_task_and_metric, metric_faults, settle
from objectives.data.checks import DataFiles, table_faults
from objectives.data.features.assembling import Asked, FeatureError, make_features
from objectives.data.features.choice import choice_faults
from objectives.data.features.learned import LearnedEncoder, LearnedRows
from objectives.data.leaks.gathering import gather
from objectives.data.leaks.guard import guard
from objectives.data.split.columns import find_split_columns, split_column_faults
from objectives.data.split.keys import NO_KEYS
from objectives.data.split.plan import plan_faults
from objectives.data.tables import read_tables
from objectives.data.target import encode_target, target_faults

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from objectives.base import FloatArray
    from objectives.data.approach import Divisors
    from objectives.data.columns import ColumnEncoder
    from objectives.data.features.assembling import Features
    from objectives.data.folds import Task
    from objectives.data.metrics import Metric
    from objectives.data.split.keys import SplitKeys


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
        encoder: What turned raw rows into those features.
        task: Regression, binary or multiclass.
        metric: The score to search for.
        classes: Class labels in index order; empty for regression.
        target_name: Name of the target column.
        id_name: Name of the id column.
        fingerprint: Hash of all that an objective sees.
        notes: What was found out, one line each, for people.
        keys: The columns that a split needs.
        learned: Makes further features inside each training fold; their columns come after those of `train`.
        approach: The losses and the scales of the target to train with.
        divisors: What a scale divides the target by, by column.
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
    keys: SplitKeys = NO_KEYS
    learned: LearnedRows = field(default_factory=lambda: LearnedRows(LearnedEncoder()))
    approach: Approach = USUAL
    divisors: Mapping[str, Divisors] = field(default_factory=dict)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What a model sees, in order."""
        return (*self.encoder.names, *self.learned.names)

    @property
    def shape(self) -> tuple[int, int]:
        """Training rows and features, also where the rows themselves were let go of."""
        return len(self.target), len(self.feature_names)

    @property
    def requirements(self) -> tuple[str, ...]:
        """Packages that a served model needs besides those that every one needs."""
        if self.learned.encoder.transformer is not None:
            return ("scikit-learn", "skops")
        return ("scikit-learn",) if any(part.kind == "text" for part in self.encoder.columns) else ()

    @property
    def nbytes(self) -> int:
        """Size of the arrays."""
        return self.train.nbytes + self.target.nbytes + self.test.nbytes

    @property
    def test_cells(self) -> int:
        """Numbers that a prediction of the test rows has."""
        return len(self.test) * (len(self.classes) if self.task == "multiclass" else 1)

    @property
    def score_question(self) -> dict[str, str]:
        """What a study must always mean the same by, besides the metric's name; nothing for what is usual."""
        question = {}
        if self.metric.source is not None:
            question["metric_source"] = f"{self.metric.source} {self.metric.direction}"
        if self.approach != first_approach(self.metric.name, self.task):
            question["training"] = str(self.approach)
        return question


_EXAMPLE_ROWS = 100


def load_dataset(files: DataFiles) -> Dataset:
    """Reads and checks the two tables.

    Raises:
        DatasetError: With every fault found, not just the first.
    """
    tables, faults = read_tables(files)
    if tables is None:
        raise DatasetError([*faults, *metric_faults(files), *plan_faults(files.split)])
    train, test, file_notes = tables
    task, metric = _checked(files, train, test)
    split = find_split_columns(files.split, train, test, (files.target, files.id))
    target, classes = encode_target(train[files.target], task)
    asked, faults = settle(files, metric, task, target, (train, test))
    if faults:
        raise DatasetError(faults)
    features = _features(files, train, test, target, classes if task == "multiclass" else ())
    leaks = guard(gather(features, (train, test), files, target, task))
    if files.strict and leaks.findings:
        raise DatasetError(leaks.findings)
    test_ids = tuple(test[files.id].astype(str))
    notes = (
        f"Data: {len(train):,} training rows, {len(test):,} test rows, {len(features.names)} features",
        *file_notes,
        *_notes(files, task, asked.metric.name),
        *asked.notes,
        *_class_order(asked.metric, classes),
        *features.notes,
        *_left_out(files, features.dropped, train, test),
        *split.notes,
        *leaks.notes,
    )
    return Dataset(
        train=features.train,
        target=target,
        test=features.test,
        test_ids=test_ids,
        raw_test=test.head(_EXAMPLE_ROWS),
        encoder=features.encoder,
        task=task,
        metric=asked.metric,
        approach=asked.approach,
        divisors=asked.divisors,
        classes=classes,
        target_name=files.target,
        id_name=files.id,
        fingerprint=_fingerprint(features, target, asked.divisors, (*classes, *test_ids)),
        notes=notes,
        keys=split.keys,
        learned=features.learned,
    )


def _checked(files: DataFiles, train: pd.DataFrame, test: pd.DataFrame) -> tuple[Task, Metric]:
    """What is asked of the tables, once nothing is wrong with them."""
    task, metric, faults = find_task_and_metric(files, train)
    faults += table_faults(files, train, test)
    own = (files.target, files.id)
    faults += [*plan_faults(files.split), *split_column_faults(files.split, train, own, files.train)]
    if files.choice.own is None:
        usable = set(_asked(files, ()).usable((train, test)))
        faults += choice_faults(files.choice, files.categorical, train, usable)
    if files.target in train and task is not None:
        faults += target_faults(train[files.target], task, files.split.rows_per_class)
    if faults or task is None or metric is None:
        raise DatasetError(faults)
    return task, metric


def _features(
    files: DataFiles, train: pd.DataFrame, test: pd.DataFrame, target: FloatArray, classes: tuple[str, ...]
) -> Features:
    try:
        return make_features((train, test), _asked(files, classes), target)
    except FeatureError as error:
        raise DatasetError(error.faults) from error


def _asked(files: DataFiles, classes: tuple[str, ...]) -> Asked:
    choice = files.choice
    return Asked(files.target, files.id, files.categorical, choice, classes, files.split.fold_column)


def _fingerprint(
    features: Features, target: FloatArray, divisors: Mapping[str, Divisors], texts: tuple[str, ...]
) -> str:
    digest = hashlib.blake2b(features.encoder.to_json().encode(), digest_size=16)
    per = [values for column in sorted(divisors) for values in divisors[column]]
    for array in (features.train, target, features.test, *per, *features.learned.codes):
        digest.update(str(array.shape).encode())
        digest.update(array.tobytes(order="A"))
    digest.update("\n".join((*texts, *features.learned.fingerprints)).encode())
    return digest.hexdigest()


def _notes(files: DataFiles, task: Task, metric: str) -> list[str]:
    found = " (found out)"
    return [f"Task: {task}{'' if files.task else found}; metric: {metric}{'' if files.metric else found}"]


def _class_order(metric: Metric, classes: tuple[str, ...]) -> list[str]:
    """Where the order counts, the user should see it."""
    return [f"Classes in order: {', '.join(classes)}"] if metric.name == "quadratic_kappa" else []


def _left_out(
    files: DataFiles, dropped: tuple[str, ...], train: pd.DataFrame, test: pd.DataFrame
) -> list[str]:
    known = (files.target, files.id, *files.split.given.values())
    one_sided = [str(c) for c in train if c not in test and c not in known]
    one_sided += [str(c) for c in test if c not in train and c != files.id]
    notes = []
    if dropped:
        notes.append(f"Dropped: {', '.join(dropped)}")
    if one_sided:
        notes.append(f"Ignored (in one file only): {', '.join(one_sided)}")
    return notes
