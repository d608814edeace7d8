"""Networks of rectified units as arrays: the mean of a few, each the mean of its last epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.models.fold_model import softmax
from objectives.models.saved_arrays import part_of, within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.models.saved_arrays import Arrays

    Layers = tuple[NDArray[np.float32], ...]

_MEMORY = 0.8
"""Of a mean over epochs: the share that the last one does not have. Without it a score jumps from epoch to epoch."""
_FORGETS = 3
_NOTHING = 1e-15
"""Below which a weight, or the mean of its gradients, no longer counts in single precision."""


@dataclass(frozen=True)
class Network:
    """The weights of one network.

    Attributes:
        weights: Of each layer, shape (inputs, outputs).
        biases: Of each layer, shape (outputs,).
    """

    weights: Layers
    biases: Layers

    @classmethod
    def of(cls, fitted: Any) -> Network:
        """A copy of what scikit-learn has fitted so far."""
        return cls(
            tuple(np.array(one, np.float32) for one in fitted.coefs_),
            tuple(np.array(one, np.float32) for one in fitted.intercepts_),
        )

    def outputs(self, rows: NDArray[np.float32]) -> FloatArray:
        """What the last layer puts out, shape (n, outputs)."""
        layer = rows
        for k, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            layer = (np.maximum(layer, 0.0) if k else layer) @ weights + biases
        return layer.astype(np.float64)

    def moved_to(self, newer: Network, epoch: int) -> Network:
        """The mean over epochs, one later: the first ones, which are far off, are forgotten fast."""
        keeps = np.float32(min(_MEMORY, epoch / (epoch + _FORGETS)))
        return Network(_mixed(self.weights, newer.weights, keeps), _mixed(self.biases, newer.biases, keeps))

    def scaled(self, mean: float, deviation: float) -> Network:
        """The same with outputs of this mean and deviation, where they had 0 and 1."""
        weights = (*self.weights[:-1], self.weights[-1] * np.float32(deviation))
        biases = (*self.biases[:-1], self.biases[-1] * np.float32(deviation) + np.float32(mean))
        return Network(weights, biases)


def _mixed(old: Layers, new: Layers, keeps: np.float32) -> Layers:
    return tuple(keeps * one + (1 - keeps) * other for one, other in zip(old, new, strict=True))


def clear_faded(fit: Any) -> None:
    """Makes zero, in what scikit-learn has fitted so far, the weights that have faded to nothing.

    A penalty shrinks the weights of units that are never active until they are denormal numbers, with which a
    processor computes ten times as slowly. The optimizer's means of gradients would stay such numbers for ever:
    nine tenths of the smallest one are rounded up to it again.
    """
    for one in (*fit.coefs_, *fit.intercepts_, *fit._optimizer.ms):  # noqa: SLF001 - they are nowhere else
        one[np.abs(one) < _NOTHING] = 0.0


def mean_output(networks: Sequence[Network], rows: NDArray[np.float32]) -> FloatArray:
    """The mean of the networks' outputs, for numbers. Shape (n,)."""
    return np.asarray(np.mean([one.outputs(rows)[:, 0] for one in networks], axis=0))


def mean_probabilities(networks: Sequence[Network], rows: NDArray[np.float32]) -> FloatArray:
    """The mean of the networks' probabilities, for classes. Shape (n, classes)."""
    return np.asarray(np.mean([softmax(one.outputs(rows)) for one in networks], axis=0))


def to_arrays(networks: Sequence[Network]) -> Arrays:
    """What `from_arrays` takes."""
    arrays: Arrays = {"members": np.array(len(networks))}
    for k, one in enumerate(networks):
        layers = {f"weights{i}": layer for i, layer in enumerate(one.weights)}
        layers |= {f"biases{i}": layer for i, layer in enumerate(one.biases)}
        arrays |= within(f"network{k}", layers)
    return arrays


def from_arrays(arrays: Mapping[str, Any]) -> tuple[Network, ...]:
    """The networks that gave the arrays."""
    return tuple(_network(part_of(f"network{k}", arrays)) for k in range(int(arrays["members"])))


def _network(arrays: Mapping[str, Any]) -> Network:
    layers = range(len(arrays) // 2)
    return Network(tuple(arrays[f"weights{i}"] for i in layers), tuple(arrays[f"biases{i}"] for i in layers))
