"""A search by the user's own metric, on several scales of the target: searched, replayed, promoted, refused."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pytest

from tests.end_to_end_tests.project import PATIENCE_SECONDS, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.project import Project

pytestmark = pytest.mark.slow

METRIC = """
import numpy as np

def within_tenth(target, prediction):
    return np.mean(np.abs(prediction - target) <= target / 10)
"""
CONFIG = """
train = "{train}"
test = "{test}"
target = "{target}"
study = "own"
metric = "own_metric.py:within_tenth"
loss = ["l1", "l2"]
target_transform = ["per:TLA", "log1p"]
trials = 3
folds = 2
workers = 1
"""
SERVE = """
import sys, mlflow, pandas as pd
model = mlflow.pyfunc.load_model("models:/own@champion")
pd.DataFrame({"p": model.predict(pd.read_csv(sys.argv[1]))}).to_csv("served.csv", index=False)
"""
AGAIN = ["--config", "settings/search.toml"]


class Own(NamedTuple):
    """A finished search; its metric's file is gone."""

    project: Project
    output: str
    code: Path


@pytest.fixture(scope="module")
def own(new_project: Callable[[str], Project], lucas_csvs: CsvPair) -> Own:
    """A search with the metric's file beside the TOML file, in another folder than the current one."""
    project = new_project("own")
    folder = project.home / "settings"
    folder.mkdir()
    code = folder / "own_metric.py"
    code.write_text(METRIC, encoding="utf-8")
    text = CONFIG.format(train=lucas_csvs.train, test=lucas_csvs.test, target=lucas_csvs.target)
    (folder / "search.toml").write_text(text, encoding="utf-8")
    output = project.run("run", *AGAIN).stdout
    code.unlink()
    return Own(project, output, code)


def test_the_search_says_what_it_found_out(own: Own) -> None:
    """Direction, losses and scales are printed; the share within a tenth is a sensible one, the best the largest."""
    assert "Metric direction: max (found out: within_tenth gives 1 to right predictions" in own.output
    assert "Training: loss l1, l2; target per:TLA, log1p" in own.output
    study = own.project.study("own")
    assert study.best_value == max(t.value for t in study.trials if t.value is not None)
    assert 0.2 < study.best_value < 1
    assert {"loss", "target_transform"} < set(study.trials[0].params)
    (parent,) = own.project.mlflow_runs("optuna_study")
    assert parent.data.metrics["best_cv_within_tenth_mean"] == study.best_value


def test_a_trial_replays_without_the_file(own: Own) -> None:
    """The study has the source: the metric's file may be gone."""
    assert own.project.run("replay", "own", "0").stdout.splitlines()[-1] == "The same to the bit"


def test_what_is_served_is_what_was_submitted(own: Own, lucas_csvs: CsvPair) -> None:
    """The champion takes raw rows and returns prices, not labels, exactly those of the file."""
    output = own.project.run("promote", "--study", "own", "--trial", "0").stdout
    assert lucas_csvs.test_target is not None
    subprocess.run(
        [sys.executable, "-c", SERVE, lucas_csvs.test], cwd=own.project.home, env=clean_environment({}),
        check=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    (line,) = [line for line in output.splitlines() if line.startswith("Submission: ")]
    submitted = pd.read_csv(own.project.home / line.removeprefix("Submission: "))["prediction"]

    served = pd.read_csv(own.project.home / "served.csv")["p"]

    assert own.project.study("own").trials[0].params["target_transform"] == "per:TLA"
    assert np.array_equal(served, submitted)
    assert np.corrcoef(served, lucas_csvs.test_target)[0, 1] > 0.8
    assert served.median() == pytest.approx(lucas_csvs.test_target.median(), rel=0.2)


def test_another_source_is_another_question(own: Own) -> None:
    """A changed metric is refused for the study, in one line, and a missing one as a bad setting."""
    missing = own.project.run("run", *AGAIN, code=2).stderr
    own.code.write_text(METRIC.replace("/ 10", "/ 9"), encoding="utf-8")
    (changed,) = own.project.run("run", *AGAIN, code=2).stderr.splitlines()
    own.code.write_text(METRIC, encoding="utf-8")

    assert "metric: got own_metric.py:within_tenth: own_metric.py is not readable" in missing
    assert "study own: got metric_source 'within_tenth " in changed
    assert "0 of 3" not in own.project.run("run", *AGAIN).stdout
