"""The target column: which task it is, and its values as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from objectives.base import FloatArray
    from objectives.data.folds import Task

# Whole numbers with few values read as classes only where each value is seen this often.
_MOST_CLASSES_OF_NUMBERS = 20
_ROWS_PER_CLASS = 50
_TWO = 2


def find_task(target: pd.Series) -> Task:
    """The task a target column asks for: text and few whole numbers are classes, other numbers are not."""
    known = target.dropna()
    n_values = known.nunique()
    if n_values == _TWO:
        return "binary"
    if not pd.api.types.is_numeric_dtype(known.dtype):
        # A stray word among many numbers is a fault to name, not a reason to see classes.
        numbers = pd.to_numeric(known, errors="coerce")
        mostly = 2 * int(numbers.notna().sum()) > len(known) and numbers.nunique() > _MOST_CLASSES_OF_NUMBERS
        return "regression" if mostly else "multiclass"
    whole = bool((known == known.round()).all())
    few = n_values <= _MOST_CLASSES_OF_NUMBERS and len(known) >= _ROWS_PER_CLASS * n_values
    return "multiclass" if whole and few else "regression"


def target_faults(target: pd.Series, task: Task, n_splits: int) -> list[str]:
    """One line for each reason why the column cannot be the target of the task."""
    missing = int(target.isna().sum())
    faults = []
    if missing:
        faults.append(
            f"target: got {missing:,} missing values in {target.name!r}; allowed: 0; do: drop or fill those rows"
        )
    known = target.dropna()
    n_values = known.nunique()
    if n_values <= 1:
        faults.append(
            f"target: got a constant {target.name!r} ({n_values} value); allowed: at least 2 values; "
            "do: choose another --target"
        )
        return faults
    return faults + (_number_faults if task == "regression" else _class_faults)(known, task, n_splits)


def _number_faults(known: pd.Series, _task: Task, n_splits: int) -> list[str]:
    if len(known) < n_splits:
        return [
            (
                f"target: got {len(known)} rows with {known.name!r}; allowed: at least {n_splits}, one a fold; "
                "do: give more rows or lower --folds"
            )
        ]
    numbers = pd.to_numeric(known, errors="coerce")
    text = known[numbers.isna()]
    if len(text):
        return [
            (
                f"target: got {len(text):,} values in {known.name!r} that are not numbers, such as {text.iloc[0]!r}; "
                "allowed for regression: numbers; do: mend them or give --task multiclass"
            )
        ]
    infinite = int(np.isinf(numbers.to_numpy(np.float64)).sum())
    if infinite:
        return [
            (
                f"target: got {infinite:,} infinite values in {known.name!r}; allowed: finite numbers; "
                "do: drop or mend those rows"
            )
        ]
    return []


def _class_faults(known: pd.Series, task: Task, n_splits: int) -> list[str]:
    counts = known.value_counts()
    faults = []
    if task == "binary" and len(counts) != _TWO:
        faults.append(
            f"target: got {len(counts)} classes in {known.name!r}; allowed for binary: 2; "
            "do: give --task multiclass or regression"
        )
    rare = counts[counts < n_splits]
    if len(rare):
        named = ", ".join(f"{label!r} ({count} rows)" for label, count in rare.head(5).items())
        faults.append(
            f"target: got {len(rare)} classes in {known.name!r} with fewer rows than folds: {named}; "
            f"allowed: at least {n_splits} rows a class; do: drop or merge them, or lower --folds"
        )
    return faults


def encode_target(target: pd.Series, task: Task) -> tuple[FloatArray, tuple[str, ...]]:
    """The target as floats, shape (n,), and the class labels in order (none for regression).

    Classes are numbered in the sorted order of their values, so that 2 comes before 10.
    """
    if task == "regression":
        return pd.to_numeric(target).to_numpy(np.float64), ()
    classes = np.sort(target.unique())
    codes = pd.Index(classes).get_indexer(pd.Index(target))
    return codes.astype(np.float64), tuple(str(label) for label in classes)
