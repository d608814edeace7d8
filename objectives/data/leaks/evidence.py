"""What the checks look at: features, target and raw tables, on few enough rows to be quick."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.folds import Task

_MOST_ROWS = 20_000
_FEWEST_ROWS = 2_000
_MOST_CELLS = 4_000_000
_MOST_CLASSES = 30
_FEWEST_OF_A_CLASS = 20


@dataclass(frozen=True)
class Finding:
    """One thing that a model should not know, or should not be judged by.

    Attributes:
        kind: One word for tests and people.
        columns: The columns it is about.
        line: Got, allowed, do.
    """

    kind: str
    columns: tuple[str, ...]
    line: str


@dataclass(frozen=True)
class Evidence:
    """Two tables, as the model gets them and raw.

    Attributes:
        names: Feature names, in matrix order.
        categorical: Positions of the features whose numbers are codes.
        train: Features, shape (n_train, n_features); NaN is missing.
        test: Features, shape (n_test, n_features).
        target: Shape (n_train,): numbers, or class indices.
        task: What the target is.
        target_name: Its column.
        id_name: The id column.
        raw_train: The training table as read.
        raw_test: The test table as read.
    """

    names: tuple[str, ...]
    categorical: frozenset[int]
    train: FloatArray
    test: FloatArray
    target: FloatArray
    task: Task
    target_name: str
    id_name: str
    raw_train: pd.DataFrame
    raw_test: pd.DataFrame

    @cached_property
    def signals(self) -> FloatArray:
        """The target for scoring, shape (n_train, n): its ranks from 0 to 1, or an indicator of each class."""
        from scipy.stats import rankdata

        if self.task == "regression":
            return np.asarray(rankdata(self.target)[:, None] / len(self.target), np.float64)
        values, counts = np.unique(self.target, return_counts=True)
        if self.task == "binary":
            return np.asarray(self.target == values[-1], np.float64)[:, None]
        order = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
        enough = order[counts[order] >= _FEWEST_OF_A_CLASS]
        frequent = values[enough if len(enough) else order]
        return np.asarray(self.target[:, None] == frequent, np.float64)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """Some training rows, in order: all of a small table, at random of a large or wide one."""
        n, width = self.train.shape
        work = width * self.signals.shape[1]
        most = int(np.clip(_MOST_CELLS // max(work, 1), _FEWEST_ROWS, _MOST_ROWS))
        if n <= most:
            return np.arange(n)
        return np.sort(np.random.default_rng(0).choice(n, most, replace=False))

    @cached_property
    def halves(self) -> NDArray[np.bool_]:
        """Which of `rows` belong to the first of two random halves, each the other's held-out rows."""
        return np.random.default_rng(1).random(len(self.rows)) < 1 / 2
