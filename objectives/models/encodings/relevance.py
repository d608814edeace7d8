"""How much each feature tells of the labels, as a few quick trees see it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from objectives.models.encodings.categories import CategoryMeans

if TYPE_CHECKING:
    from objectives.base import FloatArray
    from objectives.models.fold_model import FoldData

_ROWS = 6_000
_TREES = 40
_FEWEST = 5


def relevance(data: FoldData) -> FloatArray:
    """Share of each feature in what trees on some of the rows to fit learn; shape (n_features,), at most 1."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    some = np.sort(np.random.default_rng(data.seed).permutation(len(data.rows))[:_ROWS])
    weights = None if data.weights is None else data.weights[some]
    few = replace(
        data, rows=data.rows[some], labels=data.labels[some], weights=weights, parts=data.parts[some]
    )
    encoding, means = CategoryMeans.fit(few)
    numeric = np.array(few.numeric, np.int64)
    kind = ExtraTreesClassifier if data.task == "multiclass" else ExtraTreesRegressor
    trees = kind(
        _TREES, min_samples_leaf=_FEWEST, max_features=0.5, random_state=data.seed, n_jobs=data.threads
    )
    trees.fit(np.hstack([few.rows[:, numeric], means]), few.labels, weights)
    sources = np.concatenate([numeric, encoding.sources])
    share = np.bincount(sources, trees.feature_importances_, minlength=data.rows.shape[1])
    return np.asarray(share / (share.max() or 1.0))
