from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end_tests.guide_walk import Walk, first_blocks, furnish, walk
from tests.end_to_end_tests.project import PATIENCE_SECONDS, Project, clean_environment, data_flags
from tests.end_to_end_tests.story import N_FOLDS, STUDY, USERS_SCRIPT, Step, search_flags, take_step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import CsvPair


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Callable[[str], Project]:
    """Makes a project of that name, empty but for MLflow's schema, whose creation takes 6 s."""

    def make(name: str) -> Project:
        home = tmp_path_factory.mktemp(name)
        (home / "mlruns").mkdir()
        shutil.copy(mlflow_template, home / "mlruns" / "mlflow.db")
        return Project(home)

    return make


@pytest.fixture(scope="session")
def searched(new_project: Callable[[str], Project], lucas_csvs: CsvPair) -> Step:
    """The first search, from nothing."""
    return take_step(new_project("story"), "run", *search_flags(lucas_csvs))


@pytest.fixture(scope="session")
def repeated(searched: Step, lucas_csvs: CsvPair) -> Step:
    """The same command once more."""
    return take_step(searched.project, "run", *search_flags(lucas_csvs))


@pytest.fixture(scope="session")
def baseline(repeated: Step, lucas_csvs: CsvPair) -> Step:
    """The default parameters once, in the same experiment."""
    return take_step(
        repeated.project, "baseline", *data_flags(lucas_csvs), "--folds", str(N_FOLDS), "--experiment", STUDY
    )


@pytest.fixture(scope="session")
def promoted_other(baseline: Step) -> Step:
    """Trial 0, which need not be the best, promoted first; its files are gone, as those of most trials are."""
    for path in (baseline.project.home / "mlruns" / "predictions").glob("*/*_00000.*"):
        path.unlink()
    return take_step(baseline.project, "promote", "--trial", "0")


@pytest.fixture(scope="session")
def promoted(promoted_other: Step) -> Step:
    """The best trial promoted."""
    return take_step(promoted_other.project, "promote", "--study", STUDY)


@pytest.fixture(scope="session")
def told(promoted: Step, lucas_csvs: CsvPair) -> dict[str, Any]:
    """What the user's own script says, in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", USERS_SCRIPT, STUDY, str(lucas_csvs.test)],
        cwd=promoted.project.home,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


@pytest.fixture(scope="session")
def guide_begun(new_project: Callable[[str], Project]) -> Walk:
    """The guide typed as far as there is a baseline and a study: all that its pictures need."""
    begun = walk(new_project("guide"), 0, first_blocks())
    assert len(begun.printed) == first_blocks(), begun.errors
    return begun


@pytest.fixture(scope="session")
def guide_walk(guide_begun: Walk, tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Walk:
    """The whole guide typed, the rest of it in a copy: what was begun stays as it is, to be looked at."""
    copy = Project(tmp_path_factory.mktemp("guide_rest") / "guide")
    shutil.copytree(guide_begun.project.home, copy.home, symlinks=True)
    furnish(copy, mlflow_template)
    rest = walk(copy, first_blocks())
    return Walk(copy, guide_begun.printed + rest.printed, guide_begun.errors + rest.errors, rest.best)
