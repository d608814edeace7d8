"""What only worker processes promise: real ones, killed, stopped and hung."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from search.config import CONNECT_SECONDS
from search.loop.engine import Broken, Evaluated, Limits, Stopped, Threshold
from search.loop.ground import Ground
from search.loop.workers import engine as engine_module
from search.loop.workers.engine import DaskEngine
from search.loop.workers.line import DaskLine
from search.loop.workers.objective_file import objective_file
from tests.search_tests.bodies import (
    DiesAtFirst,
    Hangs,
    Meet,
    OneIsStopped,
    TellsItsEnd,
    limit,
    never,
    wait_for,
)
from tests.search_tests.fakes import DEFAULTS, FakeObjective

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from objectives.base import Progress
    from search.loop.engine import Outcome
    from search.loop.workers.cluster import ClusterAddress

    MakeEngine = Callable[..., DaskEngine]


@pytest.fixture
def make_engine(
    two_workers: ClusterAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeEngine]:
    """Opens engines on two real worker processes, and closes them."""
    with ExitStack() as stack:

        def make(objective: FakeObjective, limits: Limits = Limits(), **options: object) -> DaskEngine:  # noqa: B008
            file = stack.enter_context(
                objective_file(Ground(objective), tmp_path_factory.mktemp("objective"))
            )
            engine = DaskEngine(DaskLine(two_workers, file), file, limits, 2, **options)  # type: ignore[arg-type]
            stack.callback(engine.close)
            return engine

        yield make


def outcomes(engine: DaskEngine, count: int) -> dict[int, Outcome]:
    """The next outcomes, by number."""
    found: dict[int, Outcome] = {}
    until = limit()
    while len(found) < count and time.monotonic() < until:
        outcome = engine.next_outcome(never, until)
        if outcome is not None:
            assert outcome.number not in found
            found[outcome.number] = outcome
    return found


def test_workers_evaluate_at_the_same_time(make_engine: MakeEngine, tmp_path: Path) -> None:
    """Two trials are in the objective together: each waits there for the other."""
    engine = make_engine(FakeObjective(Meet(tmp_path, 2)))
    for n in (1, 2):
        engine.submit(n, {**DEFAULTS, "n": n})

    ended = outcomes(engine, 2)

    assert {n: o.result.mean for n, o in ended.items() if isinstance(o, Evaluated)} == {1: 1.0, 2: 2.0}


def test_one_trial_waits_behind_each_at_work(make_engine: MakeEngine) -> None:
    """Two workers take four trials, so that none waits for the next to be thought of."""
    assert make_engine(FakeObjective()).slots == 4


def test_a_stop_is_for_one_trial_only(make_engine: MakeEngine, tmp_path: Path) -> None:
    """Of two that run, only the one whose report was answered with stop ends."""
    engine = make_engine(FakeObjective(OneIsStopped(tmp_path / "released")))
    engine.submit(0, {**DEFAULTS, "n": 1})
    engine.submit(1, DEFAULTS)
    first = engine.next_outcome(lambda number, _: number == 0, limit())
    (tmp_path / "released").touch()
    second = engine.next_outcome(never, limit())

    assert isinstance(first, Stopped)
    assert first.number == 0
    assert isinstance(second, Evaluated)


def test_closing_stops_the_running(make_engine: MakeEngine, tmp_path: Path) -> None:
    """No evaluation goes on after the search has ended."""
    engine = make_engine(FakeObjective(TellsItsEnd(tmp_path)))
    engine.submit(0, DEFAULTS)
    engine.next_outcome(never, time.monotonic())
    wait_for(tmp_path / "started")

    engine.close()

    wait_for(tmp_path / "ended")


def test_a_trial_outlives_its_worker(make_engine: MakeEngine, tmp_path: Path) -> None:
    """A trial whose worker dies is evaluated once more, in another process, and each step is heard once."""
    engine = make_engine(FakeObjective(DiesAtFirst(tmp_path, 1)))
    heard: list[int] = []

    def listen(number: int, progress: Progress) -> bool:  # noqa: ARG001 - the form of a listener
        heard.append(progress.step)
        return False

    engine.submit(0, {**DEFAULTS, "n": 1})
    outcome = engine.next_outcome(listen, limit())

    assert isinstance(outcome, Evaluated)
    assert heard == [0, 1, 2]
    assert len([*tmp_path.iterdir()]) == 2


def test_a_trial_that_kills_workers_fails_alone(make_engine: MakeEngine, tmp_path: Path) -> None:
    """A configuration that takes down two workers is given up with the reason; the trials beside it are not."""
    engine = make_engine(FakeObjective(DiesAtFirst(tmp_path, 9)))
    engine.submit(0, {**DEFAULTS, "n": 1})
    for number in (1, 2, 3):
        engine.submit(number, {**DEFAULTS, "n": number + 1})

    ended = outcomes(engine, 4)

    broken = ended.pop(0)
    assert isinstance(broken, Broken)
    assert broken.reason.startswith("2 workers died while they evaluated it")
    assert len([*tmp_path.iterdir()]) == 2
    assert len(ended) == 3
    assert all(isinstance(outcome, Evaluated) for outcome in ended.values())


def test_a_hung_trial_is_killed(
    make_engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that never ends does not outlive `--trial-timeout`: its process is killed, the rest goes on."""
    monkeypatch.setattr(engine_module, "LIMIT_GRACE_SECONDS", 0.0)
    engine = make_engine(FakeObjective(Hangs(tmp_path)), Limits(seconds=0.5))
    engine.submit(0, {**DEFAULTS, "n": 1})
    engine.submit(1, DEFAULTS)

    ended = outcomes(engine, 2)

    assert isinstance(ended[0], Broken)
    assert "--trial-timeout allows 0.5 s" in ended[0].reason
    assert isinstance(ended[1], Evaluated)
    assert len([*tmp_path.iterdir()]) == 1


def test_a_paused_worker_holds_up_only_its_own_trial(make_engine: MakeEngine, tmp_path: Path) -> None:
    """While one worker is stopped by a signal the other goes on, and afterwards the first one's trial ends too."""
    started = tmp_path / "pids"
    started.mkdir()
    engine = make_engine(FakeObjective(Hangs(started)))
    engine.submit(0, {**DEFAULTS, "n": 1})
    engine.next_outcome(never, time.monotonic())
    wait_for(lambda: [*started.iterdir()])
    pid = int(next(started.iterdir()).name)
    os.kill(pid, signal.SIGSTOP)
    try:
        for number in (1, 2, 3):
            engine.submit(number, DEFAULTS)
        beside = outcomes(engine, 3)
    finally:
        os.kill(pid, signal.SIGCONT)
    (started / "never").touch()

    assert set(beside) == {1, 2, 3}
    assert set(outcomes(engine, 1)) == {0}


def test_models_come_only_when_they_are_wanted(make_engine: MakeEngine) -> None:
    """A trial behind the best so far keeps its models' hash and leaves the models on the worker."""
    worse = make_engine(FakeObjective(), models_from=lambda _: Threshold(-1.0, greater_is_better=False))
    better = make_engine(FakeObjective(), models_from=lambda _: Threshold(100.0, greater_is_better=False))
    found = []
    for engine in (worse, better):
        engine.submit(0, DEFAULTS)
        found.append(engine.next_outcome(never, limit()))

    without, with_models = found
    assert isinstance(without, Evaluated)
    assert isinstance(with_models, Evaluated)
    assert without.result.models == ()
    assert with_models.result.models
    assert without.result.model_hash == with_models.result.model_hash


def test_freed_memory_is_not_given_back_at_once(two_workers: ClusterAddress) -> None:
    """Dask's own threshold makes fits of many small arrays take three times as long."""
    with two_workers.connect(CONNECT_SECONDS) as client:
        said = client.run(os.environ.get, "MALLOC_TRIM_THRESHOLD_")

    assert [*said.values()] == [None, None]
