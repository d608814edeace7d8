"""What we say of LightGBM's parameters is what LightGBM says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np
import pytest

from objectives.models.lightgbm_params import KNOWN_PARAMS
from tests.objectives_tests.test_lightgbm import bind

if TYPE_CHECKING:
    from tests.objectives_tests.conftest import Competition, Listener


@pytest.fixture(scope="module")
def by_lightgbm() -> dict[str, str]:
    """All parameters of a model that was given none, as LightGBM writes them."""
    rows = np.arange(60.0)
    booster = lgb.train({"verbosity": -1}, lgb.Dataset(rows[:, None], rows), num_boost_round=1)
    return dict(re.findall(r"^\[(\w+): (.*)\]$", booster.model_to_string(), re.MULTILINE))


@pytest.mark.parametrize("name", KNOWN_PARAMS)
def test_a_default_is_lightgbms(name: str, by_lightgbm: dict[str, str]) -> None:
    """A configuration without the parameter is what LightGBM makes of it, and within our own limits."""
    known = KNOWN_PARAMS[name]
    text = by_lightgbm[name]

    assert known.takes(known.default)
    if isinstance(known.default, str):
        assert text == known.default
    else:
        assert float(text) == pytest.approx(float(known.default))


def test_the_own_space_is_within_the_limits(competition: Competition) -> None:
    """A user's space may reach as far as ours."""
    objective = bind(competition.load())
    known = objective.known_params()

    for name, distribution in objective.space().items():
        own: Any = distribution
        for value in own.choices if hasattr(own, "choices") else (own.low, own.high):
            assert known[name].takes(value)


def test_a_searched_loss_is_known(competition: Competition) -> None:
    """Loss, scale and a loss's own parameter may be narrowed where they are searched, and have their defaults."""
    competition.asked |= {"losses": ("l2", "tweedie"), "transforms": ("none", "sqrt")}
    known = bind(competition.load()).known_params()

    assert known["loss"].choices == ("l2", "tweedie")
    assert (known["loss"].default, known["target_transform"].default) == ("l2", "none")
    assert known["tweedie_variance_power"].takes(1.2)
    assert not known["tweedie_variance_power"].takes(2.0)
    assert "quantile_alpha" not in known


@pytest.mark.parametrize(
    "params",
    [
        {"data_sample_strategy": "goss", "top_rate": 0.3, "other_rate": 0.2},
        {"extra_trees": True, "max_depth": 3, "feature_fraction_bynode": 0.5},
        {"use_quantized_grad": True, "stochastic_rounding": False},
        {"min_gain_to_split": 2.0, "max_delta_step": 1.0},
    ],
)
def test_what_goes_beyond_our_space_is_evaluated(
    competition: Competition, listen: type[Listener], params: dict[str, Any]
) -> None:
    """Such a configuration gives another model than without, the same each time, though the rate is missing."""
    objective = bind(competition.load())
    base = {"min_data_in_leaf": 3}

    plain = objective.evaluate(base, listen())
    once, again = (objective.evaluate({**base, **params}, listen()) for _ in range(2))

    assert once.model_hash == again.model_hash != plain.model_hash
