"""Extremely randomised trees: split points drawn at random, so that trees differ more and err differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.models.cross_validated import CrossValidatedObjective
from objectives.models.encodings.categories import CategoryMeans
from objectives.models.fold_model import Fitted, all_classes, as_task, by_source, class_shares, read_constant
from objectives.models.forest import Forest
from objectives.models.saved_arrays import pack, part_of, unpack, within

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from optuna.distributions import BaseDistribution

    from objectives.base import FloatArray, Params
    from objectives.models.fold_model import FoldData, FoldModel
    from objectives.models.watch import Watch

# Enough trees for rows enough: beyond, more of them gain less than a thousandth, and a model has no end of bytes.
_TREES, _FEWEST_TREES = 150, 40
_TREE_ROWS = 2_500_000
# That one tree sees at most, drawn anew for each.
_MOST_ROWS = 50_000
# Between two questions for a stop.
_CHUNK_ROWS = 200_000
_NARROWEST = 0.1


class ExtraTreesObjective(CrossValidatedObjective):
    """Tunes scikit-learn's ExtraTrees: two classes as a regression of 0 and 1, which splits like Gini's index."""

    name = "extra_trees"

    def own_space(self) -> dict[str, BaseDistribution]:
        """Returns how many features a split looks at, and how far the trees go."""
        from optuna.distributions import FloatDistribution, IntDistribution

        return {
            "max_features": FloatDistribution(_NARROWEST, 1.0),
            "min_samples_leaf": IntDistribution(1, 30, log=True),
            "min_samples_split": IntDistribution(2, 30, log=True),
        }

    def own_defaults(self) -> dict[str, Any]:
        """Returns many features for numbers, few for several classes; the probability of one wants fuller leaves."""
        if self._dataset.task == "regression":
            return {"max_features": 1.0, "min_samples_leaf": 2, "min_samples_split": 5}
        if self._dataset.task == "binary":
            return {"max_features": 0.8, "min_samples_leaf": 10, "min_samples_split": 2}
        return {"max_features": 0.4, "min_samples_leaf": 1, "min_samples_split": 2}

    def own_portfolio(self) -> list[dict[str, Any]]:
        """Returns fuller leaves, and fewer features."""
        return [
            {"max_features": 0.7, "min_samples_leaf": 5, "min_samples_split": 10},
            {"max_features": 0.4, "min_samples_leaf": 1, "min_samples_split": 4},
            {"max_features": 1.0, "min_samples_leaf": 15, "min_samples_split": 30},
        ]

    def work(self, params: Params) -> float:
        """By the features a split looks at and the depth of the trees."""
        leaf = max(float(params.get("min_samples_leaf", 2)), float(params.get("min_samples_split", 2)) / 2)
        depth = np.log2(max(len(self._dataset.target) / leaf, 2))
        return float((0.2 + float(params.get("max_features", 1.0))) * depth)

    def fit_fold(self, params: Params, data: FoldData, watch: Watch) -> Fitted:
        """Grows some trees at a time, so that a stop is noticed."""
        encoding, means = CategoryMeans.fit(data)
        numeric = np.array(data.numeric, np.int64)
        rows = np.hstack([data.rows[:, numeric], means]).astype(np.float32)
        forest = _forest(params, data)
        each = min(len(rows), _MOST_ROWS)
        n_trees = int(np.clip(_TREE_ROWS // each, _FEWEST_TREES, _TREES))
        while forest.n_estimators < n_trees:
            watch.check()
            forest.n_estimators = min(forest.n_estimators + _CHUNK_ROWS // each, n_trees)
            forest.fit(rows, data.labels, data.weights)
        sources = np.concatenate([numeric, encoding.sources])
        importance = by_source(sources, forest.feature_importances_, data.rows.shape[1])
        classes = forest.classes_ if data.task == "multiclass" else np.empty(0)
        prior = class_shares(data) if data.n_classes else np.empty(0)
        trees = Forest.of([tree.tree_ for tree in forest.estimators_])
        return Fitted(ExtraTreesModel(numeric, encoding, trees, classes, prior), importance, n_trees)

    @staticmethod
    def read_model(content: bytes) -> FoldModel:
        """Reads back a forest and its encoding."""
        return read_constant(content) or ExtraTreesModel.from_bytes(content)


def _forest(params: Params, data: FoldData) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    forest = ExtraTreesClassifier if data.task == "multiclass" else ExtraTreesRegressor
    how = {**params, "n_estimators": 0, "warm_start": True, "random_state": data.seed, "n_jobs": data.threads}
    if len(data.rows) > _MOST_ROWS:
        how |= {"bootstrap": True, "max_samples": _MOST_ROWS}
    return forest(**how)


@dataclass(frozen=True)
class ExtraTreesModel:
    """A forest and what it is fed.

    Attributes:
        numeric: Positions of the numbers, shape (c,).
        encoding: Of the categories, whose columns come after them.
        forest: Predicts numbers, probabilities of the second class, or those of `classes`.
        classes: Those that it knows, for multiclass; empty otherwise.
        prior: Each class's share, shape (n_classes,); empty for regression.
    """

    numeric: NDArray[np.int64]
    encoding: CategoryMeans
    forest: Forest
    classes: FloatArray
    prior: FloatArray

    def predict(self, rows: FloatArray) -> FloatArray:
        """Mean over the trees; the shares of the classes are one tree more, so that no class is impossible."""
        made = self.forest.predict(np.hstack([rows[:, self.numeric], self.encoding.apply(rows)]))
        if not len(self.prior):
            return made[:, 0]
        if len(self.classes):
            probabilities = all_classes(made, self.classes, len(self.prior))
        else:
            probabilities = np.column_stack([1 - made[:, 0], made[:, 0]])
        n_trees = len(self.forest.sizes)
        return as_task((n_trees * probabilities + self.prior) / (n_trees + 1), len(self.prior))

    def to_bytes(self) -> bytes:
        """As named arrays."""
        own = {"numeric": self.numeric, "classes": self.classes, "prior": self.prior}
        parts = within("encoding", self.encoding.arrays()), within("forest", self.forest.arrays())
        return pack({**own, **parts[0], **parts[1]})

    @classmethod
    def from_bytes(cls, content: bytes) -> ExtraTreesModel:
        """What `to_bytes` wrote."""
        arrays = unpack(content)
        encoding = CategoryMeans.from_arrays(part_of("encoding", arrays))
        forest = Forest.from_arrays(part_of("forest", arrays))
        return cls(arrays["numeric"], encoding, forest, arrays["classes"], arrays["prior"])
