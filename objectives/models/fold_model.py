"""What a model of one fold is given, and what is left of it: all that is not boosted by LightGBM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from objectives.models.saved_arrays import pack, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.base import FloatArray, Params
    from objectives.data.folds import Task


class Predicts(Protocol):
    """A model that was read back."""

    def predict(self, rows: FloatArray, /) -> Any:
        """Predicts encoded rows, shape (n_rows, n_features).

        Returns:
            Shape (n_rows,): labels, or probabilities of the second class; (n_rows, n_classes) for multiclass.
        """
        ...


class FoldModel(Predicts, Protocol):
    """A model fitted to one fold."""

    def to_bytes(self) -> bytes:
        """What the objective's `read_model` reads back, to the bit and without pickle."""
        ...


@dataclass(frozen=True)
class Fitted:
    """A fold's model and what was learned beside it.

    Attributes:
        model: The model.
        importance: Of each feature, in any unit, shape (n_features,); none below zero.
        rounds: Boosting rounds, trees or the like; at least 1.
    """

    model: FoldModel
    importance: FloatArray
    rounds: int = 1


@dataclass(frozen=True)
class FoldData:
    """One fold as a model sees it.

    Attributes:
        rows: To fit, shape (n, n_features); NaN is missing, categories are level indices.
        labels: What to fit: numbers, or class indices, shape (n,).
        weights: Of these rows; None: all alike.
        validation: Rows that are scored, shape (n_val, n_features).
        parts: Which of the rows to fit are encoded by what the others teach: those with the same number.
        categorical: Positions of the categorical features.
        task: What the labels are.
        n_classes: Number of classes; 0 for regression.
        loss: A name in `objectives.data.approach.LOSSES`.
        shapes: The parameters of losses.
        seed: Fixes all that is drawn.
        threads: To fit with.
    """

    rows: FloatArray
    labels: FloatArray
    weights: FloatArray | None
    validation: FloatArray
    parts: NDArray[np.int64]
    categorical: tuple[int, ...]
    task: Task
    n_classes: int
    loss: str
    shapes: Params
    seed: int
    threads: int

    @property
    def numeric(self) -> tuple[int, ...]:
        """Positions of the features that are no categories."""
        return tuple(i for i in range(self.rows.shape[1]) if i not in set(self.categorical))

    @property
    def targets(self) -> FloatArray:
        """The labels as columns to predict: one, or for multiclass one of zeros and ones for each class."""
        if self.task == "multiclass":
            return np.asarray(self.labels[:, None] == np.arange(self.n_classes), np.float64)
        return self.labels[:, None].astype(np.float64)


@dataclass(frozen=True)
class ConstantModel:
    """Predicts the same for every row: where there is nothing to tell rows apart by, or nothing to tell.

    Attributes:
        value: A number, or the classes' probabilities, shape (n_classes,).
    """

    value: FloatArray

    def predict(self, rows: FloatArray) -> FloatArray:
        """The value, once a row."""
        return np.tile(self.value, (len(rows), *(1,) * self.value.ndim))

    def to_bytes(self) -> bytes:
        """As named arrays."""
        return pack({"constant": self.value})


def constant_for(data: FoldData) -> Fitted | None:
    """A model of a fold in which all labels are the same, or that has no features; None for any other."""
    if np.ptp(data.labels) > 0 and _tells_apart(data.rows):
        return None
    mean = np.asarray(np.average(data.labels, weights=data.weights))
    value = as_task(class_shares(data)[None], data.n_classes)[0] if data.n_classes else mean
    return Fitted(ConstantModel(np.asarray(value)), np.zeros(data.rows.shape[1]))


def _tells_apart(rows: FloatArray) -> bool:
    """Whether any feature has two values."""
    first = rows[0]
    return any(
        not np.array_equal(rows[:, i], np.full(len(rows), first[i]), equal_nan=True)
        for i in range(len(first))
    )


def read_constant(content: bytes) -> FoldModel | None:
    """The constant model that was written; None if another one was."""
    if not content.startswith(b"PK"):
        return None
    value: Any = unpack(content).get("constant")
    return None if value is None else ConstantModel(value)


def by_source(sources: NDArray[np.int64], shares: FloatArray, n_features: int) -> FloatArray:
    """The importance of made columns, summed over those of each feature. Shape (n_features,)."""
    return np.asarray(np.bincount(sources, shares, minlength=n_features), np.float64)


def class_shares(data: FoldData) -> FloatArray:
    """Share of each class among the rows to fit, each counted once more than it is there. Shape (n_classes,)."""
    counts = np.bincount(data.labels.astype(np.intp), minlength=data.n_classes) + 1.0
    return np.asarray(counts / counts.sum())


def as_task(probabilities: FloatArray, n_classes: int) -> FloatArray:
    """Probabilities of all classes, shape (n, n_classes), as predicted: the second class's where there are two."""
    return probabilities[:, 1] if n_classes <= 2 else probabilities  # noqa: PLR2004 - two classes, one number


def all_classes(probabilities: FloatArray, known: FloatArray, n_classes: int) -> FloatArray:
    """Probabilities of the classes that a fold knows, with a zero for each other one. Shape (n, n_classes)."""
    spread = np.zeros((len(probabilities), n_classes))
    spread[:, np.asarray(known, np.intp)] = probabilities
    return spread


def softmax(made: FloatArray) -> FloatArray:
    """Probabilities of outputs, shape (n, outputs); a single output is the second of two classes'."""
    both = np.column_stack([np.zeros(len(made)), made]) if made.shape[1] == 1 else made
    powers = np.exp(both - both.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
