"""Whether a record is right, and the tidy end of a plain callback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.layout import Layout
from storage.record.mirror import run_status
from storage.record.tracking import open_tracking

if TYPE_CHECKING:
    import optuna
    from mlflow.entities import Run

    from storage.mlflow_callback import MLflowCallback


def end(callback: MLflowCallback) -> None:
    """Ends a callback as the end of its process would."""
    callback._here._end(callback._close_forgotten)


def all_runs(tracking_uri: str, experiment: str) -> list[Run]:
    """Returns the active runs of an experiment."""
    # MLflow keeps one store for each address, and a relative one means another file in each test.
    client = open_tracking(Layout(), tracking_uri).client
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id])) if found else []


def assert_exact(tracking_uri: str, experiment: str, study: optuna.Study, metric: str) -> Run:
    """Holds if each finished trial has exactly one true run, below the one run of the study, which is returned."""
    runs = all_runs(tracking_uri, experiment)
    parents = [run for run in runs if run.data.tags["experiment_type"] == "optuna_study"]
    nested = {run.data.tags["optuna_trial"]: run for run in runs if run not in parents}

    assert len(parents) == 1
    assert len(runs) == len(nested) + 1
    assert sorted(nested, key=int) == [str(trial.number) for trial in study.trials]
    for trial in study.trials:
        run = nested[str(trial.number)]
        score = trial.value if trial.state.name == "COMPLETE" else None
        assert (run.info.status, run.data.metrics.get(metric)) == (run_status(trial), score)
        assert run.data.tags["mlflow.parentRunId"] == parents[0].info.run_id
        assert run.data.tags["synced"] == "true"
        assert run.data.params.keys() >= trial.params.keys()
    return parents[0]
