"""Searching on a Dask cluster that is running already, its processes started as an administrator would."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from search.loop.engine import Evaluated, Limits
from search.loop.ground import Ground
from search.loop.workers.cluster import ClusterAddress, ClusterError, given_cluster
from search.loop.workers.engine import DaskEngine
from search.loop.workers.line import DaskLine
from search.loop.workers.objective_file import ObjectiveFile, objective_file
from tests.search_tests.bodies import PATIENCE_SECONDS, Meet, limit, never, wait_for
from tests.search_tests.dask_processes import DaskProcesses
from tests.search_tests.fakes import DEFAULTS, FakeObjective

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A cluster without anything running yet."""
    found = DaskProcesses(tmp_path_factory.mktemp("dask"))
    yield found
    found.close()


def test_data_reaches_a_worker_without_a_shared_folder(
    processes: DaskProcesses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that does not see the coordinator's file is sent a copy, also when it joins later."""
    processes.start_scheduler()
    processes.start_worker("first")
    monkeypatch.chdir(tmp_path)
    with objective_file(Ground(FakeObjective()), tmp_path) as file:
        # Each process has a folder of its own, so that this path leads there in one of them only.
        hidden = ObjectiveFile(Path(file.path).name, file.digest)
        address = given_cluster(str(processes.scheduler_file))
        engine = DaskEngine(DaskLine(address, hidden), hidden, Limits())
        engine.submit(0, DEFAULTS)
        before = engine.next_outcome(never, limit())
        processes.start_worker("second")
        wait_for(lambda: engine.next_outcome(never, time.monotonic()) is None and engine.slots == 4)
        processes.kill("first")
        engine.submit(1, DEFAULTS)
        after = engine.next_outcome(never, limit())
        engine.close()

    assert isinstance(before, Evaluated)
    assert isinstance(after, Evaluated)


def test_workers_may_come_later(processes: DaskProcesses, tmp_path: Path) -> None:
    """A worker that joins a running search makes room for more trials, and the caller hears of it."""
    folder = tmp_path / "meeting"
    folder.mkdir()
    processes.start_scheduler()
    processes.start_worker("first")
    address = given_cluster(str(processes.scheduler_file))
    with objective_file(Ground(FakeObjective(Meet(folder, 2))), tmp_path) as file:
        engine = DaskEngine(DaskLine(address, file), file, Limits())
        wait_for(lambda: engine.next_outcome(never, time.monotonic()) is None and engine.slots == 2)
        engine.submit(1, {**DEFAULTS, "n": 1})
        processes.start_worker("second")

        assert engine.next_outcome(never, limit()) is None
        assert engine.slots == 4
        # The first trial ends only when the second is at work beside it.
        engine.submit(2, {**DEFAULTS, "n": 2})
        ended = [engine.next_outcome(never, limit()) for _ in range(2)]
        engine.close()

    assert sorted(outcome.number for outcome in ended if outcome) == [1, 2]


def test_a_search_outlives_its_scheduler(processes: DaskProcesses, tmp_path: Path) -> None:
    """When scheduler and workers are started anew, what ran is evaluated again, once, and nothing is lost."""
    folder = tmp_path / "meeting"
    folder.mkdir()
    processes.start_scheduler()
    processes.start_worker("first")
    address = json.loads(processes.scheduler_file.read_text())["address"]
    found = given_cluster(address)
    with objective_file(Ground(FakeObjective(Meet(folder, 2))), tmp_path) as file:
        engine = DaskEngine(DaskLine(found, file), file, Limits())
        engine.submit(1, {**DEFAULTS, "n": 1})
        engine.next_outcome(never, time.monotonic())
        wait_for(folder / "1")

        processes.kill()
        processes.kill("first")
        (folder / "2").touch()
        processes.start_scheduler(port=int(urlsplit(address).port or 0))
        processes.start_worker("first")
        outcome = None
        until = limit()
        while outcome is None and time.monotonic() < until:
            outcome = engine.next_outcome(never, until)
        engine.close()

    assert isinstance(outcome, Evaluated)
    assert outcome.number == 1


def test_a_paused_worker_does_not_hang_the_search(
    processes: DaskProcesses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that Dask lets begin nothing is started anew, which may help; if not, the trial fails and says why."""
    monkeypatch.setattr("search.loop.workers.line.PAUSED_LOOK_SECONDS", 0.5)
    memory = "DASK_DISTRIBUTED__WORKER__MEMORY__"
    rules = {f"{memory}PAUSE": "0.1", f"{memory}TERMINATE": "False"}
    processes.start_scheduler()
    processes.start_worker("small", ["--memory-limit", "200MiB"], environment=rules)
    address = ClusterAddress(str(processes.scheduler_file))
    with objective_file(Ground(FakeObjective()), tmp_path) as file:
        with address.connect(PATIENCE_SECONDS) as client:
            wait_for(lambda: "paused" in str(client.scheduler_info()["workers"]))
        engine = DaskEngine(DaskLine(address, file), file, Limits())
        engine.submit(0, DEFAULTS)
        outcome = engine.next_outcome(never, limit())
        engine.close()

    assert outcome is not None
    assert isinstance(outcome, Evaluated) or "Dask has paused its worker" in str(outcome)


def test_other_versions_are_refused(processes: DaskProcesses, tmp_path: Path) -> None:
    """A worker with another package is named with both versions, instead of giving other scores."""
    old = tmp_path / "lightgbm-0.0.1.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: lightgbm\nVersion: 0.0.1\n")
    processes.start_scheduler()
    search_path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    processes.start_worker("old", environment={"PYTHONPATH": search_path})

    with pytest.raises(ClusterError) as caught:
        given_cluster(str(processes.scheduler_file))

    assert len(caught.value.faults) == 1
    assert "got lightgbm 0.0.1; allowed: " in caught.value.faults[0]


def test_an_address_without_a_scheduler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what was tried."""
    monkeypatch.setattr("search.loop.workers.cluster.CONNECT_SECONDS", 1.0)
    with pytest.raises(ClusterError, match=r"--cluster: got tcp://127\.0\.0\.1:9, no answer"):
        given_cluster("tcp://127.0.0.1:9")


def test_a_scheduler_without_workers_is_refused(
    processes: DaskProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search does not hang because nobody works."""
    monkeypatch.setattr("search.loop.workers.cluster.FIRST_WORKER_SECONDS", 0.5)
    processes.start_scheduler()

    with pytest.raises(ClusterError, match="a scheduler without workers"):
        given_cluster(str(processes.scheduler_file))


def test_keys_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Dask's TLS options set, a search works; without them, the same cluster refuses it."""
    import dask
    from distributed.security import Security

    security = Security.temporary().get_tls_config_for_role("client")
    paths = {"ca-file": security["ca_file"], "cert": security["cert"], "key": security["key"]}
    for name, content in paths.items():
        (tmp_path / f"{name}.pem").write_text(str(content))
    options = [word for name in paths for word in (f"--tls-{name}", str(tmp_path / f"{name}.pem"))]
    processes = DaskProcesses(tmp_path, [*options, "--protocol", "tls"])
    try:
        processes.start_scheduler()
        processes.start_worker("first")
        tls = {
            "distributed.comm.tls.ca-file": str(tmp_path / "ca-file.pem"),
            "distributed.comm.tls.client.cert": str(tmp_path / "cert.pem"),
            "distributed.comm.tls.client.key": str(tmp_path / "key.pem"),
        }
        with dask.config.set(tls):
            address = _scheduler_of(processes)
            found = given_cluster(address.scheduler)
            with objective_file(Ground(FakeObjective()), tmp_path) as file:
                engine = DaskEngine(DaskLine(found, file), file, Limits())
                engine.submit(0, DEFAULTS)
                outcome = engine.next_outcome(never, limit())
                engine.close()
        monkeypatch.setattr("search.loop.workers.cluster.CONNECT_SECONDS", 2.0)
        with pytest.raises(ClusterError, match="--cluster: got tls"):
            given_cluster(address.scheduler)
    finally:
        processes.close()

    assert isinstance(outcome, Evaluated)


def _scheduler_of(processes: DaskProcesses) -> ClusterAddress:
    return ClusterAddress(json.loads(processes.scheduler_file.read_text())["address"])
