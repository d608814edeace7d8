from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from storage import MLflowCallback
from storage.record.reconcile import SyncReport
from storage.record.tracking import open_tracking

if TYPE_CHECKING:
    import optuna
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from storage.layout import Layout

Trials = Callable[..., None]


@pytest.fixture
def client(layout: Layout) -> MlflowClient:
    """A client of its own, to break the record with."""
    return open_tracking(layout).client


@pytest.fixture
def fresh(layout: Layout) -> MLflowCallback:
    """The callback of a new process, which remembers nothing."""
    return MLflowCallback(layout.tracking_uri, "cv_rmse_mean", experiment="rents")


def _experiment(client: MlflowClient) -> str:
    experiment = client.get_experiment_by_name("rents")
    assert experiment is not None
    return str(experiment.experiment_id)


def _runs(client: MlflowClient) -> list[Run]:
    return list(client.search_runs([_experiment(client)]))


def _assert_exact(client: MlflowClient, callback: MLflowCallback, study: optuna.Study) -> None:
    runs = _runs(client)
    parents = [run for run in runs if run.data.tags["experiment_type"] == "optuna_study"]
    nested = [run for run in runs if run not in parents]

    assert [run.info.run_id for run in parents] == [callback.parent_run_id(study)]
    assert parents[0].data.metrics["best_cv_rmse_mean"] == study.best_value
    assert parents[0].data.tags["best_run_id"] == callback.run_id(study, study.best_trial.number)
    assert sorted(int(run.data.tags["optuna_trial"]) for run in nested) == list(range(len(study.trials)))
    for run in nested:
        trial = study.trials[int(run.data.tags["optuna_trial"])]
        assert run.data.tags["synced"] == "true"
        assert run.data.tags["mlflow.parentRunId"] == parents[0].info.run_id
        assert run.data.metrics.get("cv_rmse_mean") == (
            trial.value if trial.state.name == "COMPLETE" else None
        )
    assert not callback.sync(study).changed


def test_an_empty_record_is_rebuilt(
    client: MlflowClient, fresh: MLflowCallback, run_trials: Trials, study: optuna.Study
) -> None:
    """Into an empty MLflow everything is written, the curve included."""
    run_trials(8)

    assert fresh.sync(study) == SyncReport(written=tuple(range(8)))
    _assert_exact(client, fresh, study)
    history = client.get_metric_history(fresh.parent_run_id(study), "best_cv_rmse_mean")
    assert [point.step for point in history] == [0, 4]


def test_a_right_record_is_left_alone(
    callback: MLflowCallback, fresh: MLflowCallback, run_trials: Trials, study: optuna.Study
) -> None:
    """Nothing is written where nothing is wrong."""
    run_trials(4, callback)

    assert fresh.sync(study) == SyncReport(kept=4)


def test_half_written_runs_are_written_anew(
    client: MlflowClient,
    callback: MLflowCallback,
    fresh: MLflowCallback,
    run_trials: Trials,
    study: optuna.Study,
) -> None:
    """A run cut off before its mark, at any point, is replaced."""
    run_trials(4, callback)
    client.delete_tag(callback.run_id(study, 0), "synced")
    client.update_run(callback.run_id(study, 2), status="RUNNING")

    assert fresh.sync(study) == SyncReport(written=(0, 2), deleted=2, kept=2)
    _assert_exact(client, fresh, study)


def test_a_value_that_differs_from_the_ledger_is_corrected(
    client: MlflowClient,
    callback: MLflowCallback,
    fresh: MLflowCallback,
    run_trials: Trials,
    study: optuna.Study,
) -> None:
    """The ledger's score wins."""
    run_trials(4, callback)
    client.log_metric(callback.run_id(study, 0), "cv_rmse_mean", 0.0, step=1)

    assert fresh.sync(study).written == (0,)
    _assert_exact(client, fresh, study)


def test_duplicates_and_orphans_go(
    client: MlflowClient,
    callback: MLflowCallback,
    fresh: MLflowCallback,
    run_trials: Trials,
    study: optuna.Study,
) -> None:
    """A second run of a trial, a run of no trial and a second parent are deleted."""
    run_trials(4, callback)
    for number, kind in (("0", "optuna_trial"), ("99", "optuna_trial"), ("", "optuna_study")):
        tags = {"optuna_study_uid": study.user_attrs["uid"], "optuna_trial": number, "experiment_type": kind}
        client.create_run(_experiment(client), tags=tags)

    # The childless parent goes as soon as the study is opened.
    assert fresh.sync(study) == SyncReport(deleted=2, kept=4)
    _assert_exact(client, fresh, study)


def test_children_of_a_lost_parent_are_adopted(
    client: MlflowClient,
    callback: MLflowCallback,
    fresh: MLflowCallback,
    run_trials: Trials,
    study: optuna.Study,
) -> None:
    """When the study's run was deleted, a new one takes the trials over, with their artifacts."""
    run_trials(4, callback)
    kept = callback.run_id(study, 0)
    client.delete_run(callback.parent_run_id(study))

    assert fresh.sync(study) == SyncReport(adopted=4)
    assert fresh.run_id(study, 0) == kept
    _assert_exact(client, fresh, study)


def test_other_runs_in_the_experiment_are_not_touched(
    client: MlflowClient, callback: MLflowCallback, run_trials: Trials, study: optuna.Study
) -> None:
    """A baseline, and another study's runs, are none of this study's business."""
    run_trials(1, callback)
    baseline = client.create_run(_experiment(client), tags={"experiment_type": "baseline"}).info.run_id
    foreign = client.create_run(
        _experiment(client),
        tags={"experiment_type": "optuna_trial", "optuna_study_uid": "x", "optuna_trial": "0"},
    ).info.run_id
    callback.sync(study)

    assert {baseline, foreign} <= {run.info.run_id for run in _runs(client)}


def test_an_infinite_score_is_written_once(
    client: MlflowClient, fresh: MLflowCallback, study: optuna.Study
) -> None:
    """MLflow keeps no infinity; what it keeps instead is not a difference."""
    for score in (float("inf"), 1.0):
        study.tell(study.ask(), score)
    fresh.sync(study)

    assert not fresh.sync(study).changed
    assert len(client.get_metric_history(fresh.parent_run_id(study), "best_cv_rmse_mean")) == 2
