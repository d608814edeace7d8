"""Networks of one fold with the encoding of their rows and the way back to labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from objectives.models.encodings.design import Design
from objectives.models.fold_model import all_classes, as_task
from objectives.models.label_scale import LabelScale
from objectives.models.network import Network, from_arrays, mean_output, mean_probabilities, to_arrays
from objectives.models.saved_arrays import pack, part_of, unpack, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.models.saved_arrays import Arrays

_NARROW = 0.1
"""Deviation below which a column is scaled no further: a level that few rows have would count for too much."""


@dataclass(frozen=True)
class ScaledDesign:
    """Turns rows into columns that are all about as wide, around zero.

    Attributes:
        design: Makes the columns.
        mean: Of each, shape (columns,).
        deviation: Of each, shape (columns,).
    """

    design: Design
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def fit(cls, design: Design, rows: FloatArray) -> ScaledDesign:
        """Learns from the rows to fit, shape (n, n_features)."""
        made = _encoded(design, rows)
        return cls(design, made.mean(axis=0), np.maximum(made.std(axis=0), np.float32(_NARROW)))

    def apply(self, rows: FloatArray) -> NDArray[np.float32]:
        """Encodes rows, shape (n, columns)."""
        made = _encoded(self.design, rows)
        made -= self.mean
        made /= self.deviation
        return made

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return {"mean": self.mean, "deviation": self.deviation, **within("design", self.design.arrays())}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> ScaledDesign:
        """The one that gave the arrays."""
        design = Design.from_arrays(part_of("design", arrays))
        return cls(design, arrays["mean"].astype(np.float32), arrays["deviation"].astype(np.float32))


def _encoded(design: Design, rows: FloatArray) -> NDArray[np.float32]:
    """The columns of rows, made block by block: in double precision all of them might not fit into memory."""
    made = np.empty((len(rows), design.n_columns), np.float32)
    for where, block in design.blocks(rows):
        made[where] = block
    return made


@dataclass(frozen=True)
class NeuralNetworkModel:
    """What predicts.

    Attributes:
        encoding: Of rows.
        networks: Whose mean counts.
        classes: Those that they know, shape (outputs,); empty for regression.
        n_classes: How many there are; 0 for regression.
        label_scale: From outputs to labels, for regression.
    """

    encoding: ScaledDesign
    networks: tuple[Network, ...]
    classes: FloatArray
    n_classes: int
    label_scale: LabelScale

    def predict(self, rows: FloatArray) -> FloatArray:
        """Labels or probabilities."""
        return self.predict_encoded(self.encoding.apply(rows))

    def predict_encoded(self, made: NDArray[np.float32]) -> FloatArray:
        """Labels or probabilities of rows that are encoded already."""
        if self.n_classes:
            known = mean_probabilities(self.networks, made)
            return as_task(all_classes(known, self.classes, self.n_classes), self.n_classes)
        return self.label_scale.labels(mean_output(self.networks, made))

    def importance(self, n_features: int) -> FloatArray:
        """How much each feature weighs in the first layers, shape (n_features,)."""
        parts = np.mean([np.abs(one.weights[0]).sum(axis=1) for one in self.networks], axis=0)
        return self.encoding.design.importance(parts.astype(np.float64), n_features)

    def to_bytes(self) -> bytes:
        """As named arrays."""
        return pack(
            {
                "classes": self.classes,
                "n_classes": self.n_classes,
                **within("encoding", self.encoding.arrays()),
                **within("networks", to_arrays(self.networks)),
                **within("label_scale", self.label_scale.arrays()),
            }
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> NeuralNetworkModel:
        """What `to_bytes` wrote."""
        arrays = unpack(content)
        return cls(
            ScaledDesign.from_arrays(part_of("encoding", arrays)),
            from_arrays(part_of("networks", arrays)),
            arrays["classes"],
            int(arrays["n_classes"]),
            LabelScale.from_arrays(part_of("label_scale", arrays)),
        )
