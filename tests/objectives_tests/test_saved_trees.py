"""Trees kept in few bytes predict what scikit-learn's do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, HistGradientBoostingRegressor

from objectives.models.forest import Forest
from objectives.models.hist_trees import Frame, HistTrees
from objectives.models.saved_arrays import pack, unpack


@pytest.fixture
def rows() -> np.ndarray:
    """300 rows of four numbers, some of them missing."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 4)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows


def test_forest_of_numbers(rows: np.ndarray) -> None:
    """Written and read back, it predicts as the forest it was taken from, missing values included."""
    target = np.nan_to_num(rows[:, 0]) * 3 + np.isnan(rows[:, 1])
    forest = ExtraTreesRegressor(7, min_samples_leaf=2, random_state=0).fit(rows, target)

    kept = Forest.of([tree.tree_ for tree in forest.estimators_])
    read = Forest.from_arrays(unpack(pack(kept.arrays())))

    assert read.predict(rows)[:, 0] == pytest.approx(forest.predict(rows), rel=1e-6)
    assert np.array_equal(read.predict(rows), kept.predict(rows))


def test_forest_of_classes(rows: np.ndarray) -> None:
    """The same for probabilities; a tree that is a single leaf is one too."""
    target = np.digitize(np.nan_to_num(rows[:, 2]), [-0.5, 0.5])
    for leaf in (1, 200):
        forest = ExtraTreesClassifier(5, min_samples_leaf=leaf, random_state=0).fit(rows, target)

        kept = Forest.of([tree.tree_ for tree in forest.estimators_])

        assert kept.predict(rows) == pytest.approx(forest.predict_proba(rows), rel=1e-6)


def test_boosted_trees(rows: np.ndarray) -> None:
    """Boosted trees predict the same with categories, levels that training never showed among them."""
    rng = np.random.default_rng(1)
    codes = rng.choice([0.0, 2.0, 3.0, 7.0, np.nan], len(rows))
    table = np.column_stack([rows, codes]).astype(np.float64)
    target = np.where(codes == 3.0, 5.0, 0.0) + np.nan_to_num(rows[:, 0])
    booster = HistGradientBoostingRegressor(max_iter=20, categorical_features=[4], random_state=0)
    booster.fit(table, target)
    table[:20, 4] = rng.choice([1.0, 9.0], 20)

    trees = HistTrees(Frame.of(booster, [4], 5), booster._predictors)
    read = HistTrees.from_arrays(unpack(pack(trees.arrays())))

    assert np.array_equal(read.predict(table), booster.predict(table))
    assert trees.gain().argmax() == 4
