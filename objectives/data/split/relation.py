"""How one set of rows stands to another: a scheme is right where training and validation stand as training and test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from objectives.base import FloatArray
    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold

_ROWS = 4_000
"""Rows of either side that the classifier sees; enough for two digits."""
_COLUMNS = 200
_ROUNDS, _PARTS = 50, 3
_FOLDS_SEEN = 3
_PARAMS: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 15,
    "learning_rate": 0.1,
    "feature_fraction": 0.7,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Relation:
    """How rows to predict stand to the rows that are fitted; each a share from 0 to 1.

    Attributes:
        auc: How well a classifier tells the two apart: 0.5 is not at all.
        known: For each group column, the share of the rows to predict whose group is among the fitted.
        later: For each time column, the share that is later than all that is fitted.
    """

    auc: float
    known: dict[str, float]
    later: dict[str, float]

    def distance(self, other: Relation) -> float:
        """Mean difference of all shares, from 0 (alike) to 1."""
        pairs = [(self.auc, other.auc)]
        pairs += [(share, other.known[name]) for name, share in self.known.items() if name in other.known]
        pairs += [(share, other.later[name]) for name, share in self.later.items() if name in other.later]
        return float(np.mean([abs(one - another) for one, another in pairs]))


class Sides(NamedTuple):
    """Two sets of rows: fitted, and to be predicted.

    Attributes:
        fitted: Features, shape (n_fitted, n_features).
        predicted: Features, shape (n_predicted, n_features).
        groups: For each group column, the groups of either.
        times: For each time column, the moments of either.
    """

    fitted: FloatArray
    predicted: FloatArray
    groups: dict[str, tuple[NDArray[Any], NDArray[Any]]]
    times: dict[str, tuple[NDArray[Any], NDArray[Any]]]


def relation_to_test(dataset: Dataset, seed: int) -> Relation:
    """How the test rows stand to the training rows."""
    keys = dataset.keys
    return _relation(
        Sides(
            dataset.train,
            dataset.test,
            {key.name: (key.train, key.test) for key in keys.groups if key.test is not None},
            {key.name: (key.train, key.test) for key in keys.times if key.test is not None},
        ),
        dataset.encoder.categorical,
        seed,
    )


def relation_in_folds(dataset: Dataset, folds: Sequence[Fold], seed: int) -> Relation:
    """How the validation rows stand to the training rows of their folds, on average; a few of many folds do."""
    seen = sorted({round(i) for i in np.linspace(0, len(folds) - 1, _FOLDS_SEEN)})
    found = [_relation(_sides(dataset, folds[i]), dataset.encoder.categorical, seed) for i in seen]

    def mean(shares: Sequence[dict[str, float]]) -> dict[str, float]:
        return {name: float(np.mean([one[name] for one in shares])) for name in shares[0]}

    return Relation(
        float(np.mean([one.auc for one in found])),
        mean([one.known for one in found]),
        mean([one.later for one in found]),
    )


def _sides(dataset: Dataset, fold: Fold) -> Sides:
    train, val = fold
    keys = dataset.keys
    return Sides(
        dataset.train[train],
        dataset.train[val],
        {key.name: (key.train[train], key.train[val]) for key in keys.groups},
        {key.name: (key.train[train], key.train[val]) for key in keys.times},
    )


def _relation(sides: Sides, categorical: Sequence[int], seed: int) -> Relation:
    return Relation(
        adversarial_auc(sides.fitted, sides.predicted, categorical, seed),
        {name: float(np.mean(np.isin(b, a))) for name, (a, b) in sides.groups.items()},
        {name: float(np.mean(b > np.max(a))) for name, (a, b) in sides.times.items()},
    )


def adversarial_auc(
    fitted: FloatArray, predicted: FloatArray, categorical: Sequence[int], seed: int
) -> float:
    """How well a small classifier tells two sets of rows apart, cross-validated on rows of both.

    Args:
        fitted: Features, shape (n_fitted, n_features).
        predicted: Features, shape (n_predicted, n_features).
        categorical: Positions of the features that are indices of levels.
        seed: Fixes rows, columns and folds.

    Returns:
        The area under the ROC curve, at least 0.5: what is below that is noise.
    """
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    columns = _some(rng, fitted.shape[1], _COLUMNS)
    one, other = (side[_some(rng, len(side), _ROWS)] for side in (fitted, predicted))
    rows = _blinded(fitted, np.concatenate([one, other]), categorical)[:, columns]
    label = np.r_[np.zeros(len(one)), np.ones(len(other))]
    if min(len(one), len(other)) < _PARTS:
        return 0.5
    return max(0.5, float(roc_auc_score(label, _out_of_fold(rows, label, seed))))


def _some(rng: np.random.Generator, n: int, most: int) -> NDArray[np.intp]:
    return np.sort(rng.permutation(n)[:most]) if n > most else np.arange(n)


def _blinded(fitted: FloatArray, rows: FloatArray, categorical: Sequence[int]) -> FloatArray:
    """Rows without the levels that the fitted ones lack: in a test file these are missing values already."""
    rows = rows.copy()
    for column in categorical:
        unseen = ~np.isin(rows[:, column], fitted[:, column])
        rows[unseen, column] = np.nan
    return rows


def _out_of_fold(rows: FloatArray, label: FloatArray, seed: int) -> FloatArray:
    import lightgbm as lgb
    from sklearn.model_selection import StratifiedKFold

    predicted = np.empty(len(label))
    params = {**_PARAMS, "seed": seed}
    for train, val in StratifiedKFold(_PARTS, shuffle=True, random_state=seed).split(rows, label):
        booster = lgb.train(params, lgb.Dataset(rows[train], label[train]), num_boost_round=_ROUNDS)
        predicted[val] = booster.predict(rows[val], num_threads=1)
    return predicted
