"""Whatever ends a search, the same command goes on, and the record is exact."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from search.loop.study import is_counted
from tests.end_to_end_tests.project import Project, data_flags

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.conftest import CsvPair

FAST = ["--folds", "2", "--workers", "2", "--study", "sugar"]
N_TRIALS = 30
KILL_AFTER = ("Study sugar: 0 of 30", "[ 5/30]", "[14/30]", "[24/30]")
"""Lines after which the process dies: before any trial, and with the record far behind and under way."""


def _read_to(process: subprocess.Popen[str], start: str) -> None:
    """Reads a command's output up to the line that begins so."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(start):
            return
    raise AssertionError(f"no line {start!r} in:\n{''.join(lines)}")


def _assert_exact(project: Project, n_trials: int, parent_status: str) -> None:
    """N counted trials, one nested run with the true status for each trial that ended, one parent."""
    status = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "KILLED"}
    trials = project.study("sugar").trials
    runs = project.mlflow_runs("optuna_trial")
    (parent,) = project.mlflow_runs("optuna_study")

    assert sum(is_counted(trial) for trial in trials) == n_trials
    assert not [trial.number for trial in trials if trial.state == TrialState.RUNNING]
    assert Counter(int(run.data.tags["optuna_trial"]) for run in runs) == Counter(
        trial.number for trial in trials if trial.state.is_finished()
    )
    for run in runs:
        assert run.info.status == status[trials[int(run.data.tags["optuna_trial"])].state]
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {parent.info.run_id}
    assert parent.info.status == parent_status


def test_killed_again_and_again(new_project: Callable[[str], Project], regression_csvs: CsvPair) -> None:
    """After SIGKILL at any point the same command ends with exactly N trials, each on record once."""
    project = new_project("killed")
    flags = [*data_flags(regression_csvs), *FAST, "--trials", str(N_TRIALS)]
    for line in KILL_AFTER:
        with project.started("run", *flags) as process:
            _read_to(process, line)
            os.kill(process.pid, signal.SIGKILL)

    last = project.run("run", *flags)

    assert last.stderr == ""
    _assert_exact(project, N_TRIALS, "FINISHED")
    failed = [t for t in project.study("sugar").trials if t.state == TrialState.FAIL]
    assert all(trial.user_attrs["interrupted"] for trial in failed)


def test_interrupted_and_refused(new_project: Callable[[str], Project], regression_csvs: CsvPair) -> None:
    """A second command on a running study is refused by pid; Ctrl-C ends the first in order, and all goes on."""
    project = new_project("interrupted")
    flags = [*data_flags(regression_csvs), *FAST]
    with project.started("run", *flags, "--trials", "5000") as process:
        _read_to(process, "[  12/5000]")
        refused = project.run("run", *flags, "--trials", "5000", code=2)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        rest = process.stdout.read()
        assert process.wait() == 130, rest

    assert f"process {process.pid} on " in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert "Traceback" not in rest
    trials = project.study("sugar").trials
    done = sum(is_counted(trial) for trial in trials)
    interrupted = [trial for trial in trials if trial.user_attrs.get("interrupted")]
    assert 1 <= len(interrupted) <= 2
    _assert_exact(project, done, "KILLED")

    project.run("run", *flags, "--trials", str(done + 3))

    _assert_exact(project, done + 3, "FINISHED")


def test_out_of_time(new_project: Callable[[str], Project], regression_csvs: CsvPair) -> None:
    """`--timeout` ends a search in order wherever it is, and the next command goes on."""
    project = new_project("timeout")
    flags = [*data_flags(regression_csvs), *FAST]
    with project.started("run", *flags, "--trials", "100000", "--timeout", "12") as process:
        assert process.stdout is not None
        output = process.stdout.read()

    assert "Stopped early: the time was up; the same command goes on" in output
    trials = project.study("sugar").trials
    done = sum(is_counted(trial) for trial in trials)
    assert not [trial.number for trial in trials if trial.state == TrialState.RUNNING]
    assert process.returncode == (0 if any(t.state == TrialState.COMPLETE for t in trials) else 1)

    project.run("run", *flags, "--trials", str(done + 2))

    _assert_exact(project, done + 2, "FINISHED")


def test_mlflow_does_not_answer(new_project: Callable[[str], Project], regression_csvs: CsvPair) -> None:
    """A dead tracking server costs one warning and nothing else; without it the missing runs are written."""
    project = new_project("unreachable")
    flags = [*data_flags(regression_csvs), *FAST, "--trials", "3"]
    done = project.run("run", *flags, env={"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"})

    assert done.stderr.count("Warning:") == 1
    assert "MLflow did not record" in done.stderr
    assert "MLflow does not have everything yet" in done.stdout
    submission = next(line for line in done.stdout.splitlines() if line.startswith("Submission: "))
    assert (project.home / submission.removeprefix("Submission: ")).is_file()
    assert project.mlflow_runs() == []

    again = project.run("run", *flags)

    assert "Nothing to do" in again.stdout
    assert again.stderr == ""
    _assert_exact(project, 3, "FINISHED")
    (parent,) = project.mlflow_runs("optuna_study")
    assert "model/MLmodel" in project.artifacts(parent)
