"""How a search that cannot go on ends, as its user sees it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from search.config import MOST_FAILURES_IN_A_ROW

if TYPE_CHECKING:
    from mlflow.entities import Run

    from tests.conftest import CsvPair

ROOT = Path(__file__).parents[2]


@dataclass
class Place:
    """A folder to search in, with MLflow's tables made."""

    home: Path
    pair: CsvPair

    def search(self, *, highest: int, missing: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs a search of at most 30 trials with an objective of one's own."""
        pair = self.pair
        data = ["--train", pair.train, "--test", pair.test, "--target", pair.target, "--study", "own"]
        flags = [*data, "--folds", "2", "--workers", "0", "--trials", "30"]
        return subprocess.run(
            [
                sys.executable,
                ROOT / "tests/search_tests/own_objective.py",
                str(highest),
                str(missing),
                *flags,
            ],
            cwd=self.home,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    def runs(self, kind: str) -> list[Run]:
        """The runs of an `experiment_type`."""
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{self.home / 'mlruns' / 'mlflow.db'}")
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        return list(client.search_runs(experiments, f"tags.experiment_type = '{kind}'"))


@pytest.fixture
def place(in_empty_folder: Path, mlflow_template: Path, regression_csvs: CsvPair) -> Place:
    """An empty folder."""
    (in_empty_folder / "mlruns").mkdir()
    shutil.copy(mlflow_template, in_empty_folder / "mlruns" / "mlflow.db")
    return Place(in_empty_folder, regression_csvs)


def test_a_search_that_only_fails_exits_1(place: Place) -> None:
    """It stops after a few trials, prints the common cause, and each run has its reason."""
    done = place.search(highest=30, missing=3)

    cause = "ValueError: the out-of-fold prediction has the shape (350,), not (353,)"
    n = MOST_FAILURES_IN_A_ROW
    assert done.returncode == 1, done.stderr
    assert (
        f"Stopped early: {n} trials failed in a row, all with: {cause}; the same command goes on\n"
        in done.stdout
    )
    runs = place.runs("optuna_trial")
    assert [(one.info.status, one.data.tags["reason"]) for one in runs] == [("FAILED", cause)] * n
    assert [one.info.status for one in place.runs("optuna_study")] == ["FAILED"]


def test_a_space_that_is_tried_out_ends_the_search(place: Place) -> None:
    """A search with nothing new to try is finished: exit code, study's run and text say so."""
    done = place.search(highest=3)

    assert done.returncode == 0, done.stderr
    assert "Stopped early: every configuration of the search space has been tried\n" in done.stdout
    assert "Trials: 3 finished (3 complete, 0 pruned, 0 failed)\n" in done.stdout
    assert len(place.runs("optuna_trial")) == 3
    assert [one.info.status for one in place.runs("optuna_study")] == ["FINISHED"]
