"""Faults at random moments, and the same command again until it is done: nothing may be lost, double or torn.

./dev pytest tests/end_to_end_tests/test_fault_campaign.py -s                # 5 kills, a minute
./dev pytest tests/end_to_end_tests/test_fault_campaign.py -s --kills 300    # half an hour
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from mlflow import MlflowClient

from tests.end_to_end_tests.exactness import Exactness, measure
from tests.end_to_end_tests.faulty_process import PATIENCE_SECONDS, Commands, Running, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from tests.conftest import CsvPair

STUDY = "sugar"
ROUND_KILLS = 20
"""Kills in one project, before it is brought to its end and looked through."""
ROUND_TRIALS = 60
COLD = 0.1
"""Share of the processes that are started as a user would, and not forked."""
FAULTS = {
    "local": ("none", "none", "quota", "lock ledger", "lock record"),
    "server": ("none", "none", "kill server", "restart server", "lock server's"),
}


@dataclass
class Tally:
    """What a campaign did and found."""

    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    rounds: list[Exactness] = field(default_factory=list)
    clean_before_sync: int = 0
    clean: int = 0

    def lines(self, seconds: float) -> Iterator[str]:
        """The figures, for people."""
        yield f"{'rounds':28}{len(self.rounds)}"
        yield f"{'kills':28}{sum(self.kills.values())}"
        for title, counts in (
            ("killed", self.kills),
            ("fault", self.faults),
            ("ended with code", self.codes),
        ):
            for name, count in sorted(counts.items(), key=str):
                yield f"{f'  {title} {name}':28}{count}"
        for name in Exactness.__dataclass_fields__:
            yield f"{name.replace('_', ' '):28}{sum(getattr(one, name) for one in self.rounds)}"
        yield f"{'check clean after the run':28}{self.clean_before_sync} of {len(self.rounds)}"
        yield f"{'check clean after sync':28}{self.clean} of {len(self.rounds)}"
        yield f"{'seconds':28}{seconds:.0f}"


@dataclass
class Round:
    """One project: searches that are killed, then one that may end."""

    home: Path
    variant: str
    commands: Commands
    server: Server | None
    flags: list[str]
    random: Random
    tally: Tally
    locks: list[threading.Thread] = field(default_factory=list)
    is_server_down: bool = False

    def run(self, kills: int) -> None:
        """Goes through all of it; asserts that it ended exactly."""
        done = 0
        for _ in range(3 * kills):
            if done >= kills:
                break
            done += self._one_search()
        self._bring_to_end()

    def _one_search(self) -> bool:
        fault = self.random.choice(FAULTS[self.variant])
        quota = self._quota() if fault == "quota" else None
        self.tally.faults[fault] += 1
        self._prepare(fault)
        before = finished_trials(self.home)
        phase = self.random.choices(("starting", "searching", "closing"), (2, 6, 2))[0]
        # `--trials` is the total: with a small one, a search comes to its end to be killed there.
        total = before + self.random.randint(1, 4) if phase == "closing" else ROUND_TRIALS
        total = min(total, ROUND_TRIALS)
        running = self.commands.start(
            "run", *self.flags, "--trials", str(total), cold=self.random.random() < COLD, quota=quota
        )
        self._await_moment(running, before, phase, total, fault)
        if running.kill():
            self.tally.kills[phase] += 1
            return True
        self.tally.codes[running.code or 0] += 1
        return False

    def _await_moment(self, running: Running, before: int, phase: str, total: int, fault: str) -> None:
        """Waits for a random moment of a phase in a search's life."""
        goal = {"starting": 0, "closing": total}.get(phase, before + self.random.randint(1, 4))
        end = time.monotonic() + PATIENCE_SECONDS
        while running.code is None and finished_trials(self.home) < goal and time.monotonic() < end:
            time.sleep(0.005)
        if fault.startswith("lock"):
            self._lock(fault)
        if fault == "kill server" and self.server and self.random.random() < 0.5:
            self._stop_server()
        self._sit_out(running, self.random.uniform(0, {"starting": 2.0, "closing": 1.5}.get(phase, 0.2)))

    def _sit_out(self, running: Running, seconds: float) -> None:
        end = time.monotonic() + seconds
        while running.code is None and time.monotonic() < end:
            time.sleep(0.005)

    def _prepare(self, fault: str) -> None:
        if fault == "kill server":
            self._stop_server()
        elif self.server and (self.is_server_down or fault == "restart server"):
            self._stop_server()
            self.server.start()
            self.is_server_down = False
            # Half of the time the search has to do with a server that is just coming up.
            if self.random.random() < 0.5:
                self.server.await_answer()

    def _stop_server(self) -> None:
        assert self.server is not None
        self.server.kill()
        self.is_server_down = True

    def _quota(self) -> int:
        """A limit that the record meets, and now and then the ledger too."""
        sizes = [path.stat().st_size for path in (self.home / "mlruns").glob("*.db")]
        return self.random.choice((max(sizes), min(sizes))) + self.random.randint(0, 200_000)

    def _lock(self, fault: str) -> None:
        name = {"lock ledger": "mlruns/optuna.db", "lock record": "mlruns/mlflow.db"}.get(fault, "server.db")
        seconds = self.random.uniform(0.3, 7)
        thread = threading.Thread(target=hold_lock, args=(self.home / name, seconds), daemon=True)
        thread.start()
        self.locks.append(thread)

    def _bring_to_end(self) -> None:
        for thread in self.locks:
            thread.join()
        if self.server and self.is_server_down:
            self.server.start()
        if self.server:
            self.server.await_answer()
        said = self.commands.log
        assert self.commands.run("run", *self.flags, "--trials", str(ROUND_TRIALS)) == 0, said.read_text(
            encoding="utf-8"
        )[-4_000:]
        self.tally.clean_before_sync += self.commands.run("sync", "--check") == 0
        assert self.commands.run("sync") == 0, said.read_text(encoding="utf-8")[-4_000:]
        is_clean = self.commands.run("sync", "--check") == 0
        self.tally.clean += is_clean
        found = measure(self.home, STUDY, self._client())
        self.tally.rounds.append(found)
        assert found.finished == ROUND_TRIALS, found
        assert found.faults == 0, found
        assert is_clean, said.read_text(encoding="utf-8")[-4_000:]

    def _client(self) -> MlflowClient:
        return MlflowClient(self.server.url if self.server else f"sqlite:///{self.home}/mlruns/mlflow.db")


def finished_trials(home: Path) -> int:
    """Counts the trials in the ledger that count; 0 while there is none."""
    database = home / "mlruns" / "optuna.db"
    query = (
        "SELECT count(*) FROM trials t WHERE state IN ('COMPLETE', 'PRUNED', 'FAIL') AND NOT EXISTS"
        " (SELECT 1 FROM trial_user_attributes a WHERE a.trial_id = t.trial_id AND a.key = 'interrupted')"
    )
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection,
    ):
        return int(connection.execute(query).fetchone()[0])
    return 0


def hold_lock(database: Path, seconds: float) -> None:
    """Keeps all others from writing to a SQLite file for a while."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")


def _rounds(kills: int) -> list[tuple[str, int]]:
    """Divides kills among projects, every third with a server."""
    sizes = [ROUND_KILLS] * (kills // ROUND_KILLS) + ([kills % ROUND_KILLS] if kills % ROUND_KILLS else [])
    return [("server" if i % 3 == 1 else "local", size) for i, size in enumerate(sizes)]


def test_nothing_is_lost_double_or_torn(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    mlflow_template: Path,
    regression_csvs: CsvPair,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After any number of faults the same command ends with N trials, each on record once and as in the ledger."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    kills: int = request.config.getoption("--kills")
    tally, begun, seed = Tally(), time.monotonic(), request.config.getoption("--campaign-seed")
    pair = regression_csvs
    flags = ["--train", str(pair.train), "--test", str(pair.test), "--target", pair.target, "--id", pair.id]
    flags += ["--study", STUDY, "--folds", "2"]
    try:
        for i, (variant, size) in enumerate(_rounds(kills)):
            home = tmp_path / f"{i:02d}_{variant}"
            (home / "mlruns").mkdir(parents=True)
            server = Server(home) if variant == "server" else None
            shutil.copy(mlflow_template, home / ("server.db" if server else "mlruns/mlflow.db"))
            commands = Commands(home, {"MLFLOW_TRACKING_URI": server.url} if server else {})
            workers = ["--workers", str(1 + i % 2)]
            one = Round(home, variant, commands, server, flags + workers, Random(f"{seed} {i}"), tally)  # noqa: S311
            if server:
                server.start()
            try:
                one.run(size)
            finally:
                if server:
                    server.kill()
            print(f"round {i} ({variant}): {tally.rounds[-1]}", flush=True)
            shutil.rmtree(home)
    finally:
        print("\n" + "\n".join(tally.lines(time.monotonic() - begun)), flush=True)
