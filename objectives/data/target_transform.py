"""The scale a model is trained on: forward for the labels of a training fold, back for every prediction.

Scores, reports and predictions are always on the target's own scale; nothing outside this module and its
caller in the model sees another. What a transform has learned, it learned from one fold's training rows, and
it goes with that fold's model as text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from objectives.base import FloatArray

PLAIN = ("none", "log1p", "sqrt", "quantile")
PER = "per:"
_MOST_KNOTS = 1_001


def column_of(transform: str) -> str | None:
    """The column that `per:COLUMN` divides by; None for any other transform."""
    return transform.removeprefix(PER) if transform.startswith(PER) else None


def _nothing() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class TargetTransform:
    """One transform, fitted to one fold's training rows; each method increases with the target.

    Attributes:
        name: As in the setting `target_transform`.
        values: For `quantile`: increasing targets, shape (n_knots,); empty otherwise.
        normals: Their places on the normal distribution, shape (n_knots,).
    """

    name: str = "none"
    values: FloatArray = field(default_factory=_nothing)
    normals: FloatArray = field(default_factory=_nothing)

    @classmethod
    def fit(cls, name: str, target: FloatArray) -> TargetTransform:
        """Learns what there is to learn from the targets of a fold's training rows, shape (n,)."""
        if name != "quantile":
            return cls(name)
        shares = np.linspace(0, 1, min(_MOST_KNOTS, len(target)))
        values, group, count = np.unique(np.quantile(target, shares), return_inverse=True, return_counts=True)
        # Equal targets share the middle of their places, and no place is at infinity.
        places = np.bincount(group, shares) / count
        least = 0.5 / len(shares)
        normals = map(NormalDist().inv_cdf, places.clip(least, 1 - least).tolist())
        return cls(name, values, np.array(list(normals)))

    def forward(self, target: FloatArray, per: FloatArray | None = None) -> FloatArray:
        """Targets as labels to train on, shape (n,).

        Args:
            target: On its own scale.
            per: The column's values in the same rows, for `per:COLUMN`.
        """
        if self.name == "log1p":
            return np.log1p(target)
        if self.name == "sqrt":
            return np.sqrt(target)
        if self.name == "quantile":
            return np.interp(target, self.values, self.normals)
        return target if per is None else target / per

    def back(self, label: FloatArray, per: FloatArray | None = None) -> FloatArray:
        """Predicted labels on the target's own scale, shape (n,); arguments as for `forward`.

        What lies below every label comes out as the lowest target there can be: a square root below zero
        is zero, a quantile outside the fold's targets is the outermost of them.
        """
        if self.name == "log1p":
            return np.expm1(label)
        if self.name == "sqrt":
            return np.square(np.maximum(label, 0))
        if self.name == "quantile":
            return np.interp(label, self.normals, self.values)
        return label if per is None else label * per

    def to_json(self) -> str:
        """Text that `from_json` reads back, to the bit."""
        learned = (
            {"values": self.values.tolist(), "normals": self.normals.tolist()} if len(self.values) else {}
        )
        return json.dumps({"target_transform": self.name, **learned}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> TargetTransform:
        """The transform that wrote the text."""
        read = json.loads(text)
        return cls(
            read["target_transform"], np.array(read.get("values", ())), np.array(read.get("normals", ()))
        )


def transform_fault(name: str, target: FloatArray) -> str | None:
    """Why a transform cannot take the targets, shape (n,); None if it can."""
    lowest = float(target.min())
    for taken, limit, word in (("log1p", lowest > -1, "above -1"), ("sqrt", lowest >= 0, "of 0 or more")):
        if name == taken and not limit:
            bad = int(np.count_nonzero(target <= -1 if taken == "log1p" else target < 0))
            return (
                f"target_transform: got {name} and {bad:,} targets it cannot take, such as {lowest:g}; "
                f"allowed: targets {word}; do: choose another transform or mend the rows"
            )
    return None
