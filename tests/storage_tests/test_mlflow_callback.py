from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import mlflow
import pytest
from mlflow import MlflowClient

from storage import MLflowCallback
from storage.record.run_record import HistoryPoint, RunRecord, record_run
from storage.record.tracking import ensure_experiment, open_tracking
from tests.storage_tests.record_checks import assert_exact

if TYPE_CHECKING:
    from pathlib import Path

    import optuna
    from mlflow.entities import Run

    from storage.layout import Layout

Trials = Callable[..., None]


def _runs(layout: Layout) -> dict[str, Run]:
    client = open_tracking(layout).client
    experiment = client.get_experiment_by_name("rents")
    assert experiment is not None
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def test_each_trial_has_a_true_run(layout: Layout, callback: MLflowCallback, run_trials: Trials) -> None:
    """Complete, pruned, failed and interrupted trials are told apart, each with its own times."""
    run_trials(4, callback)
    runs = _runs(layout)

    statuses = [
        (runs[f"trial_{i:05d}"].info.status, runs[f"trial_{i:05d}"].data.tags["status"]) for i in range(4)
    ]
    assert statuses == [
        ("FINISHED", "completed"),
        ("KILLED", "pruned"),
        ("FAILED", "failed"),
        ("KILLED", "interrupted"),
    ]
    assert runs["trial_00002"].data.tags["note"] == "out of memory"
    assert runs["trial_00001"].data.params["feature_cols"] == '["area", "駅"]'
    assert all(run.info.end_time >= run.info.start_time for name, run in runs.items() if name != "first")
    assert callback.missed == 0


def test_a_runs_times_are_the_trials(
    layout: Layout, callback: MLflowCallback, run_trials: Trials, study: optuna.Study
) -> None:
    """A run written long after its trial still has the trial's times."""
    run_trials(1)
    callback(study, study.trials[0])
    assert callback.flush(300)
    started, ended = study.trials[0].datetime_start, study.trials[0].datetime_complete

    info = _runs(layout)["trial_00000"].info
    assert started is not None
    assert ended is not None
    assert (info.start_time, info.end_time) == (
        round(started.timestamp() * 1000),
        round(ended.timestamp() * 1000),
    )


def test_the_users_one_liner_finds_the_best_complete_trial(
    layout: Layout, callback: MLflowCallback, run_trials: Trials, study: optuna.Study
) -> None:
    """Sorting all runs by the metric puts the study's best first: no pruned, failed or parent run has it."""
    run_trials(12, callback)
    mlflow.set_tracking_uri(open_tracking(layout).uri)
    try:
        best = mlflow.search_runs(
            experiment_names=["rents"], order_by=["metrics.cv_rmse_mean ASC"], max_results=1
        )
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]

    assert best.loc[0, "tags.optuna_trial"] == str(study.best_trial.number)
    assert best.loc[0, "metrics.cv_rmse_mean"] == study.best_value
    holders = {name for name, run in _runs(layout).items() if "cv_rmse_mean" in run.data.metrics}
    assert holders == {"trial_00000", "trial_00004", "trial_00008"}


def test_four_threads_share_one_parent(
    layout: Layout, callback: MLflowCallback, run_trials: Trials, study: optuna.Study
) -> None:
    """In `study.optimize(n_jobs=4)` every trial has its true run under the study's one run."""
    run_trials(12, callback, n_jobs=4)

    assert len(study.trials) == 12
    assert_exact(layout.tracking_uri, "rents", study, "cv_rmse_mean")


def test_another_process_finds_the_same_parent(
    layout: Layout, callback: MLflowCallback, run_trials: Trials, study: optuna.Study
) -> None:
    """A resumed study has one run for ever."""
    run_trials(1, callback)
    later = MLflowCallback(layout.tracking_uri, "cv_rmse_mean", experiment="rents")
    run_trials(1, later)

    assert later.parent_run_id(study) == callback.parent_run_id(study)
    assert len(_runs(layout)) == 3


def test_recording_twice_is_recording_once(
    layout: Layout, callback: MLflowCallback, run_trials: Trials, study: optuna.Study
) -> None:
    """A trial already recorded is left alone, by this process and by the next."""
    run_trials(1, callback)
    first = callback.record(study, study.trials[0])
    again = MLflowCallback(layout.tracking_uri, "cv_rmse_mean", experiment="rents").record(
        study, study.trials[0]
    )

    assert first == again
    assert len(_runs(layout)) == 2


def test_half_a_run_is_replaced(
    layout: Layout, callback: MLflowCallback, run_trials: Trials, study: optuna.Study
) -> None:
    """A run that an earlier process left half-written gives way to a whole one."""
    run_trials(1)
    callback.open(study)
    client = open_tracking(layout).client
    tags = {
        "optuna_study_uid": study.user_attrs["uid"],
        "optuna_trial": "0",
        "experiment_type": "optuna_trial",
    }
    experiment = client.get_experiment_by_name("rents")
    assert experiment is not None
    half = client.create_run(experiment.experiment_id, tags=tags).info.run_id

    assert callback.record(study, study.trials[0]) != half
    assert client.get_run(half).info.lifecycle_stage == "deleted"


def test_the_parent_carries_the_best(
    layout: Layout, callback: MLflowCallback, run_trials: Trials, study: optuna.Study, tmp_path: Path
) -> None:
    """Curve, number, run, score and parameters of the best trial are on the study's run, and a true end."""
    callback.open(study)
    assert _runs(layout)["first"].info.status == "RUNNING"
    run_trials(12, callback)
    callback.close(study, "KILLED", note="Ctrl-C")
    parent = _runs(layout)["first"]
    client = open_tracking(layout).client

    assert (parent.info.status, parent.data.tags["status"], parent.data.tags["stopped_by"]) == (
        "KILLED",
        "interrupted",
        "Ctrl-C",
    )
    assert parent.info.end_time
    assert parent.data.tags["best_trial"] == str(study.best_trial.number)
    assert parent.data.tags["best_run_id"] == callback.run_id(study, study.best_trial.number)
    assert parent.data.metrics["best_cv_rmse_mean"] == study.best_value
    history = client.get_metric_history(parent.info.run_id, "best_cv_rmse_mean")
    assert [point.step for point in history] == [0, 4, 8]
    client.download_artifacts(parent.info.run_id, "best_params.json", str(tmp_path))
    assert "rate" in (tmp_path / "best_params.json").read_text()


def test_files_are_kept_with_the_trial_and_the_study(
    layout: Layout, callback: MLflowCallback, run_trials: Trials, study: optuna.Study, tmp_path: Path
) -> None:
    """Files and folders are stored under the names given, on both runs."""
    run_trials(1, callback)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "m.txt").write_text("m")
    (tmp_path / "f.txt").write_text("f")
    callback.attach(study, 0, {"lists/features.txt": tmp_path / "f.txt", "model": tmp_path / "model"})
    callback.tag(study, 0, {"status": "promoted"})

    client = open_tracking(layout).client
    for run_id in (callback.run_id(study, 0), callback.parent_run_id(study)):
        paths = {item.path for folder in ("lists", "model") for item in client.list_artifacts(run_id, folder)}
        assert paths == {"lists/features.txt", "model/m.txt"}
    assert _runs(layout)["trial_00000"].data.tags["status"] == "promoted"


def test_an_unrecorded_trial_is_named(callback: MLflowCallback, study: optuna.Study) -> None:
    """Asking for the run of a trial that has none says what to do."""
    with pytest.raises(LookupError, match=r"got trial 5.*do: sync"):
        callback.run_id(study, 5)


def test_experiments_are_chosen_as_before(layout: Layout, run_trials: Trials, study: optuna.Study) -> None:
    """Without a name the study's is taken; with create_experiment=False the id given."""
    run_trials(1)
    named = MLflowCallback(layout.tracking_uri).record(study, study.trials[0])
    study.set_user_attr("uid", "other")
    given = MLflowCallback(
        layout.tracking_uri,
        create_experiment=False,
        mlflow_kwargs={"experiment_id": "0", "tags": {"team": "a"}},
    ).record(study, study.trials[0])
    client = open_tracking(layout).client

    experiment = client.get_experiment_by_name("first")
    assert experiment is not None
    assert client.get_run(named).info.experiment_id == experiment.experiment_id
    assert client.get_run(given).info.experiment_id == "0"
    assert client.get_run(given).data.tags["team"] == "a"


def test_a_single_run_takes_anything(layout: Layout, tmp_path: Path) -> None:
    """Too many, too long, not a number, oddly named: everything is written, in batches."""
    tracking = open_tracking(layout)
    (tmp_path / "a.txt").write_text("a")
    record = RunRecord(
        name="baseline_1",
        params={f"p{i}": "x" * 7_000 for i in range(150)},
        metrics={"nan": math.nan, "inf": math.inf, "odd (name)": 1.0},
        history=[HistoryPoint("curve", i, float(i), 5) for i in range(2_000)],
        tags={f"t{i}": "x" * 9_000 for i in range(150)},
    )
    run_id = record_run(tracking, ensure_experiment(tracking, "rents"), record, {"a.txt": tmp_path / "a.txt"})
    run = tracking.client.get_run(run_id)

    assert len(run.data.params) == 150
    assert math.isnan(run.data.metrics["nan"])
    assert run.data.metrics["odd _name_"] == 1.0
    assert run.data.metrics["curve"] == 1_999.0
    assert len(MlflowClient(tracking.uri).get_metric_history(run_id, "curve")) == 2_000
    assert run.data.tags["t149"].endswith("[9000 characters]")
    assert (run.info.status, run.data.tags["synced"]) == ("FINISHED", "true")
    assert [item.path for item in tracking.client.list_artifacts(run_id)] == ["a.txt"]
