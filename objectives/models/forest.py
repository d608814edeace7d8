"""A forest in few bytes: a twelfth of what scikit-learn's own trees take, and no pickle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.models.saved_arrays import Arrays

_LEAF = -1


@dataclass(frozen=True)
class Forest:
    """Trees one after another, each in the order in which it was grown: parent, left half, right half.

    Attributes:
        sizes: Nodes of each tree, shape (n_trees,).
        feature: What a node asks, -1 in a leaf. Shape (nodes,), int16.
        threshold: What goes left is not above it; rows are read as float32, so it needs no more. Of the nodes
            that are no leaves, shape (splits,).
        holes_left: Whether a missing value goes left there, shape (splits,).
        values: Of the leaves, shape (leaves, outputs), float32.
    """

    sizes: NDArray[np.int64]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    holes_left: NDArray[np.bool_]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, trees: Sequence[Any]) -> Forest:
        """Takes what predictions need out of scikit-learn's `Tree` objects, which were grown depth first."""
        kept = [_kept(tree) for tree in trees]
        sizes = np.array([tree.node_count for tree in trees], np.int64)
        return cls(sizes, *(np.concatenate(each) for each in zip(*kept, strict=True)))

    def predict(self, rows: FloatArray) -> FloatArray:
        """Mean over the trees, shape (n, outputs)."""
        narrow = np.ascontiguousarray(rows, np.float32)
        total = np.zeros((len(rows), self.values.shape[1]))
        for tree in self._trees(narrow.shape[1]):
            total += tree.predict(narrow).reshape(total.shape)
        return total / len(self.sizes)

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return {**vars(self), "holes_left": np.packbits(self.holes_left)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Forest:
        """The forest that gave the arrays."""
        holes = np.unpackbits(arrays["holes_left"], count=len(arrays["threshold"])).astype(np.bool_)
        return cls(**{**arrays, "holes_left": holes})

    def _trees(self, n_features: int) -> Iterator[Any]:
        """Each as scikit-learn's own, which predicts fast; one at a time, for they are big."""
        from sklearn.tree._tree import NODE_DTYPE, Tree

        n_outputs = self.values.shape[1]
        ends = np.cumsum(self.sizes)
        leaves_before = np.concatenate([[0], np.cumsum(self.feature == _LEAF)])
        for start, end in zip(ends - self.sizes, ends, strict=True):
            feature, size = self.feature[start:end], int(end - start)
            split = feature != _LEAF
            first_leaf, last_leaf = leaves_before[start], leaves_before[end]
            splits = slice(start - first_leaf, end - last_leaf)
            nodes = np.zeros(size, NODE_DTYPE)
            nodes["left_child"] = np.where(split, np.arange(1, size + 1), _LEAF)
            nodes["right_child"] = _LEAF
            nodes["right_child"][split] = _right_children(split)
            nodes["feature"] = feature
            nodes["threshold"][split] = self.threshold[splits]
            nodes["missing_go_to_left"][split] = self.holes_left[splits]
            values = np.zeros((size, 1, n_outputs))
            values[~split, 0] = self.values[first_leaf:last_leaf]
            tree = Tree(n_features, np.array([n_outputs], np.intp), 1)
            tree.__setstate__({"max_depth": 0, "node_count": size, "nodes": nodes, "values": values})
            yield tree


def _kept(tree: Any) -> tuple[Any, ...]:
    """A tree's part of each field of `Forest`, but the sizes."""
    split = tree.children_left != _LEAF
    return (
        np.where(split, tree.feature, _LEAF).astype(np.int16),
        _rounded_down(tree.threshold[split]),
        tree.missing_go_to_left[split].astype(np.bool_),
        tree.value[~split, 0, :].astype(np.float32),
    )


def _right_children(split: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where the right half of each split begins: after its left half, the shortest run with one leaf too many.

    Args:
        split: Whether each node of a tree is one, in the order of `Forest`.
    """
    n = len(split)
    depth = np.cumsum(np.where(split, 1, -1)) + 1
    keys = depth * (n + 1) + np.arange(n)
    at = np.flatnonzero(split)
    in_order = np.sort(keys)
    ends = in_order[np.searchsorted(in_order, (depth[at] - 1) * (n + 1) + at)]
    return np.asarray(ends % (n + 1) + 1)


def _rounded_down(threshold: FloatArray) -> NDArray[np.float32]:
    """The largest float32 that is not above each: rows of float32 fall on the same side."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)
