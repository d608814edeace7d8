from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from objectives.data.folds import make_folds
from objectives.data.leaks.canary import canary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.base import FloatArray

ROWS = 800
CODES = np.random.default_rng(1).integers(0, 120, ROWS)
TARGET = CODES % 7 + np.random.default_rng(2).normal(0, 1, ROWS)
FOLDS = make_folds(TARGET, "regression", 5, seed=0)


def means(codes: NDArray[np.int64], rows: NDArray[np.intp], target: FloatArray) -> FloatArray:
    """The mean target of each code over some rows, by code; the overall mean where there is none."""
    sums = np.bincount(codes[rows], target[rows], minlength=120)
    counts = np.bincount(codes[rows], minlength=120)
    return np.where(counts > 0, sums / np.maximum(counts, 1), target[rows].mean())


def in_fold(
    train: NDArray[np.intp], val: NDArray[np.intp], target: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Learns from the training rows only, each half of them from the other."""
    halves = train[::2], train[1::2]
    encoded = np.empty(len(train))
    encoded[::2] = means(CODES, halves[1], target)[CODES[halves[0]]]
    encoded[1::2] = means(CODES, halves[0], target)[CODES[halves[1]]]
    return encoded[:, None], means(CODES, train, target)[CODES[val]][:, None]


def peeking(
    train: NDArray[np.intp], val: NDArray[np.intp], target: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Learns from all rows, those to be predicted too."""
    table = means(CODES, np.arange(ROWS), target)
    return table[CODES[train]][:, None], table[CODES[val]][:, None]


@pytest.mark.parametrize("seed", range(5))
def test_an_encoder_of_the_training_fold_passes(seed: int) -> None:
    """What is learned inside the training fold says nothing of a permuted target's other rows."""
    assert canary(in_fold, TARGET, FOLDS, seed=seed).alive


@pytest.mark.parametrize("seed", range(5))
def test_an_encoder_that_sees_the_validation_rows_is_caught(seed: int) -> None:
    """Target means taken over all rows, the classic leak, are told by the canary, with figures."""
    found = canary(peeking, TARGET, FOLDS, seed=seed)

    assert not found.alive
    assert f"correlation {found.correlation:.3f}" in found.line


def test_the_permuted_target_is_all_an_encoder_gets() -> None:
    """An encoder cannot change what the canary compares with: it gets a copy, of permuted values."""
    given: list[FloatArray] = []

    def spoil(
        train: NDArray[np.intp], val: NDArray[np.intp], target: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        given.append(target.copy())
        target[:] = 0
        return in_fold(train, val, given[-1])

    assert canary(spoil, TARGET, FOLDS, seed=0).alive
    assert all(np.array_equal(one, given[0]) for one in given)
    assert abs(np.corrcoef(given[0], TARGET)[0, 1]) < 0.2
