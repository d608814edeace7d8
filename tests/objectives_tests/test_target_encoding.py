from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from objectives.data.columns import Column
from objectives.data.features.inner_folds import inner_parts
from objectives.data.features.learned import LearnedEncoder, LearnedRows
from objectives.data.features.target_encoding import Tables, TargetEncoding
from objectives.data.folds import Fold, make_folds
from objectives.data.leaks.canary import canary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from objectives.base import FloatArray

ROWS = 400
CITY = np.random.default_rng(1).integers(0, 80, ROWS)
TARGET = CITY % 7 + np.random.default_rng(2).normal(0, 1, ROWS)
FOLDS = make_folds(TARGET, "regression", 5, seed=0)
COLUMN = Column("city", "category", tuple(f"c{i:02d}" for i in range(80)))
FRAME = pd.DataFrame({"city": [f"c{i:02d}" for i in CITY]})


def rows(classes: tuple[str, ...] = ()) -> LearnedRows:
    """Rows with one column to encode; the test rows are the first few."""
    encoding = TargetEncoding((COLUMN,), classes)
    return LearnedRows(LearnedEncoder(encoding), encoding.codes(FRAME), encoding.codes(FRAME.head(10)))


@pytest.mark.parametrize("k", range(5))
def test_validation_targets_change_nothing(k: int) -> None:
    """What a fold learns is the same to the bit whatever the target of its validation rows."""
    other = TARGET.copy()
    other[FOLDS[k].val_idx] = -1e9

    before, after = (rows().in_fold(FOLDS[k], FOLDS, target) for target in (TARGET, other))

    assert before.train.tobytes() == after.train.tobytes()
    assert before.test.tobytes() == after.test.tobytes()


@pytest.mark.parametrize("row", [0, 7, 99])
def test_a_row_is_not_encoded_by_its_own_target(row: int) -> None:
    """In training, another target of a row leaves its own encoding as it is."""
    fold = next(fold for fold in FOLDS if row in fold.train_idx)
    other = TARGET.copy()
    other[row] = 1e6

    before, after = (rows().in_fold(fold, FOLDS, target).train for target in (TARGET, other))

    assert before[row] == after[row]
    assert not np.array_equal(before, after)


@pytest.mark.parametrize("seed", range(5))
def test_the_canary_lives(seed: int) -> None:
    """On a permuted target the encoded columns say nothing of the validation rows."""

    def encode(
        train: NDArray[np.intp], val: NDArray[np.intp], target: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        return rows().encode(Fold(train, val), FOLDS, target)

    assert canary(encode, TARGET, FOLDS, seed=seed).alive


def test_the_encoding_is_the_shrunk_mean() -> None:
    """A frequent category is near its rows' mean; one never seen is the mean of all."""
    many = pd.DataFrame({"city": ["c00"] * 200 + ["c01"] * 200})
    encoding = TargetEncoding((COLUMN,))
    target = np.r_[np.full(200, 3.0), np.full(200, 5.0)] + np.tile([-0.1, 0.1], 200)
    _, tables = encoding.fit(encoding.codes(many), target, np.arange(400) % 5)

    encoded = tables.apply(encoding.codes(pd.DataFrame({"city": ["c00", "c01", "c02", "new", None]})))

    assert encoded[:, 0] == pytest.approx([3, 5, 4, 4, 4], abs=0.01)


def test_a_missing_category_is_one_of_its_own() -> None:
    """Where training has holes, a hole is encoded by theirs, and a category never seen is not."""
    holed = pd.DataFrame({"city": ["c00"] * 200 + [None] * 200})
    encoding = TargetEncoding((COLUMN,))
    target = np.r_[np.full(200, 3.0), np.full(200, 5.0)] + np.tile([-0.1, 0.1], 200)
    _, tables = encoding.fit(encoding.codes(holed), target, np.arange(400) % 5)

    encoded = tables.apply(encoding.codes(pd.DataFrame({"city": [None, "new"]})))

    assert encoded[:, 0] == pytest.approx([5, 4], abs=0.01)


def test_several_classes_have_a_feature_each() -> None:
    """With classes the features are each class's share, for every class also where a fold lacks one."""
    learned = rows(classes=("x", "y", "z"))
    target = (np.arange(ROWS) >= 50).astype(np.float64)

    columns = learned.in_fold(FOLDS[0], FOLDS, target)

    assert learned.names == ("city.target=x", "city.target=y", "city.target=z")
    assert columns.train.sum(axis=1) == pytest.approx(np.ones(ROWS))
    assert not columns.train[:, 2].any()


def test_tables_are_json_to_the_bit() -> None:
    """A served model encodes as the search did, from a text file."""
    tables = rows().in_fold(FOLDS[0], FOLDS, TARGET).learned.tables
    assert tables is not None

    assert Tables(**json.loads(json.dumps(tables._asdict()))) == tables


def test_groups_stay_together() -> None:
    """Training rows are divided as the study divides all rows: a group is encoded by other groups."""
    groups = np.arange(100) // 5
    folds = tuple(Fold(np.flatnonzero(groups % 4 != k), np.flatnonzero(groups % 4 == k)) for k in range(4))

    parts = inner_parts(folds[1], folds, 100)

    assert {len(set(parts[groups[folds[1].train_idx] == g])) for g in set(groups[folds[1].train_idx])} == {1}
    assert len(set(parts)) == 3


def test_repeated_folds_divide_like_one_of_them() -> None:
    """Of folds that overlap, as in repeats, only those that do not are used together."""
    folds = (*FOLDS, *make_folds(TARGET, "regression", 5, seed=1))

    parts = inner_parts(folds[7], folds, ROWS)

    assert len(parts) == len(folds[7].train_idx)
    assert len(set(parts)) >= 2


def test_time_folds_divide_by_period() -> None:
    """Expanding folds: periods are the parts, and the first, which validates nothing, is one more."""
    folds = tuple(Fold(np.arange(20 * k), np.arange(20 * k, 20 * k + 20)) for k in (1, 2, 3))

    assert inner_parts(folds[2], folds, 80).tolist() == [-1] * 20 + [0] * 20 + [1] * 20
    assert len(set(inner_parts(folds[0], folds, 80))) == 5
