"""The space of a study edited between two commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.coordination.shared_seat import SharedSeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end_tests.project import Project

SETTINGS = (
    'rows = 300\nfolds = 2\nworkers = 0\ntrials = 3\nstudy = "edited"\nobjective = "lightgbm"\n'
    "[space]\nnum_leaves = [15, 31]\n"
)


@pytest.mark.slow
def test_a_space_is_changed_between_two_commands(new_project: Callable[[str], Project]) -> None:
    """The same command goes on with an edited space: counted exactly, marked in MLflow, and carried as any study."""
    project = new_project("edited")
    settings = project.home / "competition.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    project.run("run")
    settings.write_text(
        SETTINGS.replace("[15, 31]", "7").replace("trials = 3", "trials = 5"), encoding="utf-8"
    )

    done = project.run("run")

    assert "Space: num_leaves was 15 or 31, is fixed at 7" in done.stdout
    assert "0 of 3 earlier trials lie in it" in done.stdout
    assert "Trials: 5 finished" in done.stdout
    runs = {run.info.run_name: run.data for run in project.mlflow_runs("optuna_trial")}
    assert [runs[f"trial_{n:05d}"].params["num_leaves"] for n in (3, 4)] == ["7", "7"]
    assert [runs[f"trial_{n:05d}"].tags.get("outside_space") for n in range(5)] == ["true"] * 3 + [None] * 2
    assert "equals the ledger" in project.run("sync", "--check").stdout
    project.run("export", "edited", "edited.zip")
    other = new_project("other")
    other.run("import", project.home / "edited.zip")
    trials = project.study("edited").trials
    assert [trial.params for trial in other.study("edited").trials] == [trial.params for trial in trials]
    assert [trial.distributions for trial in other.study("edited").trials] == [
        t.distributions for t in trials
    ]
    assert project.run("replay", "edited", "0").stdout


@pytest.mark.slow
def test_others_at_work_keep_their_space(new_project: Callable[[str], Project], new_database: str) -> None:
    """Of several coordinators nobody changes the space under the others; alone, one may."""
    project = new_project("shared")
    settings = project.home / "competition.toml"
    text = f'storage = "{new_database}"\n' + SETTINGS.replace("trials = 3", "trials = 1")
    settings.write_text(text, encoding="utf-8")
    project.run("run")
    settings.write_text(text.replace("[15, 31]", "7"), encoding="utf-8")

    with SharedSeat(new_database, "edited").taken():
        refused = project.run("run", code=2)
    changed = project.run("run")

    (line,) = refused.stderr.splitlines()
    assert line.startswith("study edited: got space ")
    assert "those who work on it now have " in line
    assert "Space: num_leaves was 15 or 31, is fixed at 7" in changed.stdout
