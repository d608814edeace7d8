"""Class targets, and settings from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.project import Project

CONFIG = """
train = "{train}"
test = "{test}"
target = "{target}"
study = "from_file"
metric = "auc"
trials = 7
folds = 3
workers = 1
"""


def _submission(home: Path, output: str) -> pd.DataFrame:
    (line,) = [line for line in output.splitlines() if line.startswith("Submission: ")]
    return pd.read_csv(home / line.removeprefix("Submission: "), dtype={"id": str})


def test_two_classes_from_a_file(new_project: Callable[[str], Project], binary_csvs: CsvPair) -> None:
    """All settings may stand in a TOML file, a flag wins over it, and probabilities are submitted."""
    project = new_project("binary")
    text = CONFIG.format(train=binary_csvs.train, test=binary_csvs.test, target=binary_csvs.target)
    (project.home / "search.toml").write_text(text, encoding="utf-8")

    output = project.run("run", "--config", "search.toml", "--trials", "2").stdout

    assert "Task: binary (found out); metric: auc" in output
    assert "Trials: 2 finished" in output
    assert "CV AUC: 0.9" in output
    submission = _submission(project.home, output)
    assert submission["id"].tolist() == pd.read_csv(binary_csvs.test, dtype={"id": str})["id"].tolist()
    assert submission["prediction"].between(0, 1).all()
    (parent,) = project.mlflow_runs("optuna_study")
    assert (parent.info.run_name, parent.data.params["n_splits"]) == ("from_file", "3")
    assert parent.data.metrics["best_cv_auc_mean"] > 0.9


def test_several_classes(new_project: Callable[[str], Project], multiclass_csvs: CsvPair) -> None:
    """A column for each class, in the order of their names, rows summing to 1; the champion agrees."""
    project = new_project("multiclass")
    output = project.run(
        "run", "--train", multiclass_csvs.train, "--test", multiclass_csvs.test, "--target", "species",
        "--study", "iris", "--trials", "2", "--folds", "2", "--workers", "1",
    ).stdout  # fmt: skip

    submission = _submission(project.home, output)
    classes = ["setosa", "versicolor", "virginica"]
    assert "Task: multiclass (found out); metric: multi_logloss (found out)" in output
    assert list(submission.columns) == ["id", *classes]
    assert np.allclose(submission[classes].sum(axis=1), 1)
    truth = multiclass_csvs.test_target
    assert truth is not None
    assert np.mean(submission[classes].idxmax(axis=1).to_numpy() == truth.to_numpy()) > 0.8
