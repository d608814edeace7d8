"""Evaluations after the search, on its engine, until a moment."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from objectives.data.split.keys import NO_KEYS
from objectives.data.split.plan import SplitPlan
from objectives.data.split.schemes import Splittable, make_split
from search.conclusion.jobs import Job, run_jobs
from search.loop.engine import EngineLostError
from search.loop.ground import Elsewhere, Ground
from search.loop.in_process import InProcessEngine
from tests.search_tests.bodies import limit, never, raises_for_one_leaf, until_stopped_for_one_leaf
from tests.search_tests.fakes import DEFAULTS, FakeObjective, FoldedObjective

if TYPE_CHECKING:
    from objectives.base import Params
    from search.loop.engine import Outcome

ONE_LEAF = {**DEFAULTS, "n": 1}


class CountingEngine(InProcessEngine):
    """Says what was submitted, and whether it was told to let go."""

    def __init__(self, objective: FakeObjective) -> None:
        super().__init__(Ground(objective))
        self.submitted: list[int] = []
        self.abandoned = 0

    def submit(self, number: int, params: Params, elsewhere: Elsewhere | None = None) -> None:
        """Notes the number."""
        self.submitted.append(number)
        super().submit(number, params, elsewhere)

    def abandon(self) -> None:
        """Notes it."""
        self.abandoned += 1
        super().abandon()


class LostEngine(CountingEngine):
    """Its workers are gone."""

    def next_outcome(self, *_: object) -> Outcome | None:
        """Nothing ends any more."""
        raise EngineLostError


def test_each_job_has_its_own_folds() -> None:
    """A result comes with the place of its job in the order given, from the folds that it asked for."""
    rows = Splittable(np.arange(40.0), "regression", NO_KEYS)
    plans = [SplitPlan("kfold", seed=seed) for seed in range(3)]
    own = make_split(plans[0], rows)
    engine = InProcessEngine(Ground(FoldedObjective(own), own, rows))

    done = {
        one.order: one for one in run_jobs(engine, [Job(DEFAULTS, Elsewhere(p)) for p in plans], math.inf)
    }

    assert sorted(done) == [0, 1, 2]
    for k, plan in enumerate(plans):
        assert done[k].result.scores == tuple(fold.val_idx[0] for fold in make_split(plan, rows))


def test_what_fails_is_left_out() -> None:
    """A job that cannot be evaluated does not keep the others from being."""
    engine = InProcessEngine(Ground(FakeObjective(raises_for_one_leaf)))

    done = list(run_jobs(engine, [Job(ONE_LEAF), Job(DEFAULTS)], math.inf))

    assert [one.order for one in done] == [1]


def test_the_deadline_ends_what_runs() -> None:
    """A job that would go on for ever is abandoned; the engine evaluates something else afterwards."""
    engine = CountingEngine(FakeObjective(until_stopped_for_one_leaf))

    assert list(run_jobs(engine, [Job(ONE_LEAF), Job(DEFAULTS)], time.monotonic() + 0.2)) == []

    assert engine.abandoned == 1
    engine.submit(5, DEFAULTS)
    outcome = engine.next_outcome(never, limit())
    assert outcome is not None
    assert outcome.number == 5


def test_what_would_not_be_done_in_time_is_not_begun() -> None:
    """A shorter job later in the order still is."""
    engine = CountingEngine(FakeObjective())

    done = list(run_jobs(engine, [Job(DEFAULTS, seconds=1e6), Job(DEFAULTS)], limit()))

    assert [one.order for one in done] == [1]
    assert len(engine.submitted) == 1


def test_forecasts_follow_what_jobs_take() -> None:
    """A first job that takes a million times its forecast shows that a second one like it has no chance."""
    engine = CountingEngine(FakeObjective())

    done = list(run_jobs(engine, [Job(DEFAULTS, seconds=1e-12), Job(DEFAULTS, seconds=1.0)], limit()))

    assert [one.order for one in done] == [0]


@pytest.mark.parametrize("stop_after", [1, 2])
def test_whoever_has_enough_stops_reading(stop_after: int) -> None:
    """Nothing is left submitted when the results are no longer wanted."""
    engine = CountingEngine(FakeObjective())
    results = run_jobs(engine, [Job(DEFAULTS)] * 5, math.inf)
    for _ in range(stop_after):
        next(results)

    results.close()

    assert len(engine.submitted) == stop_after
    assert engine.abandoned == 1


def test_without_workers_there_is_no_result() -> None:
    """A conclusion whose workers are lost goes on with what it has."""
    assert list(run_jobs(LostEngine(FakeObjective()), [Job(DEFAULTS)], math.inf)) == []
