"""Many people at the front door during a search: all are served, and the search hardly notices.

./dev pytest tests/end_to_end_tests/test_front_door_crowd.py -s                                   # a few seconds
./dev pytest tests/end_to_end_tests/test_front_door_crowd.py -s --clients 200 --clients-seconds 60
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

import optuna
import psutil

from storage.layout import Layout
from storage.ledger import open_sole_ledger
from storage.record.run_pages import PREFIX
from storage.study_lock import study_lock
from tests.end_to_end_tests.front_door import PATIENCE_SECONDS, open_front_door

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from optuna.study import Study

    from tests.end_to_end_tests.project import Project

TURN_SECONDS = 5.0
WORK = 20_000
"""Additions that a trial of this search consists of, some milliseconds; the rest of it is writing the ledger."""


def test_a_crowd_is_served_and_a_search_goes_on(
    new_project: Callable[[str], Project], request: pytest.FixtureRequest
) -> None:
    """Everybody is answered or told to come back, and no write of the search fails or is lost; figures are printed."""
    clients = request.config.getoption("--clients")
    seconds = request.config.getoption("--clients-seconds")
    project = new_project("crowd")
    layout = Layout(project.home)
    ledger = open_sole_ledger(f"sqlite:///{project.home / 'mlruns' / 'optuna.db'}")
    study = optuna.create_study(study_name="crowd", storage=ledger)
    with open_front_door(project) as door:
        assert door.ask("GET", f"{PREFIX}/version").status == 200
        assert door.ask("GET", "/api/studies").status == 200
        command = [sys.executable, "-m", "tests.end_to_end_tests.visitors", str(door.port), str(clients)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as visitors:
            assert visitors.stdout is not None
            assert visitors.stdout.readline() == "here\n"
            with study_lock(layout, "crowd"):
                beside, alone = _in_turns(study, seconds, visitors, psutil.Process(door.process.pid))
            said, _ = visitors.communicate(timeout=PATIENCE_SECONDS)

    crowd = json.loads(said)
    slowed = median(1 - b / a for b, a in zip(beside, alone, strict=True))
    print(
        f"\n{clients} clients for {seconds:.0f} s: {sum(crowd['answers'].values())} answers {crowd['answers']}, "
        f"slowest {crowd['slowest']:.2f} s; search slowed by {slowed:+.1%}; "
        f"trials a turn beside them {beside}, without them {alone}"
    )
    assert set(crowd["answers"]) <= {"200", "304", "503"}
    assert crowd["answers"]["200"] > 0
    assert sum(crowd["answers"].values()) >= clients
    ledger_url = f"sqlite:///{project.home / 'mlruns' / 'optuna.db'}"
    trials = optuna.load_study(study_name="crowd", storage=ledger_url).trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * (sum(alone) + sum(beside))


def _in_turns(
    study: Study, seconds: float, visitors: subprocess.Popen[str], server: psutil.Process
) -> tuple[list[int], list[int]]:
    """Trials in turns beside the visitors and while they are held; on a shared machine only neighbours compare."""
    beside, alone = [], []
    for _ in range(max(1, round(seconds / TURN_SECONDS))):
        beside.append(_search(study, min(TURN_SECONDS, seconds)))
        visitors.send_signal(signal.SIGSTOP)
        _wait_until_idle(server)
        alone.append(_search(study, min(TURN_SECONDS, seconds)))
        visitors.send_signal(signal.SIGCONT)
    return beside, alone


def _wait_until_idle(server: psutil.Process) -> None:
    def used() -> float:
        times = server.cpu_times()
        return float(times.user + times.system)

    end, before = time.monotonic() + PATIENCE_SECONDS, -1.0
    while used() > before and time.monotonic() < end:
        before = used()
        time.sleep(0.3)


def _search(study: Study, seconds: float) -> int:
    """Runs trials for some time; returns how many."""
    end, done = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        trial = study.ask({"x": optuna.distributions.FloatDistribution(0, 1)})
        for step in range(3):
            trial.report(float(sum(range(WORK))), step)
        study.tell(trial, trial.params["x"])
        done += 1
    return done
