"""Which losses and scales a model is trained with, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from objectives.data.approach import LOSSES, Approach, find_approach, first_approach, losses_for
from objectives.data.dataset import DatasetError
from objectives.data.folds import TASKS
from objectives.data.metrics import METRICS

if TYPE_CHECKING:
    from objectives.data.folds import Task
    from tests.objectives_tests.conftest import Competition


@pytest.mark.parametrize(
    ("metric", "task", "expected"),
    [
        ("rmse", "regression", ("l2", "none")),
        ("r2", "regression", ("l2", "none")),
        ("mae", "regression", ("l1", "none")),
        ("medae", "regression", ("l1", "none")),
        ("smape", "regression", ("l1", "none")),
        ("mape", "regression", ("mape", "none")),
        ("rmsle", "regression", ("l2", "log1p")),
        ("auc", "binary", ("binary", "none")),
        ("f1", "binary", ("binary", "none")),
        ("quadratic_kappa", "multiclass", ("multiclass", "none")),
        ("a_users_own", "regression", ("l2", "none")),
    ],
)
def test_nothing_said_is_what_fits_the_metric(metric: str, task: Task, expected: tuple[str, str]) -> None:
    """Each metric is trained by the loss and on the scale that fit it."""
    loss, transform = expected

    assert find_approach((), (), metric, task) == (Approach((loss,), (transform,)), [])


def test_auto_stands_for_what_fits() -> None:
    """In a list "auto" is one of several, and nothing is in it twice."""
    approach, faults = find_approach(
        ("huber", "auto", "l1"), ("none", "auto", "per:area"), "mae", "regression"
    )

    assert faults == []
    assert approach == Approach(("huber", "l1"), ("none", "per:area"))
    assert approach.columns == ("area",)
    assert str(approach) == "loss huber, l1; target none, per:area"


@pytest.mark.parametrize("task", TASKS)
def test_the_usual_approach_leaves_the_question_as_it_was(task: Task) -> None:
    """A study from before there was a choice goes on, for each metric there was, but for rmsle, which changed."""
    old = {
        "regression": ("rmse", "mae", "mape", "r2"),
        "binary": ("logloss", "auc"),
        "multiclass": ("accuracy",),
    }
    for metric in old[task]:
        assert task in METRICS[metric].tasks
        assert find_approach((), (), metric, task)[0] == first_approach(metric, task)
    assert find_approach((), ("none",), "rmsle", "regression")[0] == first_approach("rmsle", "regression")
    assert find_approach((), (), "rmsle", "regression")[0] != first_approach("rmsle", "regression")


@pytest.mark.parametrize("task", TASKS)
def test_unknown_names_are_named(task: Task) -> None:
    """One line for each name that the task does not have, with those it has."""
    _, faults = find_approach(("l3", "auto"), ("cube", "per:"), "rmse", task)

    assert [fault.split(";")[0] for fault in faults] == [
        "loss: got 'l3'", "target_transform: got 'cube'", "target_transform: got 'per:'",
    ]  # fmt: skip
    assert f"allowed for {task}: auto, {', '.join(losses_for(task))}" in faults[0]
    assert ("log1p" in faults[1]) == (task == "regression")


def faults_of(competition: Competition, **asked: Any) -> list[str]:
    """What is wrong with the two tables and what is asked of them."""
    competition.asked |= {"task": "regression", **asked}
    with pytest.raises(DatasetError) as caught:
        competition.load()
    return list(caught.value.faults)


@pytest.mark.parametrize(
    ("change", "asked", "said"),
    [
        ({"rent": -3.0}, {"transforms": ("log1p",)}, "such as -3; allowed: targets above -1"),
        ({"rent": -3.0}, {"transforms": ("sqrt",)}, "got sqrt and 1 targets it cannot take, such as -3"),
        ({"rent": -3.0}, {"losses": ("poisson",)}, "got poisson and 1 targets it cannot take, such as -3"),
        ({"rent": -3.0}, {"losses": ("tweedie",)}, "got tweedie and 1 targets it cannot take, such as -3"),
        ({"rent": 0.0}, {"losses": ("gamma",)}, "such as 0; allowed: targets of more than 0"),
        ({"rent": -0.5}, {"metric": "rmsle"}, "metric: got rmsle and 1 targets below 0"),
        ({}, {"losses": ("gamma",), "transforms": ("quantile",)}, "loss: got gamma with target_transform quantile"),
        ({}, {"transforms": ("per:rooms",)}, "got per:rooms, no column in"),
        ({}, {"transforms": ("per:rent",)}, "got per:rent, the target itself in"),
        ({}, {"transforms": ("per:kind",)}, "got per:kind, 60 values that are no number above 0, such as"),
        ({"area": 0.0}, {"transforms": ("per:area",)}, "values that are no number above 0, such as"),
    ],
)  # fmt: skip
def test_targets_that_cannot_be_taken_are_refused(
    competition: Competition, change: dict[str, float], asked: dict[str, Any], said: str
) -> None:
    """A loss, scale or metric that has no meaning for a target is refused with the count, before anything begins."""
    for name, value in change.items():
        competition.train.loc[4, name] = value
    faults = faults_of(competition, **asked)

    assert said in faults[0]
    assert all("; allowed: " in fault and "; do: " in fault for fault in faults)


def test_the_divisor_is_checked_in_both_files(competition: Competition) -> None:
    """A missing value where a prediction has to be multiplied is refused too."""
    for table in (competition.train, competition.test):
        table["area"] = table["area"].fillna(30)
    competition.test.loc[3, "area"] = np.nan

    (fault,) = faults_of(competition, transforms=("per:area",))

    assert "got per:area, 1 values that are no number above 0, such as nan in" in fault
    assert "test.csv" in fault


def test_what_is_trained_on_is_said_and_asked(competition: Competition) -> None:
    """A chosen approach is printed and part of the question; a column it reads is part of the data's fingerprint."""
    for table in (competition.train, competition.test):
        table["area"] = table["area"].fillna(30)
    plain = competition.load()
    competition.asked |= {"losses": ("l2", "huber"), "transforms": ("none", "per:area")}
    dataset = competition.load()

    assert plain.score_question == {}
    assert dataset.score_question == {"training": "loss l2, huber; target none, per:area"}
    assert "Training: loss l2, huber; target none, per:area" in dataset.notes
    assert dataset.divisors["area"].train.tolist() == competition.train["area"].tolist()
    assert dataset.fingerprint != plain.fingerprint


def test_a_zero_target_under_mape_is_said(competition: Competition) -> None:
    """A relative error has no meaning there, and such rows would decide everything."""
    competition.train.loc[[3, 8], "rent"] = 0.0
    competition.asked |= {"metric": "mape", "task": "regression"}

    assert any("no meaning for the 2 targets of 0" in note for note in competition.load().notes)


def test_every_loss_is_of_a_task() -> None:
    """Each task has a loss to begin with."""
    assert {loss.task for loss in LOSSES.values()} == set(TASKS)
