from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from objectives.base import CVResult
from objectives.data.folds import Fold
from objectives.result_faults import result_fault, score_fault, whole_fault

if TYPE_CHECKING:
    from objectives.data.dataset import Dataset
    from tests.objectives_tests.conftest import Competition

FOLDS = tuple(Fold(np.setdiff1d(np.arange(60), rows), rows) for rows in np.split(np.arange(60), 3))


@pytest.fixture
def dataset(competition: Competition) -> Dataset:
    """60 training and 20 test rows."""
    return competition.load()


@pytest.fixture
def sound() -> CVResult:
    """A result that fits the data set."""
    return CVResult((1.0, 2.0, 3.0), np.zeros(60), np.zeros(20), (1, 2, 3), np.ones(3) / 3, ("a", "b", "c"))


def test_a_sound_result_has_no_fault(dataset: Dataset, sound: CVResult) -> None:
    """What an objective should return passes."""
    assert result_fault(dataset, FOLDS, sound) is None


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"scores": (1.0, np.nan, 2.0)}, "FloatingPointError: the score is not finite in every fold"),
        ({"scores": (1.0, -np.inf, 2.0)}, "FloatingPointError: the score is not finite in every fold"),
        ({"scores": ("good",)}, "TypeError: the scores are ('good',), not numbers"),
        ({"scores": ()}, "ValueError: the scores have the shape (0,)"),
        ({"scores": 1.0}, "ValueError: the scores have the shape ()"),
        ({"scores": (1.0, 2.0)}, "ValueError: scores has 2 entries for 3 folds"),
        ({"models": ("a",)}, "ValueError: models has 1 entries for 3 folds"),
        ({"models": (1, 2, 3)}, "TypeError: the models are not all text or bytes"),
        (
            {"oof_prediction": np.zeros(59)},
            "ValueError: the out-of-fold prediction has the shape (59,), not (60,)",
        ),
        (
            {"oof_prediction": np.zeros((60, 1))},
            "ValueError: the out-of-fold prediction has the shape (60, 1)",
        ),
        ({"test_prediction": np.full(20, np.nan)}, "the test prediction has 20 values that are not finite"),
        ({"test_prediction": None}, "ValueError: the test prediction has the shape (), not (20,)"),
        ({"test_prediction": np.array(["1"] * 20)}, "TypeError: the test prediction is of type <U1"),
    ],
)
def test_each_fault_is_named(dataset: Dataset, sound: CVResult, change: dict[str, Any], fault: str) -> None:
    """A result that would spoil a study or a submission is told by what is wrong with it."""
    assert fault in str(result_fault(dataset, FOLDS, replace(sound, **change)))


def test_models_of_all_rows_are_counted(dataset: Dataset, sound: CVResult) -> None:
    """So many as were asked for, and what they predict; nothing else is asked of them."""
    whole = replace(sound, scores=(), best_iterations=(), models=("a", "b"))

    assert whole_fault(dataset, whole, 2) is None
    assert "the models are not 3" in str(whole_fault(dataset, whole, 3))
    assert "the models are not 2" in str(whole_fault(dataset, replace(whole, models=("a", 2)), 2))
    spoilt = replace(whole, test_prediction=np.full(20, np.nan))
    assert "the test prediction has 20 values" in str(whole_fault(dataset, spoilt, 2))
    assert "not CVResult" in str(whole_fault(dataset, None, 2))


def test_a_row_that_no_fold_validates_has_no_prediction(dataset: Dataset, sound: CVResult) -> None:
    """Time folds leave rows without a prediction: NaN there, and nowhere else, and no number made up."""
    folds = tuple(Fold(fold.train_idx, fold.val_idx[fold.val_idx >= 10]) for fold in FOLDS)
    missing = np.where(np.arange(60) < 10, np.nan, 0.0)

    assert result_fault(dataset, folds, replace(sound, oof_prediction=missing)) is None
    assert "10 values that are not finite" in str(
        result_fault(dataset, FOLDS, replace(sound, oof_prediction=missing))
    )
    assert "rows that no fold validates" in str(result_fault(dataset, folds, sound))


def test_several_classes_need_a_column_each(competition: Competition, sound: CVResult) -> None:
    """With several classes a prediction is a table of probabilities."""
    competition.train["rent"] = np.arange(60) % 4
    competition.asked["task"] = "multiclass"
    dataset = competition.load()

    assert "not (60, 4)" in str(result_fault(dataset, FOLDS, sound))
    wide = replace(sound, oof_prediction=np.zeros((60, 4)), test_prediction=np.zeros((20, 4)))
    assert result_fault(dataset, FOLDS, wide) is None


def test_something_else_is_no_result() -> None:
    """An objective that returns its score only, or nothing, is told so."""
    assert score_fault(0.5) == "TypeError: evaluate returned float, not CVResult"
