"""Several commands on one study in PostgreSQL, some of them killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import optuna
from optuna.trial import TrialState

from search.loop.tally import is_counted
from storage.ledger import open_ledger
from tests.end_to_end_tests.project import Project, clean_environment, data_flags

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from optuna.study import Study

    from tests.conftest import CsvPair

STUDY = "sugar"
FAST = ["--folds", "2", "--workers", "1", "--study", STUDY]


def _start(project: Project, *flags: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "search.run", *map(str, flags)],
        cwd=project.home,
        env=clean_environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )


def _read_to(process: subprocess.Popen[str], finished: int) -> None:
    """Reads a command's output up to the line that says that so many trials are finished."""
    assert process.stdout is not None
    for line in process.stdout:
        found = re.match(r"\[ *(\d+)/", line)
        if found and int(found[1]) >= finished:
            return
    assert process.stderr is not None
    raise AssertionError(f"not {finished} finished; {process.stderr.read()}")


def _study(url: str) -> Study:
    return optuna.load_study(study_name=STUDY, storage=open_ledger(url))


def _assert_one_record(project: Project, url: str, n_trials: int) -> None:
    """N counted trials, a run for each that ended, one parent that has ended; the tool of the user agrees."""
    trials = _study(url).trials
    (parent,) = project.mlflow_runs("optuna_study")
    runs = project.mlflow_runs("optuna_trial")

    assert sum(is_counted(trial) for trial in trials) == n_trials
    assert not [trial.number for trial in trials if trial.state == TrialState.RUNNING]
    assert Counter(int(run.data.tags["optuna_trial"]) for run in runs) == Counter(
        trial.number for trial in trials if trial.state.is_finished()
    )
    assert parent.info.status == "FINISHED"
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {parent.info.run_id}
    assert "model/MLmodel" in project.artifacts(parent)
    checked = project.run("sync", "--check", "--storage", url)
    assert checked.stdout == f"{STUDY}: MLflow equals the ledger\n"


def test_killed_coordinators(
    new_project: Callable[[str], Project],
    new_database: str,
    regression_csvs: CsvPair,
    pytestconfig: pytest.Config,
) -> None:
    """Commands that share a study stop at exactly N together, though half of them are killed on the way."""
    n_coordinators = int(pytestconfig.getoption("coordinators"))
    n_trials = int(pytestconfig.getoption("shared_trials"))
    project = new_project("several")
    flags = [*data_flags(regression_csvs), *FAST, "--storage", new_database, "--trials", n_trials]
    processes = [_start(project, *flags) for _ in range(n_coordinators)]
    killed = processes[: n_coordinators // 2]
    for part, process in enumerate(killed, start=1):
        _read_to(process, part * n_trials // (len(killed) + 2))
        os.killpg(process.pid, signal.SIGKILL)
    outputs = {process: process.communicate(timeout=900) for process in processes}

    for process in processes[len(killed) :]:
        output, errors = outputs[process]
        assert process.returncode == 0, output + errors
        assert errors == ""
        assert f"Trials: {n_trials} finished" in output
        assert "Submission: mlruns/submissions/" in output
    trials = _study(new_database).trials
    assert all(t.user_attrs["interrupted"] for t in trials if t.state == TrialState.FAIL)
    _assert_one_record(project, new_database, n_trials)


def test_evaluated_elsewhere(
    new_project: Callable[[str], Project], new_database: str, regression_csvs: CsvPair
) -> None:
    """Where a study's files are on another host, they are made again: the same choice and files, byte for byte."""
    here, there = new_project("here"), new_project("there")
    flags = [*data_flags(regression_csvs), *FAST, "--storage", new_database, "--trials", "3"]
    here.run("run", *flags)

    done = there.run("run", *flags)

    assert "Fitting trial" in done.stdout
    assert "Submission: mlruns/submissions/" in done.stdout
    assert "model/MLmodel" in there.artifacts(there.mlflow_runs("optuna_study")[0])
    best = _study(new_database).best_trial.number
    first, second = [_promoted(one, best, "--storage", new_database) for one in (here, there)]
    assert first == second
    assert "Evaluating again what the study came to" in done.stdout
    first, second = [_chosen(one, "--storage", new_database) for one in (here, there)]
    assert first == second


def test_lost_predictions(new_project: Callable[[str], Project], regression_csvs: CsvPair) -> None:
    """Kept predictions that somebody has deleted cost a fit, not the submission; on SQLite as well."""
    project = new_project("lost")
    flags = [*data_flags(regression_csvs), *FAST, "--trials", "2"]
    project.run("run", *flags)
    best = project.study(STUDY).best_trial.number
    before = _promoted(project, best)
    shutil.rmtree(project.home / "mlruns" / "predictions")

    done = project.run("run", *flags)

    assert f"Fitting trial {best} again" in done.stdout
    assert _promoted(project, best) == before


def _promoted(project: Project, trial: int, *flags: str) -> bytes:
    """The submission that promoting a trial writes."""
    return _chosen(project, "--trial", str(trial), *flags)


def _chosen(project: Project, *flags: str) -> bytes:
    """The submission that promoting what was chosen writes."""
    said = project.run("promote", *flags).stdout
    (path,) = set(re.findall(r"mlruns/submissions/submission_\d{8}_\d{6}\.csv", said))
    return (project.home / path).read_bytes()


def test_no_password_anywhere(
    new_project: Callable[[str], Project], new_database: str, regression_csvs: CsvPair
) -> None:
    """A password in the address is neither printed nor stored, and the printed commands name the ledger."""
    from sqlalchemy import make_url

    secret = "hunter2secret"  # noqa: S105 - that is the point
    address = make_url(new_database).set(password=secret).render_as_string(hide_password=False)
    project = new_project("password")
    flags = [*data_flags(regression_csvs), *FAST, "--storage", address, "--trials", "2"]

    said = [
        project.run("run", *flags),
        project.run("status", "--storage", address),
        project.run("sync", "--storage", address),
        project.run("promote", "--storage", address),
        project.run("replay", STUDY, "0", "--storage", address),
        project.run("export", STUDY, "study.zip", "--storage", address),
    ]

    assert secret not in "".join(done.stdout + done.stderr for done in said)
    for path in project.home.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes(), path
    study = _study(new_database)
    assert secret not in str(study.user_attrs) + str(study.trials)
    for line in (
        "Watch: python -m search.serve --storage",
        "Dashboard: optuna-dashboard",
        f"Promote: python -m search.promote --study {STUDY} --storage",
    ):
        assert f"{line} 'postgresql+psycopg://postgres:***@" in said[0].stdout
