"""The recipes for Slurm, run: with stand-ins for Slurm's own commands, all else is real."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from optuna.trial import TrialState

from search.loop.tally import is_counted
from tests.end_to_end_tests.fake_slurm import RECIPES, FakeSlurm
from tests.end_to_end_tests.project import PATIENCE_SECONDS, data_flags
from tests.search_tests.bodies import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.project import Project

N_TRIALS = 4


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[FakeSlurm]:
    """A queue without jobs, emptied afterwards."""
    queue = FakeSlurm(tmp_path / "slurm").install()
    yield queue
    queue.close()


def flags(pair: CsvPair, trials: int = N_TRIALS) -> list[str]:
    """A small search."""
    return [*map(str, data_flags(pair)), "--folds", "2", "--study", "sugar", "--trials", str(trials)]


def finished(project: Project) -> int:
    """Trials that count; all must be over."""
    trials = project.study("sugar").get_trials()
    assert all(trial.state.is_finished() or trial.state == TrialState.WAITING for trial in trials)
    return sum(is_counted(trial) for trial in trials)


@pytest.mark.parametrize("script", ["submit.sh", "search.sbatch", "workers.sbatch"])
def test_scripts_are_bash(script: str) -> None:
    """A shell reads each to its end."""
    done = subprocess.run(
        ["bash", "-n", RECIPES / "slurm" / script], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_search_on_slurm(
    slurm: FakeSlurm, new_project: Callable[[str], Project], regression_csvs: CsvPair
) -> None:
    """A job for scheduler and coordinator and an array of workers make exactly the trials, and all ends."""
    project = new_project("slurm")

    said = slurm.run(RECIPES / "slurm/submit.sh", "1", *flags(regression_csvs), home=project.home)

    assert "search: job 1, workers: job 2" in said
    assert slurm.exit_code("1") == 0, (slurm.folder / "tasks/1/output").read_text()
    assert slurm.exit_code("2_1") == 0, (slurm.folder / "tasks/2_1/output").read_text()
    assert finished(project) == N_TRIALS
    assert slurm.left_behind() == []
    assert not [*project.home.glob("scheduler*")]
    assert (project.home / "dask-1.out").read_text().count("Register worker") == 2


@pytest.mark.slow
def test_time_is_up_on_slurm(
    slurm: FakeSlurm, new_project: Callable[[str], Project], regression_csvs: CsvPair
) -> None:
    """The signal before the time limit stops a search as Ctrl-C does; submitted again, it goes on to its number."""
    project = new_project("time")
    slurm.run(RECIPES / "slurm/submit.sh", "1", *flags(regression_csvs, 1000), home=project.home)
    output = slurm.folder / "tasks/1/output"
    wait_for(lambda: "[   1/1000]" in output.read_text(), PATIENCE_SECONDS)

    slurm.terminate("1")

    assert slurm.exit_code("1") == 130, output.read_text()
    slurm.exit_code("2_1")
    assert slurm.left_behind() == []
    done = finished(project)
    assert done < 1000
    slurm.run(RECIPES / "slurm/submit.sh", "1", *flags(regression_csvs, done + 2), home=project.home)
    assert slurm.exit_code("3") == 0
    assert finished(project) == done + 2


@pytest.mark.slow
def test_a_search_by_dask_jobqueue(
    slurm: FakeSlurm, new_project: Callable[[str], Project], regression_csvs: CsvPair
) -> None:
    """The script with dask-jobqueue submits its workers, makes exactly the trials, and cancels them."""
    project = new_project("jobqueue")
    script = RECIPES / "slurm/jobqueue_search.py"
    small = project.home / script.name
    # As many workers as this machine can carry.
    small.write_text(
        script.read_text(encoding="utf-8").replace("cores=8, processes=8", "cores=2, processes=2")
    )

    slurm.run("python", small, "1", *flags(regression_csvs), home=project.home)

    assert len(slurm.task_names()) == 1
    assert finished(project) == N_TRIALS
    assert slurm.left_behind() == []
