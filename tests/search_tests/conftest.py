from __future__ import annotations

import math
import signal
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import optuna
import pytest

from search.loop.coordinator import Coordinator
from search.loop.engine import Limits
from search.loop.ground import Ground
from search.loop.in_process import InProcessEngine
from search.loop.study import open_study
from storage.ledger import open_ledger
from tests.search_tests.fakes import FakeObjective, PruneHopeless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult
    from search.loop.ending import Ending
    from search.loop.engine import Engine
    from search.loop.workers.cluster import ClusterAddress


@dataclass
class Bench:
    """A coordinator's surroundings: a real ledger, and notes of what it hands out.

    Attributes:
        ledger: The ledger, on a SQLite file.
        folder: For whatever an engine writes.
        cluster: Starts that many real worker processes, one or two, or says where they are.
        closed: Trials handed out as closed, in order.
        kept: Numbers of the trials whose results were handed out.
    """

    ledger: BaseStorage
    folder: Path
    cluster: Callable[[int], ClusterAddress]
    closed: list[FrozenTrial] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)

    def open(
        self, name: str, objective: FakeObjective | None = None, *, trials: int = 10, **asked: Any
    ) -> Study:
        """Opens a study, resumed where there is one."""
        how = {"maximize": False, "seed": 1, **asked}
        return open_study(self.ledger, name, objective or FakeObjective(), trials=trials, **how)

    def run(
        self,
        study: Study,
        objective: FakeObjective,
        trials: int,
        workers: int = 0,
        deadline: float = math.inf,
    ) -> str | None:
        """Drives a study as a command would; returns why it ended early, if it did."""
        return self.ending(study, objective, trials, workers, deadline).reason

    def ending(
        self,
        study: Study,
        objective: FakeObjective,
        trials: int,
        workers: int = 0,
        deadline: float = math.inf,
    ) -> Ending:
        """Drives a study as a command would."""
        if workers == 0:
            return self.drive(study, objective, InProcessEngine(Ground(objective)), trials, deadline)
        from search.loop.workers.engine import DaskEngine
        from search.loop.workers.line import DaskLine
        from search.loop.workers.objective_file import objective_file

        with objective_file(Ground(objective), self.folder) as file:
            engine = DaskEngine(DaskLine(self.cluster(workers), file), file, Limits(), workers)
            return self.drive(study, objective, engine, trials, deadline)

    def drive(
        self,
        study: Study,
        objective: FakeObjective,
        engine: Engine,
        trials: int,
        deadline: float = math.inf,
        **settings: Any,
    ) -> Ending:
        """Drives a study with an engine of the test's own."""
        coordinator = Coordinator(
            study, objective, engine, _spread, self._keep, self.closed.append, **settings
        )
        try:
            return coordinator.run(trials, deadline)
        finally:
            engine.close()

    def _keep(self, number: int, result: CVResult) -> None:  # noqa: ARG002 - the coordinator's form
        self.kept.append(number)


def _spread(result: CVResult) -> dict[str, float]:
    return {"cv_rmse_std": result.std}


optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture(scope="session")
def shared_ledger(tmp_path_factory: pytest.TempPathFactory) -> BaseStorage:
    """A ledger on a real SQLite file; each test has studies of its own in it."""
    return open_ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'optuna.db'}")


@pytest.fixture(scope="session")
def one_worker() -> Iterator[ClusterAddress]:
    """One real worker process under a real scheduler: an engine takes all the workers it finds."""
    from search.loop.workers.cluster import local_cluster

    with local_cluster(1, Limits()) as address:
        yield address


@pytest.fixture(scope="session")
def two_workers() -> Iterator[ClusterAddress]:
    """Two real worker processes under a real scheduler, for as many engines as come along."""
    from search.loop.workers.cluster import local_cluster

    with local_cluster(2, Limits()) as address:
        yield address


@pytest.fixture
def bench(shared_ledger: BaseStorage, tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    """A fresh coordinator's surroundings."""
    names = {1: "one_worker", 2: "two_workers"}
    return Bench(shared_ledger, tmp_path, lambda workers: request.getfixturevalue(names[workers]))


@pytest.fixture(scope="session")
def new_name() -> Iterator[str]:
    """Study names that are not yet taken."""
    return (f"study_{i}" for i in count())


@pytest.fixture
def hopeless() -> PruneHopeless:
    """A pruner that a test's objective can command."""
    return PruneHopeless()


@pytest.fixture
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory; signals that a command takes over are given back."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    before = signal.getsignal(signal.SIGTERM)
    yield home
    signal.signal(signal.SIGTERM, before)
