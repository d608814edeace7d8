from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from storage.record.curve import best_curve
from storage.record.mirror import trial_record
from storage.record.mlflow_limits import clean_tags, legal_keys, text
from storage.record.study_runs import parent_record

START = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - as Optuna stores it


def _trial(state: str, value: float | None = None, **user_attrs: Any) -> FrozenTrial:
    trial = create_trial(
        state=TrialState[state],
        value=value,
        params={"rate": 0.1},
        distributions={"rate": FloatDistribution(0, 1)},
        intermediate_values={2: 9.0, 1: 8.0},
        user_attrs=user_attrs,
    )
    trial.number = 12
    trial.datetime_start = START
    trial.datetime_complete = START
    return trial


@pytest.mark.parametrize(
    ("state", "attrs", "status", "tag", "metrics"),
    [
        ("COMPLETE", {}, "FINISHED", "completed", {"cv_rmse_mean": 1.0}),
        ("PRUNED", {}, "KILLED", "pruned", {"cv_rmse_partial": 9.0}),
        ("FAIL", {}, "FAILED", "failed", {}),
        ("FAIL", {"interrupted": True}, "KILLED", "interrupted", {}),
    ],
)
def test_each_ending_has_its_status(
    state: str, attrs: dict[str, Any], status: str, tag: str, metrics: dict[str, float]
) -> None:
    """Only a trial that ran to its end is FINISHED and has the metric, whatever its own metrics claim."""
    value = None if state == "FAIL" else 1.0
    record = trial_record(
        "s", {}, _trial(state, value, metrics={"cv_rmse_mean": 0.0}, **attrs), "cv_rmse_mean"
    )

    assert record.status == status
    assert record.tags["status"] == tag
    assert record.metrics == metrics


def test_times_are_local_in_the_ledger() -> None:
    """Optuna's naive local times become the same moments in MLflow."""
    assert trial_record("s", {}, _trial("COMPLETE", 1.0)).start_ms == START.timestamp() * 1000


def test_reports_become_a_curve_in_order() -> None:
    """Intermediate values keep their steps, under a name of their own."""
    history = trial_record("s", {}, _trial("COMPLETE", 1.0), "cv_rmse_mean").history

    assert [(point.key, point.step, point.value) for point in history] == [
        ("cv_rmse_running", 1, 8.0),
        ("cv_rmse_running", 2, 9.0),
    ]


def test_study_and_trial_attributes_find_their_place() -> None:
    """run_params are parameters, run_tags and free attributes tags, the reason also the note; ours win."""
    study_attrs = {"run_params": {"seed": 7, "rate": 5}, "run_tags": {"data": "abc"}, "uid": "u", "secret": 1}
    trial = _trial("FAIL", reason="out of memory", fold=3, status="mine")
    record = trial_record("s", study_attrs, trial)

    assert record.params == {"seed": 7, "rate": 0.1}
    assert record.tags["data"] == "abc"
    assert record.tags["fold"] == "3"
    assert record.tags["note"] == record.tags["reason"] == "out of memory"
    assert record.tags["status"] == "failed"
    assert record.tags["optuna_study_uid"] == "u"
    assert "secret" not in record.tags


def test_free_attributes_can_be_left_out_or_added() -> None:
    """The two switches of the deprecated class do the same here."""
    record = trial_record(
        "s", {"b": 2}, _trial("COMPLETE", 1.0, a=1), tag_trial_user_attrs=False, tag_study_user_attrs=True
    )

    assert "a" not in record.tags
    assert record.tags["b"] == "2"


def test_several_objectives_are_numbered_or_named() -> None:
    """One name is numbered for several values, several names are used as they are, another count is told."""
    trial = create_trial(values=[1.0, 2.0])

    assert trial_record("s", {}, trial, "v").metrics == {"v_0": 1.0, "v_1": 2.0}
    assert trial_record("s", {}, trial, ["a", "b"]).metrics == {"a": 1.0, "b": 2.0}
    with pytest.raises(ValueError, match="got 1 metric names for 2"):
        trial_record("s", {}, trial, ["a"])


def test_names_mlflow_refuses_are_replaced_and_stay_apart() -> None:
    """Odd names never cost a batch, and never each other's values."""
    keys = list(legal_keys({"a(b)": 1, "a[b]": 2, "../x": 3, "": 4, "駅 徒歩": 5, "x" * 300: 6, "a//b": 7}))

    assert keys == ["a_b_", "a_b__", "___x", "_", "駅 徒歩", "x" * 250, "a__b"]


def test_long_texts_are_cut_visibly() -> None:
    """A cut text says how long it was."""
    cut = clean_tags({"a": "x" * 9_000})["a"]

    assert len(cut) == 8_000
    assert cut.endswith("... [9000 characters]")
    assert text(["駅", 1], 100) == '["駅", 1]'


def test_the_best_so_far_follows_completion() -> None:
    """A late trial that improves also corrects the highest step; one that does not changes nothing."""
    trials = []
    for second, (number, value) in enumerate([(0, 5.0), (2, 4.0), (1, 3.0), (3, 9.0)]):
        trial = _trial("COMPLETE", value)
        trial.number = number
        trial.datetime_complete = START.replace(second=second)
        trials.append(trial)

    points = [(point.best.value, point.steps) for point in best_curve(reversed(trials), maximize=False)]

    assert points == [(5.0, (0,)), (4.0, (2,)), (3.0, (1, 2)), (3.0, (3,))]
    assert [p.best.value for p in best_curve(trials, maximize=True)] == [5.0, 5.0, 5.0, 9.0]


def test_a_trial_outside_its_studys_space_is_marked() -> None:
    """Its run says so, also that it is no longer; a trial that never was outside has no such tag."""
    attributes = {"outside_space": {"0": True, "1": False}}
    trials = [create_trial(value=1.0) for _ in range(3)]
    for number, trial in enumerate(trials):
        trial.number = number

    records = [trial_record("rents", attributes, trial, "score") for trial in trials]

    assert [record.tags.get("outside_space") for record in records] == ["true", "false", None]


def test_figures_found_later_are_tags_of_their_run() -> None:
    """What is found about a trial after its end reaches its run, and the study's own figures the study's run."""
    figures = {
        "12": {"honest_score": 1.25, "candidate": "trial 12"},
        "study": {"chosen_candidate": "blend of 3"},
    }
    attributes = {"uid": "u", "figures": figures, "conclusion": {"version": 1}}

    tags = trial_record("s", attributes, _trial("COMPLETE", 1.0), tag_study_user_attrs=True).tags
    of_study = parent_record("s", attributes, {}).tags

    assert (tags["honest_score"], tags["candidate"]) == ("1.25", "trial 12")
    assert not {"figures", "conclusion", "chosen_candidate"} & tags.keys()
    assert of_study["chosen_candidate"] == "blend of 3"
    assert "honest_score" not in of_study
