"""The processes that a search starts on its own machine."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
from distributed import LocalCluster, Nanny

from search.config import CONNECT_SECONDS, LAST_STEP_SECONDS
from search.loop.engine import Evaluated, Limits
from search.loop.ground import Ground
from search.loop.workers.cluster import local_cluster
from search.loop.workers.engine import DaskEngine
from search.loop.workers.line import DaskLine
from search.loop.workers.objective_file import objective_file
from tests.search_tests.bodies import limit, never, wait_for
from tests.search_tests.fakes import DEFAULTS, FakeObjective

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_worker_killed_as_it_starts_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies again before it is up, for which Dask gives up, does not leave the search without one."""
    monkeypatch.setattr("search.loop.workers.cluster.LOST_WORKER_SECONDS", 1.0)
    monkeypatch.setattr("distributed.LocalCluster", _SeenCluster)
    with local_cluster(1, Limits()) as address, objective_file(Ground(FakeObjective()), tmp_path) as file:
        killed = {None}
        for _ in range(2):
            wait_for(partial(_has_another, killed))
            pid = _SeenCluster.latest.workers[0].pid
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        engine = DaskEngine(DaskLine(address, file), file, Limits(), 1)
        engine.submit(0, DEFAULTS)
        outcome = engine.next_outcome(never, limit())
        engine.close()

    assert isinstance(outcome, Evaluated)


def test_a_step_under_way_at_the_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody wants what it comes to, and there are models of which a prediction takes longer than is left."""
    patience = []
    kill = Nanny.kill

    async def seen_kill(nanny: Nanny, **options: Any) -> None:
        patience.append(options["timeout"])
        await kill(nanny, **options)

    monkeypatch.setattr(Nanny, "kill", seen_kill)
    monkeypatch.setattr("distributed.LocalCluster", _SeenCluster)
    with local_cluster(1, Limits()) as address:
        client = address.connect(CONNECT_SECONDS)
        step = client.submit(signal.pause)
        wait_for(lambda: step.key in {key for keys in client.processing().values() for key in keys})
        pid = _SeenCluster.latest.workers[0].pid
        client.close()

    assert patience == [LAST_STEP_SECONDS]
    assert pid is not None
    assert not psutil.pid_exists(pid)


class _SeenCluster(LocalCluster):
    latest: LocalCluster

    def __init__(self, **settings: Any) -> None:
        type(self).latest = self
        super().__init__(**settings)


def _has_another(than: set[int | None]) -> bool:
    return all(nanny.pid not in than for nanny in _SeenCluster.latest.workers.values())
