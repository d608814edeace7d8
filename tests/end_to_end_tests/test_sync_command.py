"""`search.sync` as a user types it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from storage.layout import Layout
from storage.study_lock import study_lock
from tests.end_to_end_tests.project import Project, data_flags

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import CsvPair

DEAD = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def searched(new_project: Callable[[str], Project], regression_csvs: CsvPair) -> Project:
    """Six trials, the best one promoted."""
    project = new_project("searched")
    project.run("run", *_flags(regression_csvs), "--trials", "6")
    project.run("promote")
    return project


def _flags(pair: CsvPair) -> list[str | Path]:
    return [*data_flags(pair), "--folds", "2", "--workers", "0", "--study", "sugar"]


def _lose_record(project: Project) -> None:
    """Leaves an MLflow database in which nobody has ever recorded anything, not even its schema."""
    for path in (project.home / "mlruns").glob("mlflow.db*"):
        path.unlink()
    for path in (project.home / "mlruns").iterdir():
        if path.name.isdigit():
            shutil.rmtree(path)


def test_a_finished_search_and_its_promotion_are_in_order(searched: Project) -> None:
    """Nothing differs, nothing is changed, and both say so."""
    assert searched.run("sync", "--check").stdout == "sugar: MLflow equals the ledger\n"
    assert searched.run("sync").stdout == "sugar: MLflow has all 6 runs\n"


@pytest.mark.slow
def test_a_lost_record_is_made_again(searched: Project) -> None:
    """Into an empty MLflow come all runs, the promotion, and the best trial's files on both of its runs."""
    _lose_record(searched)
    told = searched.run("sync", "--check", code=1).stdout.splitlines()
    assert told == [*(f"sugar: trial {number}: no run" for number in range(6)), "sugar: the study: no run"]
    assert not (searched.home / "mlruns" / "mlflow.db").exists()

    searched.run("sync")

    assert searched.run("sync", "--check").stdout == "sugar: MLflow equals the ledger\n"
    (parent,) = searched.mlflow_runs("optuna_study")
    (best,) = [run for run in searched.mlflow_runs("optuna_trial") if run.data.tags["status"] == "promoted"]
    assert parent.info.status == "FINISHED"
    assert best.info.run_id == parent.data.tags["best_run_id"]
    for run in (parent, best):
        files = searched.artifacts(run)
        number = int(best.data.tags["optuna_trial"])
        assert {"features.txt", "model/MLmodel", f"submission_sugar_trial_{number:05d}.csv"} <= files


@pytest.mark.slow
def test_another_experiment_takes_all_runs(
    searched: Project, regression_csvs: CsvPair, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where `--experiment` changes, the search takes the study's runs along, promoted one and files included."""
    home = tmp_path_factory.mktemp("renamed") / "project"
    shutil.copytree(searched.home, home, symlinks=True)
    project = Project(home)
    project.run("run", *_flags(regression_csvs), "--trials", "6", "--experiment", "sweets")

    runs = project.mlflow_runs()
    assert len(runs) == 7
    assert len({run.info.experiment_id for run in runs}) == 1
    assert [run.data.tags["status"] for run in runs].count("promoted") == 1
    assert project.run("sync", "--check").stdout == "sugar: MLflow equals the ledger\n"


@pytest.mark.slow
def test_what_cannot_be_made_is_said(searched: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without the data the runs are written all the same, and the command says which files are missing and why."""
    home = tmp_path_factory.mktemp("moved") / "project"
    shutil.copytree(searched.home, home, symlinks=True)
    project = Project(home)
    study = project.study("sugar")
    study.set_user_attr("settings", {**study.user_attrs["settings"], "train": "gone.csv"})
    _lose_record(project)

    done = project.run("sync", code=1)

    assert "sugar: 6 runs written" in done.stdout
    assert "not made: got gone.csv" in done.stdout
    assert len(project.mlflow_runs("optuna_trial")) == 6


def test_a_study_that_is_searched_is_left_to_its_search(searched: Project) -> None:
    """A sync is refused as a second search would be, a look is not."""
    with study_lock(Layout(searched.home), "sugar"):
        refused = searched.run("sync", code=2)
        searched.run("sync", "--check")

    assert "held by process" in refused.stderr


@pytest.mark.parametrize("flags", [["--check"], []])
def test_a_server_that_does_not_answer_is_one_line(searched: Project, flags: list[str]) -> None:
    """No traceback, and the line says what to do."""
    done = searched.run("sync", "--tracking-uri", DEAD, *flags, code=2)

    (line,) = [line for line in done.stderr.splitlines() if "--tracking-uri" in line]
    assert line.startswith(f"got MLflow at {DEAD}")


def test_an_unknown_study_is_one_line(searched: Project) -> None:
    """With the names there are."""
    done = searched.run("sync", "--study", "salt", code=2)

    assert done.stderr == "--study: got 'salt'; allowed: sugar; do: choose one\n"
