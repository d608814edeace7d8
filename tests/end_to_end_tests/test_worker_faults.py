"""Workers killed, paused and fed until they burst, and a scheduler started anew, while a real search goes on.

./dev pytest tests/end_to_end_tests/test_worker_faults.py -s                      # 2 kills in 16 trials
./dev pytest tests/end_to_end_tests/test_worker_faults.py -s --worker-kills 20    # 200 trials, pauses of a minute
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import psutil
import pytest
from mlflow import MlflowClient

from tests.end_to_end_tests.exactness import measure
from tests.end_to_end_tests.hungry_search import MEAL
from tests.end_to_end_tests.project import clean_environment
from tests.search_tests.dask_processes import ROOT, DaskProcesses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.project import Project

STUDY = "sugar"
TRIALS_PER_KILL = 10
# A fed worker starts anew for seconds, and all the while the other one ends trials.
FEWEST_TRIALS = 40
LONG = 10
"""Kills from which a campaign is long, and a pause a minute."""
PATIENCE_SECONDS = 600.0
FULL = "--memory-per-worker allows 1.2 GB"


@dataclass
class Campaign:
    """One search and what is done to it.

    Attributes:
        project: Where it runs.
        meal: File that makes a trial eat.
        output: What it prints.
        trials: How many it shall have.
        kills: Workers to kill.
        random: Fixes what is drawn.
        root: The process whose descendants are the workers.
        restart: Starts the scheduler anew; None where that is the search's own process.
        supervise: Called while waiting. A nanny whose first start is hit gives up, with all in its process; on a
            real cluster Slurm or Kubernetes then starts the process anew.
        done: What was done, in words.
    """

    project: Project
    meal: Path
    output: Path
    trials: int
    kills: int
    random: Random
    root: Callable[[], int]
    restart: Callable[[], None] | None = None
    supervise: Callable[[], None] = lambda: None
    done: list[str] = field(default_factory=list)

    def run(self, search: subprocess.Popen[bytes]) -> None:
        """Does one thing after the other, each time evenly over the trials that are left: a pause lets many go by."""
        deeds = [self._kill] * self.kills + [self._pause]
        self.random.shuffle(deeds)
        # Not last: it may take several meals, and with them trials.
        deeds.insert(len(deeds) // 2, self._feed)
        if self.restart:
            deeds.insert(len(deeds) // 2, self._restart)
        for i, deed in enumerate(deeds):
            now = self._finished()
            self._wait_for(now + (self.trials - now) // (len(deeds) - i + 2), search)
            deed(search)

    def _kill(self, search: subprocess.Popen[bytes]) -> None:
        worker = self.random.choice(self._workers(search))
        worker.kill()
        self.done.append("kill")

    def _pause(self, search: subprocess.Popen[bytes]) -> None:
        worker, until = self.random.choice(self._workers(search)), time.monotonic() + 60
        worker.suspend()
        try:
            # A short campaign goes on as soon as the other worker has shown that it still does.
            self._wait_for(min(self._finished() + 1, self.trials), search)
            while self.kills >= LONG and time.monotonic() < until and search.poll() is None:
                time.sleep(0.1)
        finally:
            with suppress(psutil.NoSuchProcess):
                worker.resume()
        self.done.append("pause")

    def _feed(self, search: subprocess.Popen[bytes]) -> None:
        # Again where the one that ate was not waited for any more, its worker being taken for dead.
        while not any(FULL in reason for reason in self.reasons()):
            self.meal.touch()
            self._until(lambda: not self.meal.exists(), search)
            self._wait_for(min(self._finished() + 2, self.trials), search)
        self.done.append("feed")

    def _restart(self, _search: subprocess.Popen[bytes]) -> None:
        assert self.restart is not None
        self.restart()
        self.done.append("restart")

    def _workers(self, search: subprocess.Popen[bytes]) -> list[psutil.Process]:
        found: list[psutil.Process] = []

        def look() -> bool:
            found[:] = [
                one for one in psutil.Process(self.root()).children(recursive=True) if _is_worker(one)
            ]
            return bool(found)

        self._until(look, search)
        return found

    def _finished(self) -> int:
        counts = re.findall(
            rf"^\[ *(\d+)/{self.trials}\]", self.output.read_text(encoding="utf-8"), re.MULTILINE
        )
        return int(counts[-1]) if counts else 0

    def reasons(self) -> list[str]:
        """Why trials have failed."""
        trials = self.project.study(STUDY).trials
        return [str(trial.user_attrs.get("reason")) for trial in trials if trial.state.name == "FAIL"]

    def _wait_for(self, finished: int, search: subprocess.Popen[bytes]) -> None:
        self._until(lambda: self._finished() >= finished, search)

    def _until(self, condition: Callable[[], bool], search: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < until, f"hung after {self.done}\n{self.output.read_text()}"
            assert search.poll() is None, f"over after {self.done}\n{self.output.read_text()}"
            self.supervise()
            time.sleep(0.02)

    def wait(self, search: subprocess.Popen[bytes]) -> int:
        """Waits for the search's end, and returns its exit code."""
        until = time.monotonic() + PATIENCE_SECONDS
        while (code := search.poll()) is None:
            assert time.monotonic() < until, f"hung at the end\n{self.output.read_text()}"
            self.supervise()
            time.sleep(0.02)
        return code


def _is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        # Also a process that is only starting may be hit; one that is ending may not.
        return process.status() != psutil.STATUS_ZOMBIE and "spawn_main" in " ".join(process.cmdline())
    return False


@pytest.fixture(params=["workers of its own", "a given cluster"])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DaskProcesses | None]:
    """Two workers under a scheduler that can be killed, or nothing."""
    if request.param == "workers of its own":
        yield None
        return
    processes = DaskProcesses(tmp_path, environment={MEAL: str(tmp_path / "eat")})
    processes.start_scheduler()
    processes.start_worker("pair", ["--nworkers", "2"])
    yield processes
    processes.close()


def test_no_worker_can_harm_a_search(
    *,
    request: pytest.FixtureRequest,
    new_project: Callable[[str], Project],
    regression_csvs: CsvPair,
    cluster: DaskProcesses | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever becomes of the workers, the search ends with exactly N trials, each on record once."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    kills: int = request.config.getoption("--worker-kills")
    project, pair = new_project("workers"), regression_csvs
    trials = max(kills * TRIALS_PER_KILL, FEWEST_TRIALS)
    flags = ["--train", pair.train, "--test", pair.test, "--target", pair.target, "--study", STUDY]
    # Of LightGBM alone, whose trials take long enough for a worker to be killed in the middle of one.
    flags += ["--trials", trials, "--memory-per-worker", "1.2", "--objective", "lightgbm"]
    # Long enough that the other worker does not finish the search while one is paused for a minute.
    flags += ["--folds", "10"] if kills >= LONG else []
    flags += ["--cluster", cluster.scheduler_file] if cluster else ["--workers", "2"]
    output, meal = project.home / "output.txt", tmp_path / "eat"
    command = [sys.executable, "-m", "tests.end_to_end_tests.hungry_search", *map(str, flags)]
    environment = clean_environment({"PYTHONPATH": str(ROOT), MEAL: str(meal)})
    with output.open("wb") as file:
        search = subprocess.Popen(command, cwd=project.home, env=environment, stdout=file, stderr=file)

    def restart() -> None:
        assert cluster is not None
        cluster.kill("pair")
        cluster.kill()
        cluster.start_scheduler()
        cluster.start_worker("pair", ["--nworkers", "2"])

    def supervise() -> None:
        if cluster and not cluster.runs("pair"):
            cluster.start_worker("pair", ["--nworkers", "2"])

    root = (lambda: cluster.pid("pair")) if cluster else (lambda: search.pid)
    seed = request.config.getoption("--campaign-seed")
    random = Random(seed)  # noqa: S311 - no secret
    campaign = Campaign(
        project, meal, output, trials, kills, random, root, restart if cluster else None, supervise
    )
    try:
        campaign.run(search)
        code = campaign.wait(search)
    finally:
        search.kill()

    print("\n" + ", ".join(campaign.done) + "\n" + output.read_text(encoding="utf-8"))
    client = MlflowClient(f"sqlite:///{project.home / 'mlruns' / 'mlflow.db'}")
    monkeypatch.chdir(project.home)
    exact = measure(project.home, STUDY, client)
    print(exact)
    assert code == 0
    assert "Traceback" not in output.read_text(encoding="utf-8")
    assert exact.finished == trials
    assert exact.faults == 0
    assert exact.interrupted == 0
    assert any(FULL in reason for reason in campaign.reasons()), campaign.reasons()
    project.run("sync", "--check", "--study", STUDY)
    assert campaign.done.count("kill") == kills
