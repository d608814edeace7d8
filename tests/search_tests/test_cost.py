from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.loop.cost import ENOUGH_TO_FIT, CostModel, full_seconds

SPACE = {
    "rate": FloatDistribution(0.01, 1.0, log=True),
    "leaves": IntDistribution(2, 200, log=True),
    "kind": CategoricalDistribution(["plain", "deep"]),
    "fixed": IntDistribution(3, 3),
}


def _trial(params: dict[str, Any], seconds: float, state: TrialState = TrialState.COMPLETE) -> FrozenTrial:
    return create_trial(
        state=state,
        value=1.0,
        params=params,
        distributions=SPACE,
        user_attrs={"metrics": {"seconds": seconds}},
    )


def _draw(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "rate": float(np.exp(rng.uniform(np.log(0.01), 0))),
        "leaves": int(np.exp(rng.uniform(np.log(2), np.log(200)))),
        "kind": str(rng.choice(["plain", "deep"])),
        "fixed": 3,
    }


def _law(params: dict[str, Any]) -> float:
    return 2.0 * params["leaves"] ** 0.5 / params["rate"] ** 0.7 * (3 if params["kind"] == "deep" else 1)


def test_cost_follows_the_parameters() -> None:
    """Forty noisy trials are enough to predict a power law of numbers and choices within a third."""
    rng = np.random.default_rng(0)
    seen = [_draw(rng) for _ in range(40)]
    model = CostModel([_trial(params, _law(params) * rng.lognormal(0, 0.1)) for params in seen])
    fresh = [_draw(rng) for _ in range(50)]

    errors = [abs(np.log(model.predict(params) / _law(params))) for params in fresh]

    assert np.median(errors) < 0.15
    assert np.quantile(errors, 0.9) < 1 / 3


def test_few_trials_have_a_median_and_none_have_nothing() -> None:
    """A handful says nothing about a dozen parameters; without any the answer is not a number."""
    rng = np.random.default_rng(1)
    few = [_trial(_draw(rng), seconds) for seconds in (1.0, 4.0, 100.0)]
    assert len(few) < ENOUGH_TO_FIT

    assert CostModel(few).predict(_draw(rng)) == pytest.approx(4.0)
    assert math.isnan(CostModel([]).predict(_draw(rng)))


def test_a_prediction_stays_near_what_was_seen() -> None:
    """No configuration is called a hundred times dearer than any that ever ran."""
    trials = [
        _trial({"rate": 0.9, "leaves": n, "kind": "plain", "fixed": 3}, n)
        for n in range(2, 2 + ENOUGH_TO_FIT)
    ]

    far = CostModel(trials).predict({"rate": 0.01, "leaves": 200, "kind": "deep", "fixed": 3})

    assert far <= 2 * (1 + ENOUGH_TO_FIT) + 1e-9


def test_only_whole_evaluations_cost() -> None:
    """A pruned trial's seconds are not its price; without the metric it is the time from start to end."""
    start = datetime(2026, 1, 1)  # noqa: DTZ001 - as Optuna keeps it
    plain = create_trial(value=1.0)
    plain.datetime_start, plain.datetime_complete = start, start + timedelta(seconds=7)

    assert full_seconds(_trial({**_draw(np.random.default_rng(2))}, 5.0)) == 5.0
    assert full_seconds(plain) == 7.0
    assert full_seconds(_trial(_draw(np.random.default_rng(2)), 5.0, TrialState.PRUNED)) is None
