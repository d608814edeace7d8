from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from optuna.trial import TrialState

from search.score_text import score_text
from tests.end_to_end_tests.project import Project, data_flags
from tests.end_to_end_tests.story import (
    N_FOLDS,
    N_TRIALS,
    STUDY,
    Step,
    best_of,
    ids_of,
    parent_of,
    search_flags,
    trial_runs,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import CsvPair


def test_the_lines_a_user_knows(searched: Step) -> None:
    """A search ends with run id, score ± spread of what was chosen, and its submission's path."""
    chosen = chosen_line(searched)

    assert re.fullmatch(r"[0-9a-f]{32}", searched.after("Run completed"))
    assert re.fullmatch(rf"{re.escape(score_text(chosen['apparent']))} ± \d+\.\d+", searched.after("CV RMSE"))
    assert (searched.project.home / searched.after("Submission")).is_file()
    assert searched.errors == ""


def test_what_was_found_out_is_said(searched: Step) -> None:
    """Task, metric, categories and dates need not be given, and are printed."""
    assert "Task: regression (found out); metric: rmse (found out)" in searched.output
    assert searched.after(r"Categorical \(3\)") == "stories, wall, garage"
    assert searched.after(r"Dates \(1\)") == "sale_date"


def test_progress_in_plain_lines(searched: Step) -> None:
    """Where there is no terminal, each finished trial is one line with no control characters."""
    lines = re.findall(r"^\[(\d+)/(\d+)\] best .* \| \d+ pruned.*left.*$", searched.output, re.MULTILINE)

    assert lines == [(str(i), str(N_TRIALS)) for i in range(1, N_TRIALS + 1)]
    assert "\x1b" not in searched.output


def test_the_submission_is_for_the_test_rows(searched: Step, lucas_csvs: CsvPair) -> None:
    """Each test id once, in the test file's order, with a finite number."""
    submission = pd.read_csv(searched.project.home / searched.after("Submission"), dtype={"id": str})

    assert submission["id"].tolist() == ids_of(lucas_csvs.test)
    assert np.isfinite(submission["prediction"]).all()


def test_the_submission_is_worth_something(searched: Step, lucas_csvs: CsvPair) -> None:
    """On rows nobody saw, it explains most of what the mean leaves open."""
    assert lucas_csvs.test_target is not None
    truth = lucas_csvs.test_target.to_numpy()
    prediction = pd.read_csv(searched.project.home / searched.after("Submission"))["prediction"].to_numpy()

    assert np.mean((prediction - truth) ** 2) < 0.4 * np.var(truth)


def test_exactly_the_trials_asked_for(searched: Step) -> None:
    """The ledger has N finished trials, some pruned at this size, and nothing else."""
    states = [trial.state for trial in searched.state.trials]

    assert len(states) == N_TRIALS
    assert set(states) == {TrialState.COMPLETE, TrialState.PRUNED}


def test_one_run_for_each_trial_under_one_parent(searched: Step) -> None:
    """MLflow has one parent and a nested run a trial, with true statuses."""
    runs, parent = trial_runs(searched), parent_of(searched)
    status = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED"}

    assert {n: run.info.status for n, run in runs.items()} == {
        trial.number: status[trial.state] for trial in searched.state.trials
    }
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert parent.info.status == "FINISHED"
    assert parent.info.run_id == searched.after("Run completed")


def test_a_complete_trials_run_has_the_users_names(searched: Step) -> None:
    """Metrics, parameters and tags are named as in the user's notes, with the ledger's values."""
    best = best_of(searched)
    run = trial_runs(searched)[best.number]
    metrics, params, tags = run.data.metrics, run.data.params, run.data.tags

    assert metrics["cv_rmse_mean"] == best.value
    assert {"cv_rmse_std", *(f"cv_rmse_fold_{k}" for k in range(N_FOLDS))} <= set(metrics)
    assert metrics["train_size"] == 1_600
    assert (params["seed"], params["n_features"]) == ("42", "16")
    assert {"yrbuilt", "sale_date"} < set(params["feature_cols"].split(", "))
    assert float(params["learning_rate"]) == best.params["learning_rate"]
    assert (tags["experiment_type"], tags["optuna_study"]) == ("optuna_trial", STUDY)


def test_a_pruned_trials_run_never_ranks(searched: Step) -> None:
    """A pruned trial has its partial score, curve and place, but nothing under the name users sort by."""
    pruned = [trial for trial in searched.state.trials if trial.state == TrialState.PRUNED]
    for trial in pruned:
        data = trial_runs(searched)[trial.number].data

        assert "cv_rmse_mean" not in data.metrics
        assert {"cv_rmse_partial", "cv_rmse_running", "pruned_step", "pruned_fold"} <= set(data.metrics)
        assert data.tags["status"] == "pruned"


def test_the_parent_shows_the_best(searched: Step) -> None:
    """The study's own run carries the best trial, its score and the curve, and no score users sort by."""
    best, data = best_of(searched), parent_of(searched).data

    assert "cv_rmse_mean" not in data.metrics
    assert data.metrics["best_cv_rmse_mean"] == best.value
    assert (data.tags["best_trial"], float(data.tags["best_score"])) == (str(best.number), best.value)
    assert data.tags["best_run_id"] == trial_runs(searched)[best.number].info.run_id


def test_the_curve_falls(searched: Step) -> None:
    """`best_cv_rmse_mean` on the parent is the running minimum over the complete trials."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{searched.project.home / 'mlruns' / 'mlflow.db'}")
    history = client.get_metric_history(parent_of(searched).info.run_id, "best_cv_rmse_mean")
    complete = [t for t in searched.state.trials if t.state == TrialState.COMPLETE]
    values = np.minimum.accumulate([t.value if t.value is not None else np.inf for t in complete])

    points = sorted((point.step, point.value) for point in history)
    assert points == [(t.number, value) for t, value in zip(complete, values, strict=True)]


def test_the_best_carries_its_files(searched: Step) -> None:
    """Features, submission and model are with the best trial's run and with the parent; that has the chosen one too."""
    best, chosen = best_of(searched).number, searched.after("Submission").rpartition("/")[2]
    name = f"submission_{STUDY}_trial_{best:05d}.csv"
    for run in (trial_runs(searched)[best], parent_of(searched)):
        assert {"features.txt", name, "model/MLmodel"} <= searched.project.artifacts(run)
    assert chosen in searched.project.artifacts(parent_of(searched))


def test_what_was_chosen_is_said(searched: Step) -> None:
    """The candidates side by side, the chosen one marked, with what to expect of it; a blend with its shares."""
    names = [line["candidate"]["name"] for line in conclusion_of(searched)["lines"]]
    marked = re.findall(r"^  \* (\S.*?)  ", searched.output, re.MULTILINE)

    assert all(name in searched.output for name in names)
    assert len(marked) == 1
    assert chosen_line(searched)["candidate"]["name"] in marked[0]
    assert searched.after("Expected on the test file").startswith("RMSE ")
    is_blend = len(chosen_line(searched)["candidate"]["parts"]) > 1
    assert ("\nBlend: trial " in searched.output) == is_blend


def conclusion_of(step: Step) -> dict[str, Any]:
    """As the ledger has it."""
    conclusion: dict[str, Any] = step.project.study(STUDY).user_attrs["conclusion"]
    return conclusion


def chosen_line(step: Step) -> dict[str, Any]:
    """The figures of what was chosen."""
    return next(line for line in conclusion_of(step)["lines"] if line["is_chosen"])


def test_a_finished_search_repeated_changes_nothing(searched: Step, repeated: Step) -> None:
    """The same command again says so; ledger and record stay as they are."""
    assert f"Nothing to do: study {STUDY} has all its trials" in repeated.output
    assert repeated.after("CV RMSE") == searched.after("CV RMSE")
    assert repeated.after("Run completed") == searched.after("Run completed")
    assert repeated.state.trials == searched.state.trials


def test_a_finished_search_repeated_leaves_the_record(searched: Step, repeated: Step) -> None:
    """MLflow's runs, ends and updates included, are those of the first command."""
    assert repeated.state.runs == searched.state.runs


def test_another_question_is_refused(repeated: Step, lucas_csvs: CsvPair) -> None:
    """Another seed under the same name means another split: named, exit 2, and the study stays as it is."""
    before = repeated.project.study(STUDY).get_trials()
    flags = [*search_flags(lucas_csvs), "--seed", "7"]

    (line,) = repeated.project.run("run", *flags, code=2).stderr.splitlines()

    assert "got split 'kfold, 2 folds, seed 7', it was begun with 'kfold, 2 folds, seed 42'" in line
    assert repeated.project.study(STUDY).get_trials() == before


def test_bad_input_makes_nothing(tmp_path: Path, lucas_csvs: CsvPair) -> None:
    """All faults in one go, a line each, and an empty folder stays empty."""
    flags = [*data_flags(lucas_csvs), "--trials", "-1", "--metric", "rsme", "--target", "rent"]

    done = Project(tmp_path).run("run", *flags, code=2)

    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["--trials", "metric", "target"]
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
