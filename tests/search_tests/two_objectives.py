"""Two objectives for tests of several in one study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tests.search_tests.fakes import FakeObjective, climb

if TYPE_CHECKING:
    from objectives.base import CVResult, Params, Report

SPACE = {"x": FloatDistribution(0.0, 1.0), "n": IntDistribution(1, 8)}


class Nobody:
    """A report line that nobody listens to."""

    def __call__(self, _: object) -> bool:
        """Goes on."""
        return False

    def stopped(self) -> bool:
        """Never."""
        return False


class Lightgbm(FakeObjective):
    """The one whose parameters keep their names."""

    name = "lightgbm"

    def __init__(self) -> None:
        super().__init__(space=dict(SPACE), portfolio=[{"x": 0.1, "n": 1}])


class Trees(FakeObjective):
    """Another one with parameters of the same names, that costs by one of them."""

    name = "trees"

    def __init__(self) -> None:
        super().__init__(self.body, {**SPACE, "mode": CategoricalDistribution(["a", "b"])})

    def default_params(self) -> dict[str, Any]:
        """A point inside."""
        return {"x": 0.25, "n": 2, "mode": "a"}

    @staticmethod
    def body(params: Params, report: Report) -> CVResult:
        """Refuses parameters that are not its own."""
        assert params.keys() == {"x", "n", "mode"}
        return climb(params, report)

    def work(self, params: Params) -> float:
        """By the first parameter."""
        return float(params.get("x", 1.0))

    def slower(self, params: Params, factor: float) -> dict[str, Any]:
        """Divides the first parameter."""
        return {**params, "x": params["x"] / factor}
