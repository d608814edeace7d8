"""Studies on folds that leave rows out, or validate them more than once, from CSV to champion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.end_to_end_tests.project import Project

N_TRAIN, N_TEST = 240, 60
STUDY = "split"


@dataclass(frozen=True)
class Tables:
    """Two files on disk, with a column for each scheme.

    Attributes:
        train: 12 months, 8 cities, 4 folds.
        test: The month after.
    """

    train: Path
    test: Path

    @property
    def flags(self) -> list[str]:
        """What names the data, for a small search."""
        return [
            "--train", str(self.train), "--test", str(self.test), "--target", "rent", "--study", STUDY,
            "--folds", "3", "--trials", "2", "--workers", "0",
        ]  # fmt: skip


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Rents that rise by the month."""
    rng, n = np.random.default_rng(3), N_TRAIN + N_TEST
    month = np.where(np.arange(n) < N_TRAIN, rng.integers(1, 13, n), 13)
    table = pd.DataFrame(
        {
            "id": range(n),
            "ym": 201900 + month + np.where(month == 13, 88, 0),
            "city": rng.choice([f"c{i}" for i in range(8)], n),
            "area": rng.uniform(20, 90, n),
            "part": rng.integers(0, 4, n) - 1,
        }
    )
    table["rent"] = 1_000 * table["area"] + 2_000 * month + rng.normal(0, 3_000, n)
    folder = tmp_path_factory.mktemp("tables")
    table[:N_TRAIN].to_csv(folder / "train.csv", index=False)
    table[N_TRAIN:].drop(columns="rent").to_csv(folder / "test.csv", index=False)
    return Tables(folder / "train.csv", folder / "test.csv")


@dataclass(frozen=True)
class Case:
    """A split and what comes of it.

    Attributes:
        flags: What asks for it.
        name: How the study's question begins to tell it.
        n_folds: Scores of a trial.
        covers_all: Whether every row is validated.
    """

    flags: tuple[str, ...]
    name: str
    n_folds: int
    covers_all: bool


@pytest.mark.parametrize(
    "case",
    [
        Case(
            ("--time", "ym", "--gap", "1"), "time by ym, 3 folds, gap 1, seed 42, rows ", 3, covers_all=False
        ),
        Case(
            ("--group", "city", "--repeats", "2"), "group by city, 3 folds, 2 repeats, ", 6, covers_all=True
        ),
    ],
    ids=["time", "repeated groups"],
)
def test_a_study_on_its_own_folds(case: Case, tables: Tables, new_project: Callable[[str], Project]) -> None:
    """Search, predictions kept, replay to the bit, promotion: all work where rows lack a prediction."""
    project = new_project("split")
    output = project.run("run", *tables.flags, *case.flags).stdout

    study = project.study(STUDY)
    assert study.user_attrs["question"]["split"].startswith(case.name)
    best = study.best_trial
    assert sum("cv_rmse_fold_" in name for name in best.user_attrs["metrics"]) == case.n_folds
    (file,) = (project.home / "mlruns" / "predictions").rglob(f"trial_{best.number:05d}.npz")
    with np.load(file) as arrays:
        missing = np.isnan(arrays["oof"])
        assert np.isfinite(arrays["test"]).all()
    assert missing.any() != case.covers_all
    assert not missing.all()
    assert "Submission: " in output
    assert "The same to the bit" in project.run("replay", STUDY, str(best.number)).stdout
    assert "Promoted: " in project.run("promote", "--study", STUDY).stdout
    refused = project.run("run", *tables.flags, code=2).stderr
    assert f"got split 'kfold, 3 folds, seed 42', it was begun with '{case.name}" in refused
