"""One suite for every engine, and what only the threads promise."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

import pytest

from objectives.base import EvaluationStopped, Progress
from search.loop.engine import Broken, Engine, Evaluated, InProcessEngine, Stopped, ThreadEngine, open_engine
from tests.search_tests.fakes import DEFAULTS, FakeObjective, climb, cv_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from objectives.base import CVResult, Params, Report

PATIENCE_SECONDS = 60.0
"""Bounds what a broken engine would hang in; a sound one never waits for it."""


@pytest.fixture(params=[0, 1, 3], ids=["in process", "one thread", "three threads"])
def make_engine(request: pytest.FixtureRequest) -> Callable[[FakeObjective], Engine]:
    """Opens an engine with that many workers."""
    return lambda objective: open_engine(objective, request.param)


def _never(number: int, progress: Progress) -> bool:  # noqa: ARG001 - the form of a listener
    return False


def _until_stopped(params: Params, report: Report) -> CVResult:  # noqa: ARG001 - the form of a body
    for step in range(10):
        if report(Progress(step, 1.0, 0, step)):
            raise EvaluationStopped
    while not report.stopped():
        pass
    raise EvaluationStopped


def _limit() -> float:
    return time.monotonic() + PATIENCE_SECONDS


def test_a_result_comes_back_under_its_number(make_engine: Callable[[FakeObjective], Engine]) -> None:
    """An evaluation that runs to its end is an `Evaluated` with the objective's own result."""
    engine = make_engine(FakeObjective())
    engine.submit(7, DEFAULTS)

    outcome = engine.next_outcome(_never, _limit())

    assert isinstance(outcome, Evaluated)
    assert outcome.number == 7
    assert outcome.result.mean == pytest.approx(0.07)


def test_reports_come_in_order_in_the_callers_thread(make_engine: Callable[[FakeObjective], Engine]) -> None:
    """Whoever waits for the outcome hears every report, first to last, and needs no lock."""
    engine = make_engine(FakeObjective())
    heard: list[tuple[int, int, int]] = []

    def listen(number: int, progress: Progress) -> bool:
        heard.append((threading.get_ident(), number, progress.step))
        return False

    engine.submit(4, DEFAULTS)
    engine.next_outcome(listen, _limit())

    assert heard == [(threading.get_ident(), 4, step) for step in range(3)]


def test_a_stop_reaches_the_evaluation(make_engine: Callable[[FakeObjective], Engine]) -> None:
    """An evaluation that would go on for ever ends when a report is answered with stop."""
    engine = make_engine(FakeObjective(_until_stopped))
    engine.submit(0, DEFAULTS)

    outcome = engine.next_outcome(lambda _, progress: progress.step >= 5, _limit())

    assert isinstance(outcome, Stopped)


def test_a_stop_between_reports_is_seen(make_engine: Callable[[FakeObjective], Engine]) -> None:
    """`stopped` turns true without a further report."""

    def body(params: Params, report: Report) -> CVResult:  # noqa: ARG001 - the form of a body
        first = report(Progress(0, 1.0, 0, 0))
        while not (first or report.stopped()):
            pass
        raise EvaluationStopped

    engine = make_engine(FakeObjective(body))
    engine.submit(0, DEFAULTS)

    assert isinstance(engine.next_outcome(lambda *_: True, _limit()), Stopped)


def test_an_error_is_an_outcome(make_engine: Callable[[FakeObjective], Engine]) -> None:
    """What an evaluation raises comes back as type and message, and the engine goes on."""

    def body(params: Params, report: Report) -> CVResult:
        if params["n"] == 1:
            raise ValueError("no leaves")
        return climb(params, report)

    engine = make_engine(FakeObjective(body))
    engine.submit(0, {**DEFAULTS, "n": 1})
    broken = engine.next_outcome(_never, _limit())
    engine.submit(1, DEFAULTS)

    assert isinstance(broken, Broken)
    assert broken.reason == "ValueError: no leaves"
    assert isinstance(engine.next_outcome(_never, _limit()), Evaluated)


def test_the_deadline_ends_the_waiting(make_engine: Callable[[FakeObjective], Engine]) -> None:
    """After the deadline the caller gets None instead of an outcome."""
    engine = make_engine(FakeObjective(_until_stopped))
    engine.submit(0, DEFAULTS)

    assert engine.next_outcome(_never, time.monotonic()) is None
    engine.close()


def test_reports_do_not_put_off_the_deadline() -> None:
    """After the deadline at most one more report is heard, however many are waiting."""
    reported = threading.Event()
    heard: list[int] = []

    def body(params: Params, report: Report) -> CVResult:
        for step in range(10):
            report(Progress(step, 1.0, 0, step))
        reported.set()
        return _until_stopped(params, report)

    def listen(number: int, progress: Progress) -> bool:  # noqa: ARG001 - the form of a listener
        heard.append(progress.step)
        return False

    engine = ThreadEngine(FakeObjective(body), 1)
    engine.submit(0, DEFAULTS)
    assert reported.wait(PATIENCE_SECONDS)

    assert engine.next_outcome(listen, time.monotonic()) is None
    assert len(heard) <= 1
    engine.close()


def test_no_deadline_is_allowed(make_engine: Callable[[FakeObjective], Engine]) -> None:
    """An infinite deadline means to wait as long as it takes."""
    engine = make_engine(FakeObjective())
    engine.submit(0, DEFAULTS)

    assert isinstance(engine.next_outcome(_never, math.inf), Evaluated)


def test_workers_choose_the_engine() -> None:
    """No workers: the caller's own thread; else as many slots as workers."""
    assert isinstance(open_engine(FakeObjective(), 0), InProcessEngine)
    assert open_engine(FakeObjective(), 0).slots == 1
    assert [open_engine(FakeObjective(), workers).slots for workers in (1, 2, 5)] == [1, 2, 5]


def test_slots_run_at_the_same_time() -> None:
    """Three slots are in the objective together: each waits there for the two others."""
    together = threading.Barrier(3, timeout=PATIENCE_SECONDS)

    def body(params: Params, report: Report) -> CVResult:  # noqa: ARG001 - the form of a body
        together.wait()
        return cv_result(1.0)

    engine = ThreadEngine(FakeObjective(body), 3)
    for number in range(3):
        engine.submit(number, DEFAULTS)
    outcomes = [engine.next_outcome(_never, _limit()) for _ in range(3)]

    assert all(isinstance(outcome, Evaluated) for outcome in outcomes)
    assert {outcome.number for outcome in outcomes if outcome} == {0, 1, 2}


def test_a_stop_is_for_one_trial_only() -> None:
    """Of two that run, only the one whose report was answered with stop ends."""
    released = threading.Event()

    def body(params: Params, report: Report) -> CVResult:
        if params["n"] == 1:
            return _until_stopped(params, report)
        released.wait(PATIENCE_SECONDS)
        if report(Progress(0, 1.0, 0, 0)):
            raise EvaluationStopped
        return cv_result(1.0)

    engine = ThreadEngine(FakeObjective(body), 2)
    engine.submit(0, {**DEFAULTS, "n": 1})
    engine.submit(1, DEFAULTS)
    first = engine.next_outcome(lambda number, _: number == 0, _limit())
    released.set()
    second = engine.next_outcome(_never, _limit())

    assert isinstance(first, Stopped)
    assert first.number == 0
    assert isinstance(second, Evaluated)


def test_closing_stops_the_running() -> None:
    """No evaluation goes on after the search has ended."""
    started, ended = threading.Event(), threading.Event()

    def body(params: Params, report: Report) -> CVResult:
        started.set()
        try:
            return _until_stopped(params, report)
        finally:
            ended.set()

    engine = ThreadEngine(FakeObjective(body), 1)
    engine.submit(0, DEFAULTS)
    assert started.wait(PATIENCE_SECONDS)
    engine.close()

    assert ended.wait(PATIENCE_SECONDS)


def test_closing_forgets_what_was_not_started() -> None:
    """In process, a configuration waits for `next_outcome`; closing drops it."""
    evaluated: list[Params] = []

    def body(params: Params, report: Report) -> CVResult:
        evaluated.append(params)
        return climb(params, report)

    engine = InProcessEngine(FakeObjective(body))
    engine.submit(0, {**DEFAULTS, "n": 1})
    engine.close()
    engine.submit(1, {**DEFAULTS, "n": 2})
    outcome = engine.next_outcome(_never, _limit())

    assert outcome is not None
    assert outcome.number == 1
    assert [params["n"] for params in evaluated] == [2]


def test_an_interrupt_passes_through_in_process() -> None:
    """Ctrl-C in the caller's thread is the caller's, not an evaluation's error."""

    def body(params: Params, report: Report) -> CVResult:  # noqa: ARG001 - the form of a body
        raise KeyboardInterrupt

    engine = InProcessEngine(FakeObjective(body))
    engine.submit(0, DEFAULTS)

    with pytest.raises(KeyboardInterrupt):
        engine.next_outcome(_never, _limit())
