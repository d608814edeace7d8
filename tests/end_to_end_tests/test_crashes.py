"""Whatever ends a search, the same command goes on, and the record is exact."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from search.loop.tally import is_counted
from tests.end_to_end_tests.faulty_process import Commands
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
        assert process.wait() == 130, f"{process.returncode}: {rest[-5000:]}"

    assert f"process {process.pid} on " in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert "Traceback" not in rest
    trials = project.study("sugar").trials
    done = sum(is_counted(trial) for trial in trials)
    interrupted = [trial for trial in trials if trial.user_attrs.get("interrupted")]
    assert 1 <= len(interrupted) <= 4  # two at work, and one waiting behind each
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
    assert process.returncode == 0
    submission = next(line for line in output.splitlines() if line.startswith("Submission: "))
    project.run("verify", submission.removeprefix("Submission: "), "--study", "sugar")

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


def test_no_room_is_said_in_a_line(new_project: Callable[[str], Project], regression_csvs: CsvPair) -> None:
    """A full quota ends a search with one line that says what to do; with room again, the same command goes on."""
    project = new_project("full")
    flags = [*data_flags(regression_csvs), "--folds", "2", "--workers", "0", "--study", "sugar"]
    project.run("run", *flags, "--trials", "2")
    quota = (project.home / "mlruns" / "optuna.db").stat().st_size
    commands = Commands(project.home)
    arguments = [*map(str, flags), "--trials", "40"]

    assert commands.start("run", *arguments, cold=True, quota=quota).wait() == 1

    output = commands.log.read_text(encoding="utf-8")
    assert "Traceback" not in output
    assert output.splitlines()[-1] == (
        "got no room to write in mlruns (disk I/O error); allowed: a disk and a quota with room; do: free some "
        "(see df -h . and quota), then give the same command again: nothing finished is lost"
    )
    project.run("run", *flags, "--trials", "4")
    _assert_exact(project, 4, "FINISHED")


def _shown_as_running(project: Project) -> list[str]:
    """Trials that MLflow shows as RUNNING, read without MLflow; none while there is no record yet."""
    database = project.home / "mlruns" / "mlflow.db"
    query = (
        "SELECT t.value FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'optuna_trial'"
        " WHERE r.status = 'RUNNING' AND r.lifecycle_stage = 'active'"
    )
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection,
    ):
        return [number for (number,) in connection.execute(query)]
    return []


def _kill_while_a_trial_shows(project: Project, process: subprocess.Popen[str]) -> str:
    """Kills a search at a moment at which MLflow shows a trial as RUNNING; returns its number."""
    while process.poll() is None:
        if _shown_as_running(project):
            # Stopped, so that what is seen is still so when it dies.
            os.kill(process.pid, signal.SIGSTOP)
            shown = _shown_as_running(project)
            if shown:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                return shown[0]
            os.kill(process.pid, signal.SIGCONT)
    raise AssertionError("the search ended, and no trial was ever shown as running")


def test_running_trials_show_and_never_stay(
    new_project: Callable[[str], Project], regression_csvs: CsvPair
) -> None:
    """MLflow shows the trials that run; a check finds nothing wrong then, and after a kill none stays RUNNING."""
    project = new_project("shown")
    flags = [*data_flags(regression_csvs), *FAST]
    with project.started("run", *flags, "--trials", "5000") as process:
        _read_to(process, "[  10/5000]")
        checked = project.run("sync", "--check")
        killed = _kill_while_a_trial_shows(project, process)
    # The record is behind: what it shows as running may have ended in the ledger already.
    state = project.study("sugar").trials[int(killed)].state

    assert checked.stdout == "sugar: MLflow equals the ledger, as far as the running search has got\n"
    assert "of no finished trial" in project.run("sync", "--check", code=1).stdout
    project.run("sync")
    assert _shown_as_running(project) == []
    assert project.run("sync", "--check").stdout == "sugar: MLflow equals the ledger\n"

    with project.started("run", *flags, "--trials", "5000") as process:
        _kill_while_a_trial_shows(project, process)
    done = sum(is_counted(trial) for trial in project.study("sugar").trials)
    project.run("run", *flags, "--trials", str(done + 2))

    _assert_exact(project, done + 2, "FINISHED")
    assert _shown_as_running(project) == []
    assert project.run("sync", "--check").stdout == "sugar: MLflow equals the ledger\n"
    (again,) = [run for run in project.mlflow_runs("optuna_trial") if run.data.tags["optuna_trial"] == killed]
    assert again.data.tags["state"] == (state if state.is_finished() else TrialState.FAIL).name
    assert state.is_finished() or again.data.tags["status"] == "interrupted"
