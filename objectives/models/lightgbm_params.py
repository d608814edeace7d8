"""LightGBM's parameters that a user may search, with LightGBM's own defaults and limits.

Left out is what the objective itself decides: loss, threads, seeds, binning, and `boosting`, for DART changes
earlier trees, so that its models cannot be cut back to their best round.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from objectives.known_params import KnownParam, known_by_space

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution

_SWITCH = (False, True)


def _share(default: float) -> KnownParam:
    return KnownParam("float", default, low=0, high=1, above=True)


def _from_zero(default: float) -> KnownParam:
    return KnownParam("float", default, low=0)


def _above_zero(default: float) -> KnownParam:
    return KnownParam("float", default, low=0, above=True)


def _switch(*, default: bool) -> KnownParam:
    return KnownParam("choice", default, choices=_SWITCH)


KNOWN_PARAMS: dict[str, KnownParam] = {
    # The trees.
    "learning_rate": KnownParam("float", 0.1, low=0, high=10, above=True),
    "num_leaves": KnownParam("int", 31, low=2, high=131_072),
    "max_depth": KnownParam("int", -1, low=-1),
    "min_data_in_leaf": KnownParam("int", 20, low=0),
    "min_sum_hessian_in_leaf": _from_zero(1e-3),
    "min_gain_to_split": _from_zero(0.0),
    "max_delta_step": KnownParam("float", 0.0),
    "extra_trees": _switch(default=False),
    # What they see.
    "feature_fraction": _share(1.0),
    "feature_fraction_bynode": _share(1.0),
    "bagging_fraction": _share(1.0),
    "pos_bagging_fraction": _share(1.0),
    "neg_bagging_fraction": _share(1.0),
    "data_sample_strategy": KnownParam("choice", "bagging", choices=("bagging", "goss")),
    "top_rate": KnownParam("float", 0.2, low=0, high=1),
    "other_rate": KnownParam("float", 0.1, low=0, high=1),
    # Penalties.
    "lambda_l1": _from_zero(0.0),
    "lambda_l2": _from_zero(0.0),
    "path_smooth": _from_zero(0.0),
    # Categories.
    "cat_smooth": _from_zero(10.0),
    "cat_l2": _from_zero(10.0),
    "max_cat_threshold": KnownParam("int", 32, low=1),
    "max_cat_to_onehot": KnownParam("int", 4, low=1),
    "min_data_per_group": KnownParam("int", 100, low=1),
    # Losses.
    "scale_pos_weight": _above_zero(1.0),
    "is_unbalance": _switch(default=False),
    "poisson_max_delta_step": _above_zero(0.7),
    # Speed.
    "use_quantized_grad": _switch(default=False),
    "num_grad_quant_bins": KnownParam("int", 4, low=2),
    "quant_train_renew_leaf": _switch(default=False),
    "stochastic_rounding": _switch(default=True),
}

LOSS_PARAMS: dict[str, KnownParam] = {
    "huber_delta": _above_zero(0.5),
    "fair_scale": _above_zero(0.5),
    "tweedie_variance_power": KnownParam("float", 1.5, low=1, high=1.999),
    "quantile_alpha": KnownParam("float", 0.5, low=0.001, high=0.999),
}
"""Those of one loss each, known where that loss is fitted."""


def known_params(space: Mapping[str, BaseDistribution], defaults: Mapping[str, Any]) -> dict[str, KnownParam]:
    """What a user may search.

    Args:
        space: Our own space for the data.
        defaults: What a configuration without one of its parameters amounts to, where LightGBM does not say.
    """
    own = {name: replace(one, default=defaults.get(name)) for name, one in known_by_space(space).items()}
    return {**own, **KNOWN_PARAMS, **{name: one for name, one in LOSS_PARAMS.items() if name in space}}
