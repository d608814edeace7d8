"""LightGBM's search space: where to look on a data set, where to begin, and what a configuration costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.models.fold_labels import labelling_defaults, labelling_space
from objectives.models.lightgbm_params import KNOWN_PARAMS

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from objectives.base import Params
    from objectives.data.dataset import Dataset

_ROWS_PER_LEAF = 100


def space_of(dataset: Dataset) -> dict[str, BaseDistribution]:
    """The search space; the categorical parameters only where there are categories.

    `min_sum_hessian_in_leaf` is in it because its default makes unbalanced classes diverge. Trees too big for
    the rows are not, nor rates below 0.08: half the rate costs 2.3 times as much and gains 0.1 to 1.7 % whatever
    the other parameters are, so it is nothing to search for (on curves of rates from 0.04 on, recorded before).
    Split points drawn at random (`extra_trees`) err differently: a blend of both kinds was better on eight of twelve
    data sets, by 0.1 to 1.0 %, and worse on two, by 0.3 and 1.1 %.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    multiclass = dataset.task == "multiclass"
    most_leaves = int(np.clip(len(dataset.target) // _ROWS_PER_LEAF, 31, 63 if multiclass else 255))
    space: dict[str, BaseDistribution] = {
        "learning_rate": FloatDistribution(0.08, 0.3, log=True),
        "num_leaves": IntDistribution(7, most_leaves, log=True),
        "min_data_in_leaf": IntDistribution(2, 200, log=True),
        "min_sum_hessian_in_leaf": FloatDistribution(1e-3, 10.0, log=True),
        "feature_fraction": FloatDistribution(0.2, 1.0),
        "bagging_fraction": FloatDistribution(0.4, 1.0),
        "lambda_l1": FloatDistribution(1e-6, 10.0, log=True),
        "lambda_l2": FloatDistribution(1e-6, 100.0, log=True),
        "path_smooth": FloatDistribution(1e-3, 100.0, log=True),
        "extra_trees": CategoricalDistribution((False, True)),
    }
    if dataset.encoder.categorical:
        space["cat_smooth"] = FloatDistribution(1.0, 200.0, log=True)
        space["cat_l2"] = FloatDistribution(1.0, 200.0, log=True)
        space["max_cat_threshold"] = IntDistribution(4, 128, log=True)
    return space | labelling_space(dataset.approach)


def default_params_of(dataset: Dataset) -> dict[str, Any]:
    """LightGBM's own defaults, zeros replaced by the space's smallest value."""
    defaults: dict[str, Any] = {
        "learning_rate": 0.1,
        "num_leaves": 31,
        "min_data_in_leaf": 20,
        "min_sum_hessian_in_leaf": 1e-3,
        "feature_fraction": 1.0,
        "bagging_fraction": 1.0,
        "lambda_l1": 1e-6,
        "lambda_l2": 1e-6,
        "path_smooth": 1e-3,
        "extra_trees": False,
        "cat_smooth": 10.0,
        "cat_l2": 10.0,
        "max_cat_threshold": 32,
        **labelling_defaults(dataset.approach),
    }
    return {name: defaults[name] for name in space_of(dataset)}


def relative_work(params: Params) -> float:
    """Rounds until early stopping are about as many as the rate is low.

    That explains half of what recorded configurations differ in cost on the same data; random split points explain
    a fifteenth, the size of the trees less (`python -m benchmarks.curves`).
    """
    return 1 / rate_of(params)


def rate_of(params: Params) -> float:
    """A configuration's learning rate; LightGBM's own where the user's space may leave it out."""
    return float(params.get("learning_rate", KNOWN_PARAMS["learning_rate"].default))
