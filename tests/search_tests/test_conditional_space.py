"""Spaces with conditions: what belongs to a configuration, how many there are, and what lies outside."""

from __future__ import annotations

import pickle
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from search.loop.ending import EXHAUSTED
from search.space.conditional import (
    ConditionalSpace,
    active,
    carried,
    contains,
    fitted,
    space_fingerprint,
    space_size,
)
from tests.search_tests.fakes import FakeObjective, climb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.distributions import BaseDistribution

    from objectives.base import CVResult, Params, Report
    from search.space.conditional import When
    from tests.search_tests.conftest import Bench

PLAIN: dict[str, BaseDistribution] = {"x": FloatDistribution(0.0, 1.0), "n": IntDistribution(1, 8)}
KIND = CategoricalDistribution(["a", "b", "c"])
DEEP = ConditionalSpace(
    {"leaf": IntDistribution(1, 4), "kind": KIND, "size": IntDistribution(1, 3)},
    {"size": {"kind": ("a", "b")}, "leaf": {"size": (2,), "kind": ("a",)}},
    without={"size": 3},
)


@st.composite
def finite_spaces(draw: st.DrawFn) -> ConditionalSpace:
    """Up to four small parameters, each with conditions on some before it."""
    names = "pqrs"[: draw(st.integers(1, 4))]
    space: dict[str, BaseDistribution] = {}
    when: dict[str, When] = {}
    for name in names:
        high = draw(st.integers(1, 3))
        number: BaseDistribution = IntDistribution(1, high)
        space[name] = draw(st.sampled_from([number, CategoricalDistribution([*range(1, high + 1)])]))
        parents = draw(st.lists(st.sampled_from([*space]), unique=True, max_size=2))
        when[name] = {
            parent: tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2, unique=True)))
            for parent in parents
            if parent != name
        }
    return ConditionalSpace(space, when)


def _configurations(space: ConditionalSpace) -> set[frozenset[tuple[str, Any]]]:
    every = product(
        *([(name, value) for value in range(1, 4) if contains(space[name], value)] for name in space)
    )
    return {frozenset(active(space, dict(one)).items()) for one in every}


@given(finite_spaces())
def test_configurations_are_counted_exactly(space: ConditionalSpace) -> None:
    """The number is that of the different configurations one gets by trying all values, conditions applied."""
    assert space_size(space) == len(_configurations(space))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(space=finite_spaces())
def test_a_conditional_space_is_tried_out_once(
    bench: Bench, new_name: Iterator[str], space: ConditionalSpace
) -> None:
    """Each configuration has exactly one trial, none has a parameter whose condition fails, and then it ends."""

    class Objective(FakeObjective):
        def default_params(self) -> dict[str, Any]:
            return fitted(space, dict.fromkeys(space, 2))

    objective = Objective(_by_sum, space=space)
    study = bench.open(next(new_name), objective)

    assert bench.ending(study, objective, 200) == EXHAUSTED

    tried = [frozenset(trial.params.items()) for trial in study.trials]
    assert len(tried) == len(set(tried))
    assert set(tried) == _configurations(space)


def _by_sum(params: Params, report: Report) -> CVResult:
    return climb({"x": 0.1, "n": sum(params.values())}, report)


def test_conditions_hold_in_a_modelled_search(bench: Bench, new_name: Iterator[str]) -> None:
    """Once the sampler models a continuous space, conditions hold as before, and the better branch is preferred."""
    space = ConditionalSpace(
        {"kind": CategoricalDistribution(["near", "far"]), "x": PLAIN["x"], "y": FloatDistribution(0.0, 1.0)},
        {"y": {"kind": ("far",)}},
    )

    class Objective(FakeObjective):
        def default_params(self) -> dict[str, Any]:
            return {"kind": "far", "x": 0.5, "y": 0.5}

    def body(params: Params, report: Report) -> CVResult:
        return climb({"x": params["x"], "n": 1 if params["kind"] == "near" else 90}, report)

    objective = Objective(body, space=space)
    study = bench.open(next(new_name), objective)
    bench.run(study, objective, 50)

    assert all(("y" in trial.params) == (trial.params["kind"] == "far") for trial in study.trials)
    assert sum(trial.params["kind"] == "near" for trial in study.trials[-20:]) > 10


@pytest.mark.parametrize(
    ("params", "inside"),
    [
        ({"kind": "c"}, {"kind": "c"}),
        ({"kind": "b", "size": 1}, {"kind": "b", "size": 1}),
        # The objective took 3 where nothing was given.
        ({"kind": "b"}, {"kind": "b", "size": 3}),
        ({"kind": "c", "size": 3}, {"kind": "c"}),
        ({"kind": "c", "size": 1}, None),
        ({"kind": "a", "size": 2}, None),
        ({"kind": "a", "size": 2, "leaf": 4}, {"kind": "a", "size": 2, "leaf": 4}),
        ({"kind": "d"}, None),
        ({"kind": "b", "size": 9}, None),
        ({"kind": "b", "size": 1, "other": 1}, None),
    ],
)
def test_what_lies_in_a_space(params: dict[str, Any], inside: dict[str, Any] | None) -> None:
    """A configuration from elsewhere is inside where each value fits, and what is left out is known to amount to."""
    assert carried(DEEP, params) == inside


@given(
    st.dictionaries(
        st.sampled_from(["kind", "size", "leaf"]), st.sampled_from(["a", "c", "z", -5, 2, 2.6, True])
    )
)
def test_the_nearest_is_inside(params: dict[str, Any]) -> None:
    """Whatever was queued, what is made of it is a part of a configuration of the space, and inside stays itself."""
    inside = fitted(DEEP, params)

    assert all(contains(DEEP[name], value) for name, value in inside.items())
    assert inside.keys() <= params.keys()
    assert fitted(DEEP, inside) == inside


@pytest.mark.parametrize(
    ("distribution", "value", "nearest"),
    [
        (FloatDistribution(0.1, 0.4), 0.9, 0.4),
        (FloatDistribution(0.1, 0.4, step=0.1), 0.26, pytest.approx(0.3)),
        (IntDistribution(2, 8, step=3), 100, 8),
        (IntDistribution(7, 31), 12.4, 12),
        (IntDistribution(7, 31), "many", 7),
        (CategoricalDistribution(["a", "b"]), "z", "a"),
        (FloatDistribution(0.1, 0.1), 0.3, 0.1),
    ],
)
def test_the_nearest_value(distribution: BaseDistribution, value: Any, nearest: Any) -> None:
    """Numbers go to the nearest bound or step, anything else to the first value."""
    assert fitted({"x": distribution}, {"x": value})["x"] == nearest


def test_a_plain_space_keeps_its_fingerprint() -> None:
    """Without conditions a space has the fingerprint it always had, so that existing studies go on."""
    assert space_fingerprint(PLAIN) == space_fingerprint(ConditionalSpace(PLAIN)) == "55965ca41c7270b9"
    assert space_fingerprint(ConditionalSpace(PLAIN, {"n": {"x": (0.5,)}})) != space_fingerprint(PLAIN)


def test_conditions_outlive_pickling() -> None:
    """A space that crosses to another process is the same there."""
    copy = pickle.loads(pickle.dumps(DEEP))  # noqa: S301 - our own

    assert (copy, copy.when, copy.without) == (DEEP, DEEP.when, DEEP.without)
