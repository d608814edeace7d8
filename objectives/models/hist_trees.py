"""What predictions need of a fitted HistGradientBoosting: named arrays instead of pickled objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.models.saved_arrays import Arrays

    Rounds = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Frame:
    """How a fitted booster sees rows, whatever its trees: the categories first, renumbered.

    Attributes:
        categorical: Positions of the categories, shape (c,).
        numeric: Positions of the other features.
        sizes: How many levels of each category training has shown, shape (c,).
        levels: All of them, each category's in order.
        known: The same as scikit-learn's bit sets, shape (c, 8).
        places: Row of each of its features in `known`, shape (n_features,).
        baseline: What the trees add to, shape (1, outputs).
        link: The way from raw predictions to labels or probabilities.
    """

    categorical: NDArray[np.int64]
    numeric: NDArray[np.int64]
    sizes: NDArray[np.int64]
    levels: FloatArray
    known: NDArray[np.uint32]
    places: NDArray[np.uint32]
    baseline: FloatArray
    link: Any

    @classmethod
    def of(cls, booster: Any, categorical: Sequence[int], n_features: int) -> Frame:
        """Takes it out of a booster that has been fitted for a round at least."""
        encoders = [] if not categorical else booster._preprocessor.named_transformers_["encoder"].categories_  # noqa: SLF001
        levels = [known[~np.isnan(known)] for known in encoders]
        known, places = booster._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001 - no public way
        return cls(
            np.array(categorical, np.int64),
            np.array([i for i in range(n_features) if i not in set(categorical)], np.int64),
            np.array([len(one) for one in levels], np.int64),
            np.concatenate([*levels, np.empty(0)]),
            known,
            places,
            np.asarray(booster._baseline_prediction).reshape(1, -1),  # noqa: SLF001
            np.array(booster._loss.link.__class__.__name__),  # noqa: SLF001
        )

    def rows(self, rows: FloatArray) -> FloatArray:
        """Rows as the trees take them; a level that training has not shown is missing."""
        columns = []
        starts = np.cumsum(self.sizes) - self.sizes
        for column, start, size in zip(self.categorical, starts, self.sizes, strict=True):
            values, levels = rows[:, column], self.levels[start : start + size]
            place = np.searchsorted(levels, values).clip(max=max(size - 1, 0))
            is_known = levels[place] == values if size else np.zeros(len(values), np.bool_)
            columns.append(np.where(is_known, place, np.nan))
        return np.column_stack([*columns, rows[:, self.numeric]]).astype(np.float64)

    def start(self, n_rows: int) -> FloatArray:
        """Raw predictions before the first tree, shape (n_rows, outputs)."""
        return np.zeros((n_rows, self.baseline.shape[1]), order="F") + self.baseline

    def add(self, rows: FloatArray, rounds: Rounds, raw: FloatArray) -> None:
        """Adds trees' values to raw predictions of rows that went through `rows`."""
        for trees in rounds:
            for k, tree in enumerate(trees):
                raw[:, k] += tree.predict(rows, self.known, self.places, 1)

    def output(self, raw: FloatArray) -> FloatArray:
        """Labels, shape (n,), or probabilities of all classes known, shape (n, classes)."""
        from scipy.special import expit, softmax

        if self.link == "MultinomialLogit":
            return np.asarray(softmax(raw, axis=1))
        flat = raw[:, 0]
        if self.link == "LogitLink":
            return np.column_stack([1 - expit(flat), expit(flat)])
        return np.exp(flat) if self.link == "LogLink" else flat.copy()


@dataclass(frozen=True)
class HistTrees:
    """A frame and its trees.

    Attributes:
        frame: How they see rows.
        rounds: Each round's trees, one for each output.
    """

    frame: Frame
    rounds: Rounds = field(repr=False)

    def predict(self, rows: FloatArray) -> FloatArray:
        """As `Frame.output`."""
        seen = self.frame.rows(rows)
        raw = self.frame.start(len(rows))
        self.frame.add(seen, self.rounds, raw)
        return self.frame.output(raw)

    def gain(self) -> FloatArray:
        """Each feature's total gain, shape (n_features,)."""
        order = np.concatenate([self.frame.categorical, self.frame.numeric])
        total = np.zeros(len(order))
        for trees in self.rounds:
            for tree in trees:
                nodes = tree.nodes[tree.nodes["is_leaf"] == 0]
                total += np.bincount(order[nodes["feature_idx"]], nodes["gain"], minlength=len(order))
        return np.maximum(total, 0.0)

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        trees = [tree for each in self.rounds for tree in each]
        return {
            **vars(self.frame),
            "per_round": len(self.rounds[0]),
            "tree_sizes": np.array([len(tree.nodes) for tree in trees]),
            "nodes": np.concatenate([tree.nodes for tree in trees]),
            "split_sizes": np.array([len(tree.raw_left_cat_bitsets) for tree in trees]),
            "splits": np.concatenate([tree.raw_left_cat_bitsets for tree in trees]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> HistTrees:
        """The trees that gave the arrays."""
        from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

        nodes = np.split(arrays["nodes"], np.cumsum(arrays["tree_sizes"])[:-1])
        splits = np.split(arrays["splits"], np.cumsum(arrays["split_sizes"])[:-1])
        # The third argument is for binned rows, which only training has.
        trees = [TreePredictor(mine, left, left) for mine, left in zip(nodes, splits, strict=True)]
        each = int(arrays["per_round"])
        frame = Frame(**{name: arrays[name] for name in Frame.__dataclass_fields__})
        return cls(frame, [trees[i : i + each] for i in range(0, len(trees), each)])
