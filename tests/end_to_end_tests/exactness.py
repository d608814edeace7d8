"""Counts what is wrong between ledger and record, by nothing but Optuna's and MLflow's own reading."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import Run


@dataclass(frozen=True)
class Exactness:
    """Faults found, all of which should be 0, and how many trials there are.

    Attributes:
        finished: Trials that count: ended, and not merely interrupted.
        interrupted: Trials that a kill ended.
        open_trials: Trials left RUNNING in the ledger.
        missing: Finished trials without a run.
        duplicates: Runs beyond the first of a trial or of the study.
        orphans: Runs of no finished trial, or not under the study's run.
        left_running: Runs left RUNNING.
        differing: Values of a run that are not the ledger's.
        torn: Prediction files that cannot be read whole.
    """

    finished: int
    interrupted: int
    open_trials: int
    missing: int
    duplicates: int
    orphans: int
    left_running: int
    differing: int
    torn: int

    @property
    def faults(self) -> int:
        """All that should be 0."""
        return sum(
            (
                self.open_trials,
                self.missing,
                self.duplicates,
                self.orphans,
                self.left_running,
                self.differing,
                self.torn,
            )
        )


def measure(home: Path, study_name: str, client: MlflowClient) -> Exactness:
    """Goes through a project's study, its runs and its prediction files."""
    study = optuna.load_study(study_name=study_name, storage=f"sqlite:///{home}/mlruns/optuna.db")
    trials = {trial.number: trial for trial in study.trials}
    ended = {number: trial for number, trial in trials.items() if trial.state.is_finished()}
    interrupted = [trial for trial in ended.values() if trial.user_attrs.get("interrupted")]
    runs = _runs(client)
    parents = [run for run in runs if run.data.tags.get("experiment_type") == "optuna_study"]
    nested = [run for run in runs if run.data.tags.get("experiment_type") == "optuna_trial"]
    found = Counter(int(run.data.tags["optuna_trial"]) for run in nested)
    owned = [run for run in nested if int(run.data.tags["optuna_trial"]) in ended]
    above = {run.info.run_id for run in parents}
    return Exactness(
        finished=len(ended) - len(interrupted),
        interrupted=len(interrupted),
        open_trials=sum(trial.state == TrialState.RUNNING for trial in trials.values()),
        missing=len(ended.keys() - found.keys()),
        duplicates=sum(found.values()) - len(found) + len(parents) - 1,
        orphans=len(nested)
        - len(owned)
        + sum(run.data.tags.get("mlflow.parentRunId") not in above for run in owned),
        left_running=sum(run.info.status == "RUNNING" for run in runs),
        differing=sum(_differing(client, run, ended[int(run.data.tags["optuna_trial"])]) for run in owned),
        torn=sum(_is_torn(path) for path in (home / "mlruns" / "predictions").rglob("trial_*.npz")),
    )


def _runs(client: MlflowClient) -> list[Run]:
    runs: list[Run] = []
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    token = None
    while True:
        page = client.search_runs(ids, max_results=500, page_token=token)
        runs += page
        token = page.token
        if not token:
            return runs


def _differing(client: MlflowClient, run: Run, trial: FrozenTrial) -> int:
    status = {"COMPLETE": "FINISHED", "PRUNED": "KILLED"}.get(trial.state.name, "FAILED")
    if trial.user_attrs.get("interrupted"):
        status = "KILLED"
    got, tags = run.data.metrics, run.data.tags
    wrong = run.info.status != status
    wrong += tags.get("state") != trial.state.name
    wrong += sum(run.data.params.get(key) != str(value) for key, value in trial.params.items())
    wrong += sum(got.get(key) != value for key, value in trial.user_attrs.get("metrics", {}).items())
    wrong += got.get("cv_rmse_mean") != (trial.value if trial.state == TrialState.COMPLETE else None)
    reports = sorted(trial.intermediate_values.items())
    history = client.get_metric_history(run.info.run_id, "cv_rmse_running") if reports else []
    wrong += sorted((point.step, point.value) for point in history) != reports
    assert trial.datetime_complete is not None
    wrong += run.info.end_time != round(trial.datetime_complete.timestamp() * 1000)
    return int(wrong)


def _is_torn(path: Path) -> bool:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return not all(np.isfinite(arrays[name]).all() for name in ("oof", "test"))
    except Exception:  # noqa: BLE001 - whatever it is that cannot be read
        return True
