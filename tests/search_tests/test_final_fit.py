"""The best configurations fitted anew after the search."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from objectives.data.folds import Fold
from search.conclusion.candidates import Part
from search.conclusion.final_fit import final_fits, place_of, whole_cost
from search.config import FINAL_FIT_OF_ALL_ROWS, FINAL_FIT_PARTS, FINAL_FIT_SEEDS, FINAL_FIT_SLOWER
from search.loop.engine import Evaluated
from search.loop.ground import Elsewhere, Ground
from search.loop.in_process import InProcessEngine
from tests.search_tests.bodies import limit, never
from tests.search_tests.fakes import FakeObjective, cv_result

if TYPE_CHECKING:
    from objectives.base import CVResult, Params, Report


class PacedObjective(FakeObjective):
    """Scores by its pace and its seed, so that a result says how it was made.

    Args:
        can_slow_down: Whether it knows a slower configuration.
        seed: Of its models.
    """

    def __init__(self, *, can_slow_down: bool = True, seed: int = 0) -> None:
        super().__init__()
        self._can, self._seed = can_slow_down, seed

    def on(self, folds: tuple[Fold, ...], seed: int | None = None) -> PacedObjective:  # noqa: ARG002
        """The same with another seed."""
        seed = self._seed if seed is None else seed
        return PacedObjective(can_slow_down=self._can, seed=seed)

    def slower(self, params: Params, factor: float) -> dict[str, Any] | None:
        """Divides the pace."""
        return {**params, "pace": params["pace"] / factor} if self._can else None

    def evaluate(self, params: Params, report: Report) -> CVResult:  # noqa: ARG002 - the contract's form
        """Says pace and seed."""
        return cv_result(params["pace"] + 100 * self._seed)


PARTS = [Part(number, {"pace": float(number)}) for number in (9, 3, 6, 12, 15, 18)]


def fitted(objective: PacedObjective, deadline: float, seconds: float = 1e-6) -> dict[str, CVResult]:
    """All final fits that there is time for, by name."""
    engine = InProcessEngine(Ground(objective))
    known = dict.fromkeys(PARTS, seconds)
    return {
        fit.part.name: fit.result for fit in final_fits(PARTS, objective, engine, deadline, seconds=known)
    }


def test_the_first_parts_slower_then_with_other_seeds() -> None:
    """As many as the figures say, in the order of their weight; results are of the part's own parameters."""
    found = fitted(PacedObjective(), math.inf)

    names = [f"trial {part.trial}" for part in PARTS[:FINAL_FIT_PARTS]]
    seeded = [f"{name}, slow seed {seed}" for name in names for seed in range(1, FINAL_FIT_SEEDS + 1)]
    assert list(found) == [*(f"{name}, slow" for name in names), *seeded]
    assert found["trial 9, slow"].mean == pytest.approx(9 / FINAL_FIT_SLOWER)
    assert found["trial 9, slow seed 1"].mean == pytest.approx(9 / FINAL_FIT_SLOWER + 100)
    assert all(result.models for result in found.values())


def test_what_cannot_go_slower_gets_other_seeds() -> None:
    """An objective without rates has further seeds all the same."""
    found = fitted(PacedObjective(can_slow_down=False), math.inf)

    assert list(found) == [f"trial {part.trial}, seed 1" for part in PARTS[:FINAL_FIT_PARTS]]


def test_what_is_there_already_is_left_out() -> None:
    """Where time is left the rest is fitted, and nothing twice."""
    known = [Part(9, {"pace": 4.5}, "slow"), Part(3, {"pace": 1.5}, "slow seed 1")]
    engine, seconds = InProcessEngine(Ground(PacedObjective())), dict.fromkeys(PARTS, 1e-6)

    rest = [
        fit.part
        for fit in final_fits(PARTS, PacedObjective(), engine, math.inf, seconds=seconds, known=known)
    ]

    assert len(rest) == FINAL_FIT_PARTS * (1 + FINAL_FIT_SEEDS) - len(known)
    assert not {*known} & {*rest}


def test_a_part_says_which_models_of_all_rows_it_has() -> None:
    """By its variant alone, with the rounds of its folds: whoever lacks the models makes the same ones."""
    for variant in ("", "slow", "seed 1", "slow seed 1"):
        part = Part(9, {"pace": 1.0}, variant)
        whole = Part.from_json(part.whole(3, 120.44).to_json())

        assert (whole.of_all_rows, whole.rounds, whole.seed) == (3, 120.4, part.seed)
        assert (part.of_all_rows, part.rounds) == (0, 0.0)
        assert whole != part
        assert whole.by_folds == part
        assert place_of(whole) == Elsewhere(seed=part.seed, models=True, of_all_rows=3, rounds=120.4)


def test_models_of_all_rows_have_a_forecast() -> None:
    """Three of all rows cost three quarters of five of four fifths of the rows each."""
    rows = np.arange(100)
    folds = [Fold(np.setdiff1d(rows, val), val) for val in np.split(rows, 5)]

    assert whole_cost(folds, 100) == pytest.approx(FINAL_FIT_OF_ALL_ROWS / 4)


def test_without_time_there_is_none() -> None:
    """A fit that takes longer than there is time for is not begun."""
    assert fitted(PacedObjective(), limit(), seconds=1e6) == {}


def test_a_part_says_how_to_fit_it_again() -> None:
    """By its variant alone: whoever lacks its model makes the same one."""
    objective = PacedObjective()
    engine = InProcessEngine(Ground(objective))
    for fit in final_fits(PARTS, objective, engine, math.inf, seconds=dict.fromkeys(PARTS, 1e-6)):
        again = Part.from_json(fit.part.to_json())
        engine.submit(0, again.params, place_of(again))
        outcome = engine.next_outcome(never, math.inf)

        assert isinstance(outcome, Evaluated)
        assert outcome.result.oof_hash == fit.result.oof_hash
