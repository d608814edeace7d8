"""The mean of the most similar rows: each feature counts by what it tells of the labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from objectives.models.cross_validated import CrossValidatedObjective
from objectives.models.encodings.relevance import relevance
from objectives.models.encodings.space import Space
from objectives.models.fold_model import Fitted, as_task, class_shares, read_constant
from objectives.models.saved_arrays import pack, part_of, unpack, within

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from optuna.distributions import BaseDistribution

    from objectives.base import FloatArray, Params
    from objectives.models.fold_model import FoldData, FoldModel
    from objectives.models.watch import Watch

_MOST_ROWS = 40_000
"""That are compared with: each row to predict is held against every one of them."""
_BLOCK = 2_000
_FEWEST, _MOST_LEVELS = 3, 300
_NEAR = 1e-3
_MOST_NEIGHBOURS = 100


class NearestObjective(CrossValidatedObjective):
    """Tunes k-nearest neighbours on scaled numbers and levels."""

    name = "nearest"
    losses: ClassVar[tuple[str, ...]] = ("l2", "l1", "mape", "binary", "multiclass")

    def own_space(self) -> dict[str, BaseDistribution]:
        """Returns how many neighbours, how the features count and how the distance does."""
        from optuna.distributions import FloatDistribution, IntDistribution

        most = min(_MOST_NEIGHBOURS, max(3, len(self._dataset.target) // 4))
        return {
            "neighbours": IntDistribution(2, most, log=True),
            "relevance": FloatDistribution(0.0, 4.0),
            "closeness": FloatDistribution(0.0, 3.0),
        }

    def own_defaults(self) -> dict[str, Any]:
        """Returns few neighbours for numbers and several classes, more for two, whose shares they estimate."""
        k = {"regression": 12, "binary": 50, "multiclass": 8}[self._dataset.task]
        return {"neighbours": k, "relevance": 1.3, "closeness": 1.0}

    def own_portfolio(self) -> list[dict[str, Any]]:
        """Returns other widths and another scale."""
        return [
            {"neighbours": 25, "relevance": 0.7, "closeness": 2.0},
            {"neighbours": 6, "relevance": 2.0, "closeness": 1.5},
        ]

    def fit_fold(self, params: Params, data: FoldData, watch: Watch) -> Fitted:
        """Scales the rows and keeps them; a stop is noticed on the way."""
        watch.check()
        share = relevance(data)
        watch.check()
        space = Space.fit(data, _FEWEST, _MOST_LEVELS)
        columns = space.weights(share, float(params["relevance"]))
        kept = np.sort(np.random.default_rng(data.seed).permutation(len(data.rows))[:_MOST_ROWS])
        model = NearestModel(
            space,
            columns,
            (space.apply(data.rows[kept]) * columns).astype(np.float32),
            data.labels[kept],
            np.array(
                [min(int(params["neighbours"]), len(kept)), float(params["closeness"]), data.loss != "l2"]
            ),
            class_shares(data) if data.n_classes else np.empty(0),
        )
        return Fitted(model, share)

    @staticmethod
    def read_model(content: bytes) -> FoldModel:
        """Reads back the rows."""
        return read_constant(content) or NearestModel.from_bytes(content)


@dataclass(frozen=True)
class NearestModel:
    """The rows to compare with.

    Attributes:
        space: Scales rows.
        columns: What each column of it counts, shape (columns,).
        rows: Scaled so, shape (n, columns).
        labels: Theirs, shape (n,).
        how: Number of neighbours, the power by which the nearer ones count more, and whether the median is
            taken of numbers.
        prior: Each class's share, shape (n_classes,); empty for regression.
    """

    space: Space
    columns: FloatArray
    rows: NDArray[np.float32]
    labels: FloatArray
    how: FloatArray
    prior: FloatArray

    def predict(self, rows: FloatArray) -> FloatArray:
        """Labels or probabilities."""
        blocks = [self._predict(rows[i : i + _BLOCK]) for i in range(0, max(len(rows), 1), _BLOCK)]
        return np.concatenate(blocks)

    def to_bytes(self) -> bytes:
        """As named arrays."""
        own = ("columns", "rows", "labels", "how", "prior")
        return pack({**{n: getattr(self, n) for n in own}, **within("space", self.space.arrays())})

    @classmethod
    def from_bytes(cls, content: bytes) -> NearestModel:
        """What `to_bytes` wrote."""
        arrays = unpack(content)
        own = {name: array for name, array in arrays.items() if "." not in name}
        return cls(Space.from_arrays(part_of("space", arrays)), **own)

    @cached_property
    def _search(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(n_neighbors=int(self.how[0]), algorithm="brute").fit(self.rows)

    def _predict(self, rows: FloatArray) -> FloatArray:
        scaled = (self.space.apply(rows) * self.columns).astype(np.float32)
        distances, places = self._search.kneighbors(scaled)
        labels = self.labels[places]
        # A row that is there already counts much, but not alone.
        usual = distances.mean(axis=1, keepdims=True, dtype=np.float64)
        near = np.maximum(distances, _NEAR * np.where(usual > 0, usual, 1.0))
        weights = (near / near.mean(axis=1, keepdims=True)) ** -self.how[1]
        if len(self.prior):
            return self._shares(labels, weights)
        if self.how[2]:
            return np.asarray(np.median(labels, axis=1))
        return np.asarray((labels * weights).sum(axis=1) / weights.sum(axis=1))

    def _shares(self, labels: FloatArray, weights: FloatArray) -> FloatArray:
        """Shares of the classes among the neighbours; all rows together are one neighbour more."""
        n_classes = len(self.prior)
        weights = weights / weights.mean(axis=1, keepdims=True)
        sums = np.stack([(weights * (labels == c)).sum(axis=1) for c in range(n_classes)], axis=1)
        return as_task((sums + self.prior) / (weights.shape[1] + 1), n_classes)
