"""What every objective copes with: each metric, holes, rare classes, folds in time, learned features."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from objectives import predictor
from objectives.base import OBJECTIVES, CVResult, find_objective, missing_extra
from objectives.data.features.choice import FeatureChoice
from objectives.data.folds import Fold, make_folds
from objectives.data.metrics import METRICS
from objectives.data.read import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import Objective
    from objectives.data.dataset import Dataset
    from tests.objectives_tests.conftest import Competition, Listener

INSTALLED = [name for name in OBJECTIVES if missing_extra(name) is None]
IN_TIME = (Fold(np.arange(30), np.arange(30, 45)), Fold(np.arange(45), np.arange(45, 60)))


@pytest.fixture(params=INSTALLED)
def name(request: pytest.FixtureRequest) -> str:
    """Each objective in turn."""
    return str(request.param)


def _make(name: str, dataset: Dataset, folds: tuple[Fold, ...]) -> Objective:
    return find_objective(name)(dataset, folds, dataset.metric, seed=1, threads=1)


def _served_as_searched(objective: Objective, result: CVResult, raw: Path, folder: Path) -> None:
    folder.mkdir()
    objective.save_model(result, folder)
    served = predictor.load(folder).predict(read_table(raw))
    assert np.array_equal(served, result.test_prediction)
    assert np.isfinite(served).all()


@pytest.mark.parametrize("metric", list(METRICS))
def test_every_metric(name: str, metric: str, competition: Competition, listen: type[Listener]) -> None:
    """Each built-in metric can be searched for, on its first task, with the loss that fits it."""
    task = METRICS[metric].tasks[0]
    if task != "regression":
        parts = 2 if task == "binary" else 3
        competition.train["rent"] = competition.train["rent"].rank().mul(parts / 61).astype(int)
    competition.asked = {"task": task, "metric": metric}
    dataset = competition.load()
    folds = make_folds(dataset.target, dataset.task, 2, 0)

    objective = _make(name, dataset, folds)
    result = objective.evaluate(objective.default_params(), listen())

    assert np.isfinite(result.scores).all()
    assert np.isfinite(result.oof_prediction).all()


def test_holes_and_unseen_levels(
    name: str, competition: Competition, listen: type[Listener], tmp_path: Path
) -> None:
    """Missing cells and levels that training never showed are predicted, and by the served model the same."""
    competition.train.loc[::3, "kind"] = None
    competition.train["scarce"] = np.where(np.arange(60) == 7, 1.5, np.nan)
    competition.test["scarce"] = np.nan
    competition.test.loc[0, "kind"], competition.test.loc[1, "area"] = "castle", np.nan
    competition.test.loc[2, "area"] = 1e12
    dataset = competition.load()

    objective = _make(name, dataset, make_folds(dataset.target, dataset.task, 3, 0))
    result = objective.evaluate(objective.default_params(), listen())

    _served_as_searched(objective, result, tmp_path / "test.csv", tmp_path / "model")


def test_folds_in_time(name: str, competition: Competition, listen: type[Listener], tmp_path: Path) -> None:
    """Where folds go forward in time, one model of all rows predicts."""
    dataset = competition.load()
    objective = _make(name, dataset, IN_TIME)

    result = objective.evaluate(objective.default_params(), listen())

    assert (len(result.models), len(result.scores)) == (1, 2)
    with pytest.raises(NotImplementedError, match="of all rows"):
        objective.of_all_rows(2, 10.0)
    assert np.isnan(result.oof_prediction[:30]).all()
    _served_as_searched(objective, result, tmp_path / "test.csv", tmp_path / "model")


def test_learned_features(
    name: str, competition: Competition, listen: type[Listener], tmp_path: Path
) -> None:
    """A feature learned inside the folds reaches each fold's model, in the search and in the served model."""
    competition.train["kind"] = [f"k{k % 20}" for k in np.argsort(np.argsort(competition.train["rent"]))]
    competition.test["kind"] = [f"k{k}" for k in range(20)]
    competition.asked = {"choice": FeatureChoice(target_encode=("kind",))}
    dataset = competition.load()
    objective = _make(name, dataset, make_folds(dataset.target, dataset.task, 3, 0))

    result = objective.evaluate(objective.default_params(), listen())

    assert result.importance.shape == (len(dataset.feature_names),)
    assert len(dataset.feature_names) > len(dataset.encoder.names)
    _served_as_searched(objective, result, tmp_path / "test.csv", tmp_path / "model")
    whole = objective.of_all_rows(1, float(np.mean(result.best_iterations)))
    result = whole.evaluate(whole.default_params(), listen())
    _served_as_searched(objective, result, tmp_path / "test.csv", tmp_path / "model of all rows")


@pytest.mark.parametrize("transform", ["log1p", "quantile", "per:area"])
def test_target_transforms(
    name: str, transform: str, competition: Competition, listen: type[Listener], tmp_path: Path
) -> None:
    """Labels on another scale come back on the target's own, in the search and in the served model."""
    for table in (competition.train, competition.test):
        table["area"] = table["area"].fillna(40.0)
    competition.train["rent"] += 20_000
    competition.asked = {"transforms": (transform,)}
    dataset = competition.load()
    objective = _make(name, dataset, make_folds(dataset.target, dataset.task, 3, 0))

    result = objective.evaluate(objective.default_params(), listen())

    assert result.mean < dataset.target.std()
    _served_as_searched(objective, result, tmp_path / "test.csv", tmp_path / "model")


def test_class_that_a_fold_never_sees(
    name: str, competition: Competition, listen: type[Listener], tmp_path: Path
) -> None:
    """A class only among a fold's validation rows gets a probability from that fold's model all the same."""
    labels = np.array(["low", "mid", "high"])[np.arange(60) % 3]
    labels[:6] = "rare"
    competition.train["rent"] = labels
    competition.asked = {"task": "multiclass"}
    dataset = competition.load()
    folds = tuple(Fold(np.setdiff1d(np.arange(60), rows), rows) for rows in np.split(np.arange(60), 3))
    objective = _make(name, dataset, folds)

    result = objective.evaluate(objective.default_params(), listen())

    assert result.oof_prediction.shape == (60, 4)
    assert result.oof_prediction.sum(axis=1) == pytest.approx(1)
    _served_as_searched(objective, result, tmp_path / "test.csv", tmp_path / "model")


def test_fold_of_one_label(name: str, competition: Competition, listen: type[Listener]) -> None:
    """Training rows that all have the same target give that target, without an error."""
    dataset = competition.load()
    dataset = replace(dataset, target=np.where(np.arange(60) < 40, 5.0, dataset.target))
    folds = (Fold(np.arange(40), np.arange(40, 60)), Fold(np.arange(20, 60), np.arange(20)))
    objective = _make(name, dataset, folds)

    result = objective.evaluate(objective.default_params(), listen())

    assert result.oof_prediction[40:] == pytest.approx(5.0)
