"""How alike the errors of trials are, from a sample of rows: what blending them could bring."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from objectives.base import FloatArray
    from storage.predictions import PredictionStore

_VALUES, _FEWEST_ROWS = 2_000, 200


@dataclass
class ErrorSketches:
    """Errors of kept trials on the same few rows; each trial's predictions are read once.

    Attributes:
        store: The predictions.
        target: Shape (n_train,): numbers, or indices of classes.
        seed: Draws the rows.
        errors: By trial number, shifted to mean 0 and scaled to length 1: a product of two is a correlation.
    """

    store: PredictionStore
    target: FloatArray
    seed: int
    errors: dict[int, FloatArray] = field(default_factory=dict)

    def add(self, number: int, oof: FloatArray) -> None:
        """Takes a trial's out-of-fold predictions, shape (n_train,) or (n_train, n_classes)."""
        self.errors[number] = error_sketch(oof, self.target, self.seed)

    def known(self, numbers: Collection[int]) -> set[int]:
        """Returns those of some trials whose predictions are kept."""
        from storage.predictions import PredictionMissingError

        there = set()
        for number in {*numbers}.intersection(self.store.numbers()):
            if number not in self.errors:
                try:
                    self.add(number, self.store.load(number).oof)
                except PredictionMissingError:
                    continue
            there.add(number)
        return there

    def forget_all_but(self, numbers: Collection[int]) -> None:
        """Lets go of trials that are not kept any more."""
        self.errors = {number: errors for number, errors in self.errors.items() if number in numbers}


def error_sketch(oof: FloatArray, target: FloatArray, seed: int) -> FloatArray:
    """Returns the errors of some rows as one vector of mean 0 and length 1, or 0 where there are none.

    Args:
        oof: Out-of-fold predictions, shape (n_train,) or (n_train, n_classes); NaN where there is none.
        target: Shape (n_train,): numbers, or indices of classes.
        seed: Draws the rows; the same for all that are to be compared.
    """
    n_columns = 1 if oof.ndim == 1 else oof.shape[1]
    known = np.flatnonzero(np.isfinite(oof if oof.ndim == 1 else oof[:, 0]))
    rows = np.random.default_rng(seed).permutation(known)[: max(_FEWEST_ROWS, _VALUES // n_columns)]
    errors = oof[rows].copy()
    if oof.ndim == 1:
        errors -= target[rows]
    else:
        errors[np.arange(len(rows)), target[rows].astype(np.intp)] -= 1
    errors = errors.ravel() - errors.mean()
    length = float(np.linalg.norm(errors))
    sketch: FloatArray = errors / length if length > 0 else errors
    return sketch
