"""Categories as the mean target of their rows, learned inside a training fold."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from objectives.data.columns import Column
from objectives.data.features.values import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from objectives.base import FloatArray

    Codes = NDArray[np.int64]

_UNSEEN = -1


class Tables(NamedTuple):
    """What a fold has learned; plain lists, as JSON keeps them.

    Attributes:
        values: For each feature the value of each level, and of a missing cell last.
        unseen: For each feature the value of a category that training never showed.
    """

    values: list[list[float]]
    unseen: list[float]

    def apply(self, codes: Codes) -> FloatArray:
        """Encodes rows, shape (n, columns) of codes, to shape (n, features)."""
        each = len(self.values) // codes.shape[1]
        encoded = np.empty((len(codes), len(self.values)))
        for i, (values, unseen) in enumerate(zip(self.values, self.unseen, strict=True)):
            encoded[:, i] = np.array([*values, unseen])[codes[:, i // each]]
        return encoded


@dataclass(frozen=True)
class TargetEncoding:
    """Which columns; scikit-learn's TargetEncoder, which shrinks rare categories towards the mean, does the rest.

    Attributes:
        columns: Categories with all the levels of the training inputs.
        classes: Their labels where there are several: then one feature for each.
    """

    columns: tuple[Column, ...]
    classes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in order."""
        kinds = self.classes or ("",)
        return tuple(f"{c.name}.target{'=' * bool(kind)}{kind}" for c in self.columns for kind in kinds)

    def codes(self, frame: pd.DataFrame) -> Codes:
        """Place of each raw value among its column's levels; a missing one comes after them, an unseen one is -1."""
        codes = np.full((len(frame), len(self.columns)), _UNSEEN, np.int64)
        for i, column in enumerate(self.columns):
            missing = len(column.levels)
            places = {level: place for place, level in enumerate(column.levels)}
            values = as_text(frame[column.name]) if column.name in frame else [None] * len(frame)
            codes[:, i] = [missing if v is None else places.get(v, _UNSEEN) for v in values]
        return codes

    def fit(self, codes: Codes, target: FloatArray, parts: Codes) -> tuple[FloatArray, Tables]:
        """Learns from the rows of a training fold.

        Args:
            codes: Shape (n, columns).
            target: Numbers or class indices, shape (n,).
            parts: Which rows are encoded by what the others teach: those with the same number. Shape (n,).

        Returns:
            These rows encoded so, shape (n, features), and the tables for all other rows.
        """
        from sklearn.preprocessing import TargetEncoder

        levels = [np.arange(len(column.levels) + 1) for column in self.columns]
        splits = [(np.flatnonzero(parts != p), np.flatnonzero(parts == p)) for p in np.unique(parts)]
        # Classes that the fold lacks would change the number of features, so each is encoded on its own.
        encoded, values, unseen = [], [], []
        for one in [target == i for i in range(len(self.classes))] if self.classes else [target]:
            encoder = TargetEncoder(categories=levels, target_type="continuous", cv=splits)
            encoded.append(encoder.fit_transform(codes, one.astype(np.float64)))
            values.append([table.tolist() for table in encoder.encodings_])
            unseen.append(float(encoder.target_mean_))
        return _by_column(encoded), Tables(
            [table[i] for i in range(len(self.columns)) for table in values], unseen * len(self.columns)
        )

    def to_plain(self) -> dict[str, Any]:
        """What `from_plain` reads back, for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> TargetEncoding:
        """The encoding that was written."""
        columns = [Column(c["name"], c["kind"], tuple(c["levels"])) for c in plain["columns"]]
        return cls(tuple(columns), tuple(plain["classes"]))


def _by_column(encoded: Sequence[FloatArray]) -> FloatArray:
    """From one matrix for each class to each column's classes side by side."""
    stacked = np.stack(encoded, axis=2)
    return stacked.reshape(len(stacked), -1)
