"""One suite for every engine; what only the worker processes promise is in test_workers.py."""

from __future__ import annotations

import math
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pytest

from objectives.data.split.keys import NO_KEYS
from objectives.data.split.plan import SplitPlan
from objectives.data.split.schemes import Splittable, make_split
from search.loop.engine import Broken, Engine, Evaluated, Limits, Stopped
from search.loop.ground import Elsewhere, Ground
from search.loop.in_process import InProcessEngine
from tests.search_tests.bodies import (
    eats_memory_for_one_leaf,
    forgets_to_return_for_one_leaf,
    interrupted,
    limit,
    never,
    raises_for_one_leaf,
    stopped_between_reports,
    until_stopped,
    until_stopped_for_one_leaf,
)
from tests.search_tests.fakes import DEFAULTS, FakeObjective, FoldedObjective, climb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from objectives.base import CVResult, Params, Progress, Report
    from search.loop.workers.cluster import ClusterAddress

ONE_LEAF = {**DEFAULTS, "n": 1}


class OpenEngine(Protocol):
    """Opens the engine under test."""

    def __call__(self, objective: FakeObjective | Ground, limits: Limits = ...) -> Engine:
        """With these limits."""
        ...


@pytest.fixture(params=["in process", "workers"])
def make_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenEngine]:
    """Opens engines of each kind, and closes them."""
    with ExitStack() as stack:

        def make(objective: FakeObjective | Ground, limits: Limits = Limits()) -> Engine:  # noqa: B008 - a frozen value
            ground = objective if isinstance(objective, Ground) else Ground(objective)
            if request.param == "in process":
                return InProcessEngine(ground, limits)
            from search.loop.workers.engine import DaskEngine
            from search.loop.workers.line import DaskLine
            from search.loop.workers.objective_file import objective_file

            address: ClusterAddress = request.getfixturevalue("two_workers")
            file = stack.enter_context(objective_file(ground, tmp_path))
            engine = DaskEngine(DaskLine(address, file), file, limits, 2)
            stack.callback(engine.close)
            return engine

        yield make


def test_a_result_comes_back_under_its_number(make_engine: OpenEngine) -> None:
    """An evaluation that runs to its end is an `Evaluated` with the objective's own result."""
    engine = make_engine(FakeObjective())
    engine.submit(7, DEFAULTS)

    outcome = engine.next_outcome(never, limit())

    assert isinstance(outcome, Evaluated)
    assert outcome.number == 7
    assert outcome.result.mean == pytest.approx(0.07)


def test_reports_come_in_order_in_the_callers_thread(make_engine: OpenEngine) -> None:
    """Whoever waits for the outcome hears every report, first to last, and needs no lock."""
    engine = make_engine(FakeObjective())
    heard: list[tuple[int, int, int]] = []

    def listen(number: int, progress: Progress) -> bool:
        heard.append((threading.get_ident(), number, progress.step))
        return False

    engine.submit(4, DEFAULTS)
    engine.next_outcome(listen, limit())

    assert heard == [(threading.get_ident(), 4, step) for step in range(3)]


def test_reports_say_how_long_it_took(make_engine: OpenEngine) -> None:
    """Each report has the seconds since the evaluation began, which nobody else knows: it may have waited."""
    engine = make_engine(FakeObjective())
    heard: list[float] = []

    def listen(_: int, progress: Progress) -> bool:
        heard.append(progress.seconds)
        return False

    engine.submit(0, DEFAULTS)
    engine.next_outcome(listen, limit())

    assert 0.0 < heard[0] < heard[1] < heard[2]


def test_a_stop_reaches_the_evaluation(make_engine: OpenEngine) -> None:
    """An evaluation that would go on for ever ends when a report is answered with stop."""
    engine = make_engine(FakeObjective(until_stopped))
    engine.submit(0, DEFAULTS)

    outcome = engine.next_outcome(lambda _, progress: progress.step >= 5, limit())

    assert isinstance(outcome, Stopped)


def test_a_stop_between_reports_is_seen(make_engine: OpenEngine) -> None:
    """`stopped` turns true without a further report."""
    engine = make_engine(FakeObjective(stopped_between_reports))
    engine.submit(0, DEFAULTS)

    assert isinstance(engine.next_outcome(lambda *_: True, limit()), Stopped)


def test_an_error_is_an_outcome(make_engine: OpenEngine) -> None:
    """What an evaluation raises comes back as type and message, and the engine goes on."""
    engine = make_engine(FakeObjective(raises_for_one_leaf))
    engine.submit(0, ONE_LEAF)
    broken = engine.next_outcome(never, limit())
    engine.submit(1, DEFAULTS)

    assert isinstance(broken, Broken)
    assert broken.reason == "ValueError: no leaves"
    assert isinstance(engine.next_outcome(never, limit()), Evaluated)


def test_what_is_no_result_is_a_failure(make_engine: OpenEngine) -> None:
    """An objective that forgets to return its result is told so, and the engine goes on."""
    engine = make_engine(FakeObjective(forgets_to_return_for_one_leaf))
    engine.submit(0, ONE_LEAF)
    broken = engine.next_outcome(never, limit())
    engine.submit(1, DEFAULTS)

    assert isinstance(broken, Broken)
    assert broken.reason == "TypeError: evaluate returned NoneType, not CVResult"
    assert isinstance(engine.next_outcome(never, limit()), Evaluated)


def test_the_deadline_ends_the_waiting(make_engine: OpenEngine) -> None:
    """After the deadline the caller gets None instead of an outcome."""
    engine = make_engine(FakeObjective(until_stopped))
    engine.submit(0, DEFAULTS)

    assert engine.next_outcome(never, time.monotonic()) is None


def test_no_deadline_is_allowed(make_engine: OpenEngine) -> None:
    """An infinite deadline means to wait as long as it takes."""
    engine = make_engine(FakeObjective())
    engine.submit(0, DEFAULTS)

    assert isinstance(engine.next_outcome(never, math.inf), Evaluated)


def test_the_caller_is_woken_while_a_trial_runs(make_engine: OpenEngine) -> None:
    """`on_wait` is called before an evaluation that only waits has ended."""
    engine = make_engine(FakeObjective(until_stopped))
    woken: list[bool] = []
    engine.submit(0, DEFAULTS)

    outcome = engine.next_outcome(
        lambda _, progress: bool(woken) and progress.step >= 9,
        time.monotonic() + 3,
        lambda: woken.append(True),
    )

    assert woken
    assert outcome is None or isinstance(outcome, Stopped)


def test_a_trial_over_its_time_fails(make_engine: OpenEngine) -> None:
    """An evaluation that goes on past `--trial-timeout` ends as broken, with the limit in its reason."""
    engine = make_engine(FakeObjective(until_stopped), Limits(seconds=0.2))
    engine.submit(0, DEFAULTS)

    outcome = engine.next_outcome(never, limit())

    assert isinstance(outcome, Broken)
    assert "--trial-timeout allows 0.2 s" in outcome.reason


def test_a_trial_over_its_memory_fails(make_engine: OpenEngine) -> None:
    """An evaluation that eats more than `--memory-per-worker` ends as broken, and the next one does not."""
    engine = make_engine(FakeObjective(eats_memory_for_one_leaf), Limits(memory_bytes=2e9))
    engine.submit(0, ONE_LEAF)
    broken = engine.next_outcome(never, limit())
    engine.submit(1, DEFAULTS)

    assert isinstance(broken, Broken)
    assert "--memory-per-worker allows 2 GB" in broken.reason
    assert isinstance(engine.next_outcome(never, limit()), Evaluated)


ROWS = Splittable(np.arange(40.0), "regression", NO_KEYS)
OWN, OTHER = SplitPlan("kfold", seed=1), SplitPlan("kfold", seed=2)


def result_on(engine: Engine, elsewhere: Elsewhere | None) -> CVResult:
    """What the default configuration has there."""
    engine.submit(3, DEFAULTS, elsewhere)
    outcome = engine.next_outcome(never, limit())
    assert isinstance(outcome, Evaluated)
    return outcome.result


def test_other_folds_are_those_of_the_plan(make_engine: OpenEngine) -> None:
    """A configuration sent elsewhere has the folds and the seed that were asked for; the next trial the study's."""
    own, other = make_split(OWN, ROWS), make_split(OTHER, ROWS)
    engine = make_engine(Ground(FoldedObjective(own, seed=7), own, ROWS))

    there, here = result_on(engine, Elsewhere(OTHER, seed=9)), result_on(engine, None)

    assert there.scores == tuple(fold.val_idx[0] for fold in other)
    assert there.test_prediction.tolist() == [9, 9]
    assert here.scores == tuple(fold.val_idx[0] for fold in own)
    assert here.test_prediction.tolist() == [7, 7]


def test_some_folds_only(make_engine: OpenEngine) -> None:
    """One may ask for some of the folds, of the study's own split too, in any order."""
    own, other = make_split(OWN, ROWS), make_split(OTHER, ROWS)
    engine = make_engine(Ground(FoldedObjective(own), own, ROWS))

    assert result_on(engine, Elsewhere(folds=(1,))).scores == (own[1].val_idx[0],)
    assert result_on(engine, Elsewhere(OTHER, folds=(4, 0))).scores == tuple(
        other[k].val_idx[0] for k in (4, 0)
    )


def test_models_come_from_elsewhere_only_when_wanted(make_engine: OpenEngine) -> None:
    """Fresh splits want scores alone; a final fit wants its models, on the study's own folds."""
    own = make_split(OWN, ROWS)
    engine = make_engine(Ground(FoldedObjective(own), own, ROWS))

    assert result_on(engine, Elsewhere(OTHER)).models == ()
    assert result_on(engine, Elsewhere(models=True)).models == ("0.0",)


@pytest.mark.parametrize(
    "elsewhere", [Elsewhere(OTHER), Elsewhere(replace(OTHER, folds=41)), Elsewhere(folds=(9,))]
)
def test_what_cannot_be_elsewhere_is_broken(make_engine: OpenEngine, elsewhere: Elsewhere) -> None:
    """An objective without `on`, a split that the rows do not allow, a fold that is not there: an outcome each."""
    own = make_split(OWN, ROWS)
    objective = FakeObjective() if elsewhere == Elsewhere(OTHER) else FoldedObjective(own)
    engine = make_engine(Ground(objective, own, ROWS))
    engine.submit(0, DEFAULTS, elsewhere)

    assert isinstance(engine.next_outcome(never, limit()), Broken)


def test_what_is_abandoned_never_ends(make_engine: OpenEngine) -> None:
    """After `abandon` nothing comes back of what ran or waited, and the same engine evaluates the next."""
    engine = make_engine(FakeObjective(until_stopped_for_one_leaf))
    for number in range(5):
        engine.submit(number, ONE_LEAF)
    assert engine.next_outcome(never, time.monotonic()) is None

    engine.abandon()
    engine.submit(9, DEFAULTS)
    outcome = engine.next_outcome(never, limit())

    assert isinstance(outcome, Evaluated)
    assert outcome.number == 9


def test_nothing_runs_on_after_closing() -> None:
    """In process, a configuration waits for `next_outcome`; closing drops it."""
    evaluated: list[Params] = []

    def body(params: Params, report: Report) -> object:
        evaluated.append(params)
        return climb(params, report)

    engine = InProcessEngine(Ground(FakeObjective(body)))  # type: ignore[arg-type]
    engine.submit(0, ONE_LEAF)
    engine.close()
    engine.submit(1, {**DEFAULTS, "n": 2})
    outcome = engine.next_outcome(never, limit())

    assert outcome is not None
    assert outcome.number == 1
    assert [params["n"] for params in evaluated] == [2]


def test_an_interrupt_passes_through_in_process() -> None:
    """Ctrl-C in the caller's thread is the caller's, not an evaluation's error."""
    engine = InProcessEngine(Ground(FakeObjective(interrupted)))
    engine.submit(0, DEFAULTS)

    with pytest.raises(KeyboardInterrupt):
        engine.next_outcome(never, limit())
