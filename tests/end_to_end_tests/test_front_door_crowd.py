"""Many people at the front door during a search: all are served, and the search hardly notices.

./dev pytest tests/end_to_end_tests/test_front_door_crowd.py -s                                   # a few seconds
./dev pytest tests/end_to_end_tests/test_front_door_crowd.py -s --clients 200 --clients-seconds 60
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import optuna

from storage.ledger import open_sole_ledger
from storage.record.run_pages import PREFIX
from tests.end_to_end_tests.front_door import PATIENCE_SECONDS, open_front_door

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from optuna.study import Study

    from tests.end_to_end_tests.project import Project

WORK = 20_000
"""Additions that a trial of this search consists of, some milliseconds; the rest of it is writing the ledger."""


def test_a_crowd_is_served_and_a_search_goes_on(
    new_project: Callable[[str], Project], request: pytest.FixtureRequest
) -> None:
    """Nobody is turned away, no write of the search fails or is lost, and the figures are printed."""
    clients = request.config.getoption("--clients")
    seconds = request.config.getoption("--clients-seconds")
    project = new_project("crowd")
    ledger = open_sole_ledger(f"sqlite:///{project.home / 'mlruns' / 'optuna.db'}")
    study = optuna.create_study(study_name="crowd", storage=ledger)
    with open_front_door(project) as door:
        assert door.ask("GET", f"{PREFIX}/version").status == 200
        assert door.ask("GET", "/api/studies").status == 200
        alone = _search(study, seconds)
        command = [sys.executable, "-m", "tests.end_to_end_tests.visitors", str(door.port), str(clients)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as visitors:
            assert visitors.stdout is not None
            assert visitors.stdout.readline() == "here\n"
            beside = _search(study, seconds)
            said, _ = visitors.communicate(timeout=PATIENCE_SECONDS)
        crowd = json.loads(said)
        again = _search(study, seconds)

    usual = (alone + again) / 2
    print(
        f"\n{clients} clients for {seconds:.0f} s: {sum(crowd['answers'].values())} answers {crowd['answers']}, "
        f"slowest {crowd['slowest']:.2f} s; trials a second {beside / seconds:.1f} beside them, "
        f"{alone / seconds:.1f} before and {again / seconds:.1f} after: slowed by {1 - beside / usual:+.1%}"
    )
    assert set(crowd["answers"]) <= {"200", "304"}
    assert sum(crowd["answers"].values()) >= clients
    trials = optuna.load_study(
        study_name="crowd", storage=f"sqlite:///{project.home / 'mlruns' / 'optuna.db'}"
    ).trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * (alone + beside + again)


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
