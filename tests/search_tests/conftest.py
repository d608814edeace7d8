from __future__ import annotations

import math
import signal
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import optuna
import pytest

from search.loop.coordinator import Coordinator
from search.loop.engine import open_engine
from search.loop.study import open_study
from storage.ledger import open_ledger
from tests.search_tests.fakes import FakeObjective, PruneHopeless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult


@dataclass
class Bench:
    """A coordinator's surroundings: a real ledger, and notes of what it hands out.

    Attributes:
        ledger: The ledger, on a SQLite file.
        closed: Trials handed out as closed, in order.
        kept: Numbers of the trials whose results were handed out.
    """

    ledger: BaseStorage
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
        """Drives a study as a command would."""
        engine = open_engine(objective, workers)
        coordinator = Coordinator(study, objective, engine, _spread, self._keep, self.closed.append)
        return coordinator.run(trials, deadline)

    def _keep(self, number: int, result: CVResult) -> None:  # noqa: ARG002 - the coordinator's form
        self.kept.append(number)


def _spread(result: CVResult) -> dict[str, float]:
    return {"cv_rmse_std": result.std}


optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture(scope="session")
def shared_ledger(tmp_path_factory: pytest.TempPathFactory) -> BaseStorage:
    """A ledger on a real SQLite file; each test has studies of its own in it."""
    return open_ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'optuna.db'}")


@pytest.fixture
def bench(shared_ledger: BaseStorage) -> Bench:
    """A fresh coordinator's surroundings."""
    return Bench(shared_ledger)


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
