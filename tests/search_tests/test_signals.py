from __future__ import annotations

import math
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import event

from search import stopping
from search.loop.coordinator import Coordinator
from search.loop.ground import Ground
from search.loop.in_process import InProcessEngine
from search.loop.interruption import configuration
from search.loop.progress import SearchProgress
from search.loop.standing import Standing
from search.loop.study import open_study
from storage.held_signals import signals_held
from storage.ledger import open_sole_ledger
from tests.search_tests.fakes import FakeObjective

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from optuna.study import Study
    from sqlalchemy.engine import Engine


@pytest.fixture(autouse=True)
def python_takes_interrupts() -> Iterator[None]:
    """As on a terminal; a background job of a shell begins with them ignored, and tests may run in one."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class SignalAt:
    """Sends Ctrl-C when so many statements have been executed and not yet read from."""

    def __init__(self, statement: int) -> None:
        self._left = statement

    def __call__(self, *_: Any) -> None:
        """One more statement."""
        self._left -= 1
        if not self._left:
            signal.raise_signal(signal.SIGINT)


def _interrupted_at(statement: int, study: Study, engine: Engine) -> None:
    objective, at = FakeObjective(), SignalAt(statement)
    shown = SearchProgress(Standing(study), 50, math.inf)
    event.listen(engine, "after_cursor_execute", at)
    try:
        here = InProcessEngine(Ground(objective))
        coordinator = Coordinator(study, objective, here, lambda _: {}, lambda *_: None, shown.trial_closed)
        with pytest.raises(KeyboardInterrupt):
            coordinator.run(50, math.inf)
    finally:
        event.remove(engine, "after_cursor_execute", at)


def test_a_signal_in_the_middle_of_any_statement(tmp_path: Path) -> None:
    """Wherever Ctrl-C comes while the ledger is used, what runs is closed and queued again, and nothing is locked."""
    ledger = open_sole_ledger(f"sqlite:///{tmp_path / 'optuna.db'}")
    engine: Engine = ledger._backend.engine  # type: ignore[attr-defined]
    # As in a search: the threads that record it have left connections in the pool.
    others = [engine.connect() for _ in range(3)]
    for one in others:
        one.close()
    for statement in range(1, 120, 2):
        study = open_study(ledger, f"study_{statement}", FakeObjective(), maximize=False, trials=50, seed=1)

        _interrupted_at(statement, study, engine)

        trials = study.get_trials(deepcopy=False)
        states = [trial.state for trial in trials]
        assert TrialState.RUNNING not in states
        # One that was stopped before its first parameter is no configuration yet.
        begun = [trial for trial in trials if trial.state == TrialState.FAIL and configuration(trial)]
        assert len(begun) == states.count(TrialState.WAITING) - (states[0] == TrialState.WAITING)


def test_a_signal_in_the_middle_of_reading(tmp_path: Path) -> None:
    """Reading the ledger is over, and its connection given back whole, before Ctrl-C comes."""
    ledger = open_sole_ledger(f"sqlite:///{tmp_path / 'optuna.db'}")
    engine: Engine = ledger._backend.engine  # type: ignore[attr-defined]
    assert isinstance(ledger._backend, RDBStorage)  # type: ignore[attr-defined]
    study = open_study(ledger, "study", FakeObjective(), maximize=False, trials=50, seed=1)
    order: list[str] = []
    event.listen(engine, "checkin", lambda *_: order.append("given back"))
    event.listen(engine, "after_cursor_execute", SignalAt(1))

    before = signal.signal(signal.SIGINT, lambda *_: order.append("signal"))
    try:
        _ = study.user_attrs
    finally:
        signal.signal(signal.SIGINT, before)
    assert order == ["given back", "signal"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_whose_exception_is_lost_stops_all_the_same(tmp_path: Path) -> None:
    """Ctrl-C while an object is cleared away, where Python drops exceptions, ends the search at the next turn."""
    closed: list[object] = []

    class Cleared:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def trial_closed(_: object) -> None:
        closed.append(None)
        Cleared()

    ledger = open_sole_ledger(f"sqlite:///{tmp_path / 'optuna.db'}")
    objective = FakeObjective()
    study = open_study(ledger, "study", objective, maximize=False, trials=50, seed=1)
    engine = InProcessEngine(Ground(objective))
    with pytest.raises(KeyboardInterrupt), stopping.listening():
        Coordinator(study, objective, engine, lambda _: {}, lambda *_: None, trial_closed).run(50, math.inf)
    assert len(closed) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_held_signal_comes_at_the_end(number: signal.Signals) -> None:
    """A block is whole although a signal came, and the signal is not forgotten."""
    heard: list[str] = []
    before = signal.signal(number, lambda *_: heard.append("signal"))
    try:
        with signals_held(), signals_held():
            signal.raise_signal(number)
            heard.append("whole")
    finally:
        signal.signal(number, before)
    assert heard == ["whole", "signal"]


def _in_a_thread(body: Callable[[], None]) -> None:
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()


def test_other_threads_hold_nothing() -> None:
    """Where no signal arrives none is touched: only the main thread may set what is done with one."""
    done: list[bool] = []

    def body() -> None:
        with signals_held():
            done.append(True)

    _in_a_thread(body)
    assert done == [True]


def test_other_threads_take_nothing_over() -> None:
    """A search that is not called in the main thread leaves signals to whoever has them."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    during: list[list[Any]] = []

    def body() -> None:
        with stopping.listening():
            during.append([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)])

    _in_a_thread(body)
    assert during == [before]
