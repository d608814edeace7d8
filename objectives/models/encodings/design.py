"""The design matrix of a linear model: scaled numbers and their pieces, holes, levels, nearness to landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from objectives.models.encodings.landmarks import Landmarks
from objectives.models.encodings.numbers import Pieces
from objectives.models.encodings.relevance import relevance
from objectives.models.encodings.space import Space
from objectives.models.fold_model import by_source
from objectives.models.saved_arrays import part_of, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from objectives.base import FloatArray
    from objectives.models.encodings.numbers import Positions
    from objectives.models.fold_model import FoldData
    from objectives.models.saved_arrays import Arrays

BLOCK = 10_000
"""Rows encoded at a time: a whole table with all its levels and pieces may not fit into memory."""


class Wanted(NamedTuple):
    """Which columns a design has.

    Attributes:
        pieces: Stretches that a number is cut into at most; up to 1: a straight line only.
        fewest: Rows that a level must have to get its own column.
        levels: Of all categories that get one, at most.
        landmarks: Rows that the nearness to is a column, at most.
        width: As for `Landmarks.fit`.
        relevance: How much it counts in nearness what a feature tells of the labels; 0: not at all.
    """

    pieces: int
    fewest: int
    levels: int
    landmarks: int
    width: float
    relevance: float


@dataclass(frozen=True)
class Design:
    """Turns rows into columns for a linear model.

    Attributes:
        space: Where rows are near to each other.
        pieces: Of its numbers.
        landmarks: In it.
    """

    space: Space
    pieces: Pieces
    landmarks: Landmarks

    @classmethod
    def fit(cls, data: FoldData, wanted: Wanted) -> Design:
        """Learns from the rows to fit."""
        space = Space.fit(data, wanted.fewest, wanted.levels)
        cut = Pieces.fit(space.scaling.filled(data.rows), wanted.pieces)
        share = relevance(data) if wanted.landmarks else np.ones(data.rows.shape[1])
        weights = space.weights(share, wanted.relevance)
        some = space.apply(data.rows[_drawn(len(data.rows), wanted.landmarks, data.seed)])
        return cls(space, cut, Landmarks.fit(some, weights, wanted.landmarks, wanted.width, data.seed))

    @property
    def n_columns(self) -> int:
        """How many columns it makes."""
        return len(self.space.sources) + len(self.pieces.columns) + len(self.landmarks.rows)

    def importance(self, parts: FloatArray, n_features: int) -> FloatArray:
        """The importance of the columns, shape (columns,), as that of the features they are of.

        That of the nearness is divided by what each feature counts in it.
        """
        cut = self.space.scaling.columns[self.pieces.columns]
        sources = np.concatenate([self.space.sources, cut])
        importance = by_source(sources, parts[: len(sources)], n_features)
        counts = by_source(self.space.sources, self.landmarks.weights, n_features)
        return importance + float(parts[len(sources) :].sum()) * counts / (counts.sum() or 1.0)

    def apply(self, rows: FloatArray) -> FloatArray:
        """Encodes rows, shape (n, columns)."""
        placed = self.space.apply(rows)
        pieces = self.pieces.apply(self.space.scaling.filled(rows))
        return np.hstack([placed, pieces, self.landmarks.apply(placed)])

    def blocks(self, rows: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
        """Encodes rows block by block; yields where they are, and the block."""
        for start in range(0, len(rows), BLOCK):
            where = slice(start, start + BLOCK)
            yield where, self.apply(rows[where])

    def arrays(self) -> Arrays:
        """What `from_arrays` takes."""
        return {
            **within("space", self.space.arrays()),
            **within("pieces", self.pieces.arrays()),
            **within("landmarks", self.landmarks.arrays()),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> Design:
        """The design that gave the arrays."""
        return cls(
            Space.from_arrays(part_of("space", arrays)),
            Pieces.from_arrays(part_of("pieces", arrays)),
            Landmarks.from_arrays(part_of("landmarks", arrays)),
        )


def _drawn(n_rows: int, n: int, seed: int) -> Positions:
    """Rows among which the landmarks and their usual distance are found."""
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[: 2 * n])
