"""The `[space]` table laid over an objective's own space."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from objectives.known_params import KnownParam
from search.space.shaped import ShapedObjective, shaped
from search.space.shaping import shape
from search.space.table import SpaceTable
from tests.search_tests.fakes import FakeObjective

if TYPE_CHECKING:
    from objectives.base import Params
    from search.space.conditional import ConditionalSpace

OWN = {
    "rate": FloatDistribution(0.04, 0.2, log=True),
    "leaves": IntDistribution(7, 255, log=True),
    "loss": CategoricalDistribution(["l1", "l2"]),
}


class Knowing(FakeObjective):
    """An objective that says what else may be searched."""

    def __init__(self) -> None:
        super().__init__(space=dict(OWN))

    def default_params(self) -> dict[str, Any]:
        """Inside its own space."""
        return {"rate": 0.1, "leaves": 31, "loss": "l2"}

    def known_params(self) -> dict[str, KnownParam]:
        """Two more than its space has."""
        return {
            "rate": KnownParam("float", 0.1, low=0, above=True),
            "leaves": KnownParam("int", 31, low=2, high=1_000),
            "loss": KnownParam("choice", "l2", choices=("l1", "l2", "huber")),
            "extra": KnownParam("choice", default=False, choices=(False, True)),
            "smooth": KnownParam("float", 0.0, low=0),
        }


def _shaped(**entries: Any) -> tuple[ConditionalSpace, list[str]]:
    return shape(Knowing(), SpaceTable.model_validate(entries))


@pytest.mark.parametrize(
    ("entry", "made"),
    [
        ({"leaves": {"low": 15, "high": 63}}, IntDistribution(15, 63, log=True)),
        ({"leaves": {"high": 63}}, IntDistribution(7, 63, log=True)),
        ({"leaves": {"low": 2, "high": 900, "log": False}}, IntDistribution(2, 900)),
        ({"leaves": {"low": 10, "high": 50, "step": 10}}, IntDistribution(10, 50, step=10)),
        ({"leaves": [15, 31, 63]}, CategoricalDistribution([15, 31, 63])),
        ({"leaves": 31}, IntDistribution(31, 31, log=True)),
        ({"rate": {"low": 0.5, "high": 2}}, FloatDistribution(0.5, 2.0, log=True)),
        ({"rate": 0.1}, FloatDistribution(0.1, 0.1, log=True)),
        ({"rate": {"value": 1}}, FloatDistribution(1.0, 1.0, log=True)),
        ({"loss": ["l1", "huber"]}, CategoricalDistribution(["l1", "huber"])),
        ({"loss": "l1"}, CategoricalDistribution(["l1"])),
        ({"extra": [True, False]}, CategoricalDistribution([True, False])),
        ({"smooth": {"low": 0, "high": 5}}, FloatDistribution(0.0, 5.0)),
        ({"smooth": {"low": 0, "high": 5, "kind": "int"}}, IntDistribution(0, 5)),
    ],
)
def test_an_entry_narrows_widens_or_fixes(entry: dict[str, Any], made: Any) -> None:
    """Only the named parameter changes; scale, kind and bounds that are left out are the objective's own."""
    space, faults = _shaped(**entry)

    (name,) = entry
    assert faults == []
    assert dict(space) == {**OWN, name: made}


def test_a_condition_keeps_its_parameter_behind_its_parents() -> None:
    """A parameter comes after those that it depends on, with its own bounds where the entry has none."""
    space, faults = _shaped(rate={"when": {"extra": True, "loss": ["l1"]}}, extra=[True, False])

    assert faults == []
    assert [*space] == ["leaves", "loss", "extra", "rate"]
    assert space["rate"] == OWN["rate"]
    assert space.when == {"rate": {"extra": (True,), "loss": ("l1",)}}
    assert space.without == {"rate": 0.1, "leaves": 31, "loss": "l2", "extra": False, "smooth": 0.0}


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (
            {"leafs": 3},
            "[space] leafs: got an unknown parameter; allowed: rate, leaves, loss, extra, smooth; do: write leaves",
        ),
        ({"qqq": 3}, "do: choose one"),
        ({"rate": "fast"}, "[space] rate: got 'fast'; allowed: numbers above 0"),
        ({"rate": {"low": 0, "high": 1}}, "got 0; allowed: numbers above 0"),
        ({"rate": True}, "got True"),
        ({"leaves": 31.5}, "got 31.5; allowed: whole numbers from 2 up to 1000"),
        ({"leaves": {"low": 10, "high": 5_000}}, "got 5000"),
        ({"leaves": {"low": 300}}, "got low 300 above high 255"),
        ({"leaves": {"low": 7.5, "high": 9}}, "got 7.5; allowed: whole numbers"),
        ({"leaves": {"kind": "float"}}, "kind 'float'"),
        ({"loss": "l3"}, "got 'l3'; allowed: 'l1', 'l2', 'huber'"),
        ({"loss": {"low": 1, "high": 2}}, "got a range; allowed: one of 'l1'"),
        ({"extra": [0, 1]}, "got 0, 1; allowed: False, True"),
        ({"smooth": {"high": 2}}, "got only one bound"),
        ({"smooth": {"when": {"loss": "l1"}}}, "got no value"),
        ({"rate": {"when": {"colour": "red"}}}, "[space] rate.when.colour: got no other parameter"),
        ({"rate": {"when": {"rate": 0.1}}}, "rate.when.rate: got no other parameter"),
        ({"rate": {"when": {"loss": "huber"}}}, "got 'huber'; allowed: 'l1', 'l2'"),
        ({"rate": {"when": {"leaves": 3_000}}}, "got 3000; allowed: 7 to 255"),
        ({"rate": {"when": {"loss": "l1"}}, "loss": {"when": {"rate": 0.1}}}, "depend on each other"),
    ],
)
def test_an_entry_that_does_not_fit(entry: dict[str, Any], named: str) -> None:
    """What the objective does not know or take is one line: got, allowed, do."""
    _, faults = _shaped(**entry)

    assert named in faults[0]
    assert len(faults) == 1
    assert all("got " in fault and "; allowed: " in fault and "; do: " in fault for fault in faults)


def test_all_entries_that_do_not_fit_at_once() -> None:
    """Several faults are several lines."""
    _, faults = _shaped(leafs=1, rate="x", loss="l3", leaves={"when": {"colour": 1}})

    assert len(faults) == 4


def test_an_objective_that_knows_no_more_has_its_own_space() -> None:
    """Of an objective of one's own, any parameter's numbers may be changed, and only its own choices taken."""
    objective = FakeObjective(space={"x": FloatDistribution(0, 1), "c": CategoricalDistribution(["a", "b"])})

    space, faults = shape(objective, SpaceTable.model_validate({"x": {"high": 5.0}, "c": "b"}))
    assert (faults, dict(space)) == ([], {"x": FloatDistribution(0, 5), "c": CategoricalDistribution(["b"])})
    assert len(shape(objective, SpaceTable.model_validate({"c": "z", "y": 1}))[1]) == 2


@pytest.mark.parametrize(
    ("entries", "default"),
    [
        ({"rate": 0.15, "leaves": {"high": 20}}, {"rate": 0.15, "leaves": 20, "loss": "l2"}),
        ({"loss": ["l1", "huber"]}, {"rate": 0.1, "leaves": 31, "loss": "l1"}),
        ({"extra": [True, False]}, {"rate": 0.1, "leaves": 31, "loss": "l2", "extra": False}),
        ({"leaves": {"when": {"loss": "l1"}}}, {"rate": 0.1, "loss": "l2"}),
    ],
)
def test_the_default_configuration_is_inside(entries: dict[str, Any], default: dict[str, Any]) -> None:
    """The first trial is the objective's default, moved to the nearest configuration of the user's space."""
    assert shaped(Knowing(), SpaceTable.model_validate(entries)).default_params() == default


def test_the_portfolio_is_inside() -> None:
    """Good configurations of other data are moved into the user's space like the default."""
    objective = Knowing()
    objective._portfolio = [
        {"rate": 0.05, "leaves": 200, "loss": "l1"},
        {"rate": 0.2, "leaves": 9, "loss": "l2"},
    ]

    moved = shaped(objective, SpaceTable.model_validate({"leaves": {"high": 63}, "loss": "l2"})).portfolio()

    assert moved == [{"rate": 0.05, "leaves": 63, "loss": "l2"}, {"rate": 0.2, "leaves": 9, "loss": "l2"}]


def test_work_is_known_without_a_parameter() -> None:
    """The cost of a configuration that lacks a parameter is that of the value that this amounts to."""

    class ByRate(Knowing):
        def work(self, params: Params) -> float:
            return 1 / float(params["rate"])

    objective = shaped(ByRate(), SpaceTable.model_validate({"rate": {"when": {"loss": "l1"}}}))

    assert (objective.work({"loss": "l2"}), objective.work({"rate": 0.5})) == (10.0, 2.0)


def test_without_a_table_the_objective_is_itself() -> None:
    """No table, or an empty one, changes nothing at all."""
    objective = Knowing()

    assert shaped(objective, None) is objective
    assert shaped(objective, SpaceTable({})) is objective


def test_a_shaped_objective_is_the_objective_otherwise() -> None:
    """It evaluates, crosses to workers and has all else as the objective does."""
    objective = shaped(Knowing(), SpaceTable.model_validate({"rate": 0.1}))
    copy = pickle.loads(pickle.dumps(objective))  # noqa: S301 - our own

    assert isinstance(copy, ShapedObjective)
    assert (copy.name, copy.threads, copy.work({})) == ("fake", 1, 1.0)
    assert copy.space() == objective.space()
    assert copy.known_params().keys() == Knowing().known_params().keys()
    assert copy.evaluate({"x": 0.3, "n": 1}, lambda _: False).mean == pytest.approx(0.01)  # type: ignore[arg-type]
    assert not hasattr(copy, "colour")
