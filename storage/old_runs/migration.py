"""The runs of an old file store, brought into the record with all they have.

Each new run bears the old one's id in a tag, from its creation on, and `synced` once it is whole. So whatever was
cut short is found and filled again, and a second migration adds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.old_runs.file_store import RUN_ID, OldStore
from storage.record.run_record import SYNCED, RunRecord, log_values
from storage.record.study_runs import find_runs
from storage.record.tracking import ensure_experiment

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from mlflow.entities import Run

    from storage.old_runs.file_store import OldRun
    from storage.record.tracking import Tracking

MIGRATED = "migrated_run_id"
_SAID_AT_BIRTH = ("mlflow.user", "mlflow.source.name", "mlflow.source.type")


@dataclass(frozen=True)
class Migration:
    """What a migration did.

    Attributes:
        brought: Runs that were brought over now.
        present: Runs that were there already.
        notes: What was left behind and why, one line each.
    """

    brought: int
    present: int
    notes: tuple[str, ...]


def migrate(store: OldStore, tracking: Tracking) -> Migration:
    """Brings an old store's runs into the record; what is there already stays as it is.

    Raises:
        mlflow.exceptions.MlflowException: If the record does not answer; the same call goes on later.
    """
    experiments = {run.experiment: "" for run in store.runs}
    experiments = {name: ensure_experiment(tracking, name) for name in experiments}
    known = {run.data.tags[MIGRATED]: run for i in experiments.values() for run in _migrated(tracking, i)}
    ids = {old: run.info.run_id for old, run in known.items()}
    # All of them are there before one is filled: tags name parents, children and best runs in any order.
    ids |= {run.run_id: _create(tracking, run, experiments) for run in store.runs if run.run_id not in known}
    missing = [run for run in store.runs if not _is_whole(known.get(run.run_id))]
    notes = [note for run in missing for note in _fill(tracking, run, ids)]
    brought = len(missing) - len(notes)
    return Migration(brought, len(store.runs) - len(missing), (*store.notes, *notes))


def _migrated(tracking: Tracking, experiment_id: str) -> list[Run]:
    return find_runs(tracking, [experiment_id], f"tags.{MIGRATED} LIKE '%'")


def _is_whole(run: Run | None) -> bool:
    return run is not None and run.data.tags.get(SYNCED) == "true"


def _create(tracking: Tracking, run: OldRun, experiments: Mapping[str, str]) -> str:
    tags = {name: run.tags[name] for name in _SAID_AT_BIRTH if name in run.tags} | {MIGRATED: run.run_id}
    made = tracking.client.create_run(experiments[run.experiment], run.start_ms, tags, run.name)
    return str(made.info.run_id)


def _fill(tracking: Tracking, run: OldRun, ids: Mapping[str, str]) -> list[str]:
    """Writes a run's contents; returns why it could not, if MLflow refuses the contents themselves."""
    from mlflow.exceptions import MlflowException

    run_id = ids[run.run_id]
    try:
        for name, folder in run.artifacts.items():
            tracking.client.log_artifacts(run_id, str(folder), name or None)
        if run.end_ms is None:
            tracking.client.update_run(run_id, status=run.status)
        else:
            tracking.client.set_terminated(run_id, status=run.status, end_time=run.end_ms)
        record = RunRecord(run.name, params=run.params, history=run.history)
        log_values(tracking, run_id, record, {**_tags(run, ids), SYNCED: "true"})
    except MlflowException as error:
        if error.error_code not in {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}:
            raise
        first = (str(error).splitlines() or [""])[0]
        tracking.client.delete_run(run_id)
        return [f"run {run.run_id} of {run.experiment}: left behind, MLflow refuses it ({first})"]
    return []


def _tags(run: OldRun, ids: Mapping[str, str]) -> dict[str, str]:
    def new_id(match: re.Match[str]) -> str:
        return ids.get(match[0], match[0])

    # Parents, best runs, the history of logged models: wherever an old run is named, the new one is meant.
    return {name: RUN_ID.sub(new_id, text) for name, text in run.tags.items() if name != "mlflow.runName"}
