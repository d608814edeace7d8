"""A trial's run, found in MLflow by the tags it has for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.record.tracking import RecordUnavailableError, answering, look_at_tracking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow import MlflowClient
    from mlflow.entities import RunInfo

    from storage.layout import Layout

_MOST_EXPERIMENTS = 1_000


def find_trial_run(layout: Layout, study: str, trial: int) -> str | None:
    """Returns the id of a trial's run; None where there is none or MLflow does not answer."""
    try:
        with answering(layout.tracking_uri):
            tracking = look_at_tracking(layout)
            found = None if tracking is None else search_run(tracking.client, study, trial)
            return None if found is None else str(found.run_id)
    except RecordUnavailableError:
        return None


def log_metrics(layout: Layout, run_id: str, metrics: Mapping[str, float], tags: Mapping[str, str]) -> None:
    """Adds metrics and tags to a run.

    Raises:
        RecordUnavailableError: If MLflow does not answer, or has no such run.
    """
    from storage.record.run_record import RunRecord, log_values

    with answering(layout.tracking_uri):
        tracking = look_at_tracking(layout)
        if tracking is None:
            raise RecordUnavailableError(
                f"got no MLflow at {layout.tracking_uri}; allowed: one with the run; do: python -m search.sync"
            )
        log_values(tracking, run_id, RunRecord(name="", metrics=dict(metrics)), tags)


def search_run(client: MlflowClient, study: str, trial: int | None) -> RunInfo | None:
    """Returns what MLflow has about a trial's run, or without one the study's own; None where there is none.

    Raises:
        mlflow.exceptions.MlflowException: If MLflow does not answer.
    """
    experiments = [one.experiment_id for one in client.search_experiments(max_results=_MOST_EXPERIMENTS)]
    name = study.replace("\\", "\\\\").replace("'", "\\'")
    kind = "tags.experiment_type = 'optuna_study'" if trial is None else f"tags.optuna_trial = '{trial}'"
    where = f"tags.optuna_study = '{name}' AND {kind}"
    found = client.search_runs(experiments, where, max_results=1)
    return found[0].info if found else None
