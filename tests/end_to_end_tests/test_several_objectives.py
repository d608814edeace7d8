"""Several objectives in one study, the documented one of the user's own among them, by commands alone."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pytest

from tests.documented_example import NAME, PLACE, example
from tests.end_to_end_tests.project import PATIENCE_SECONDS, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlflow.entities import Run
    from optuna.trial import FrozenTrial

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.project import Project

pytestmark = pytest.mark.slow

TRIALS = 9
CONFIG = """
train = "train.csv"
test = "{test}"
target = "{target}"
study = "several"
folds = 2
workers = 1

[space]
num_leaves = {{ high = 15 }}

[space.linear]
penalty = {{ low = 0.1, high = 10.0 }}
"""
SERVE = """
import sys, mlflow, pandas as pd
model = mlflow.pyfunc.load_model("models:/several@champion")
pd.DataFrame({"p": model.predict(pd.read_csv(sys.argv[1]))}).to_csv("served.csv", index=False)
"""
ALL = f"lightgbm,linear,{PLACE}"


class Several(NamedTuple):
    """A finished search whose own objective's file is gone."""

    project: Project
    output: str
    code: Path

    def trials(self) -> list[FrozenTrial]:
        """Those of its study."""
        return self.project.study("several").get_trials()


@pytest.fixture(scope="module")
def several(new_project: Callable[[str], Project], lucas_csvs: CsvPair) -> Several:
    """A search of three objectives over a table of the user's, in a worker process."""
    project = new_project("several")
    code = project.home / NAME
    code.write_text(example(), encoding="utf-8")
    pd.read_csv(lucas_csvs.train).head(300).to_csv(project.home / "train.csv", index=False)
    text = CONFIG.format(test=lucas_csvs.test, target=lucas_csvs.target)
    (project.home / "competition.toml").write_text(text, encoding="utf-8")
    output = project.run("run", "--objective", ALL, "--trials", str(TRIALS)).stdout
    code.unlink()
    return Several(project, output, code)


def _study_of(run: Run) -> str | None:
    name: str | None = run.data.tags.get("optuna_study")
    return name


def test_each_objective_has_its_trials_in_one_study(several: Several) -> None:
    """LightGBM's default comes first and the others' next; each trial has the parameters of its objective only."""
    trials = several.trials()
    chosen = [trial.params["objective"] for trial in trials]

    assert chosen[:3] == ["lightgbm", "linear", "support_vectors"]
    assert len(trials) == TRIALS
    for trial in trials:
        own = {name.partition(".")[0] for name in trial.params if "." in name}
        assert own == ({trial.params["objective"]} - {"lightgbm"})
        assert ("num_leaves" in trial.params) == (trial.params["objective"] == "lightgbm")
        assert 0.1 <= trial.params.get("linear.penalty", 1.0) <= 10
        assert trial.params.get("num_leaves", 7) <= 15


def test_each_run_says_its_objective(several: Several) -> None:
    """In MLflow a trial's run has its own objective, the study's run all of them."""
    runs = several.project.mlflow_runs("optuna_trial")
    counts = Counter(run.data.params["objective"] for run in runs)
    (parent,) = several.project.mlflow_runs("optuna_study")

    assert counts == Counter(trial.params["objective"] for trial in several.trials())
    assert parent.data.params["objective"] == "lightgbm,linear,support_vectors"


def test_a_trial_of_ones_own_is_replayed_without_the_file(several: Several) -> None:
    """The study has the source, and gives the same to the bit."""
    assert several.project.run("replay", "several", "2").stdout.splitlines()[-1] == "The same to the bit"


def test_a_trial_of_ones_own_is_promoted_and_served(several: Several, lucas_csvs: CsvPair) -> None:
    """The champion takes raw rows, has the class with it, and returns what was submitted."""
    output = several.project.run("promote", "--study", "several", "--trial", "2").stdout
    subprocess.run(
        [sys.executable, "-c", SERVE, lucas_csvs.test], cwd=several.project.home, env=clean_environment({}),
        check=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    (line,) = [line for line in output.splitlines() if line.startswith("Submission: ")]
    submitted = pd.read_csv(several.project.home / line.removeprefix("Submission: "))["prediction"]

    assert np.array_equal(pd.read_csv(several.project.home / "served.csv")["p"], submitted)


def test_another_source_is_another_question(several: Several) -> None:
    """An edited file is refused for the study in one line; fewer objectives are too, and nothing changes."""
    several.code.write_text(example() + "\nCHANGED = True\n", encoding="utf-8")
    changed = several.project.run("run", "--objective", ALL, code=2).stderr
    several.code.write_text(example(), encoding="utf-8")
    fewer = several.project.run("run", "--objective", "lightgbm,linear", code=2).stderr
    several.code.unlink()

    assert "study several: got objective_source 'SupportVectors " in changed
    assert "got objective 'lightgbm,linear', it was begun with 'lightgbm,linear,support_vectors'" in fewer
    assert len(several.trials()) == TRIALS


def test_a_study_of_lightgbm_takes_in_another(several: Several) -> None:
    """The same command with one name more goes on: earlier trials count, guide the sampler, and are replayed."""
    project, study = several.project, ["--study", "grown"]
    project.run("run", *study, "--trials", "2", "--objective", "lightgbm")
    output = project.run("run", *study, "--trials", "4", "--objective", "lightgbm,extra_trees").stdout
    trials = project.study("grown").get_trials()
    runs = {run.info.run_name: run for run in project.mlflow_runs() if _study_of(run) == "grown"}

    assert "2 of 2 earlier trials lie in it and guide the sampler" in output
    assert ["objective" in trial.params for trial in trials] == [False, False, True, True]
    assert trials[2].params["objective"] == "extra_trees"
    objectives = [runs[f"trial_{k:05d}"].data.params["objective"] for k in range(3)]
    assert objectives == ["lightgbm", "lightgbm", "extra_trees"]
    assert project.run("replay", "grown", "0").stdout.splitlines()[-1] == "The same to the bit"
