"""The runs of one study: how they are found again, and the one above the others."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from storage.record.mirror import STUDY_RUN, TRIAL_RUN, UID, figure_tags
from storage.record.run_record import RunRecord, create_run, log_values, user_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlflow.entities import Run
    from optuna.study import Study

    from storage.record.tracking import Tracking

PAGE = 1_000
GUARD_TIMEOUT_SECONDS = 120


@contextmanager
def one_at_a_time(study_name: str) -> Iterator[None]:
    """Keeps the processes of one user and machine from creating a study's identity or run twice."""
    from filelock import FileLock

    # Named by user: another user's lock file in the shared folder could not be opened.
    digest = hashlib.sha256(f"{user_name()}\0{study_name}".encode()).hexdigest()[:24]
    path = Path(tempfile.gettempdir(), f"study-run-{digest}.lock")
    with FileLock(path, timeout=GUARD_TIMEOUT_SECONDS):
        yield


def study_uid(study: Study) -> str:
    """Returns the study's lasting identity, giving it one if it has none."""
    uid = study.user_attrs.get(UID)
    if not uid:
        uid = uuid4().hex
        study.set_user_attr(UID, uid)
    return str(uid)


def experiment_names(tracking: Tracking) -> dict[str, str]:
    """Returns the names of all active experiments by id."""
    found: dict[str, str] = {}
    token: str | None = None
    while True:
        page = tracking.client.search_experiments(max_results=PAGE, page_token=token)
        found |= {str(experiment.experiment_id): experiment.name for experiment in page}
        token = page.token
        if not token:
            return found


def find_runs_anywhere(tracking: Tracking, filter_string: str) -> list[Run]:
    """Returns all active runs of all active experiments that match a filter, oldest first."""
    return find_runs(tracking, list(experiment_names(tracking)), filter_string)


def find_runs(tracking: Tracking, experiment_ids: Sequence[str], filter_string: str) -> list[Run]:
    """Returns all active runs of some experiments that match a filter, oldest first."""
    runs: list[Run] = []
    token: str | None = None
    while experiment_ids:
        page = tracking.client.search_runs(
            list(experiment_ids),
            filter_string,
            max_results=PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        runs += page
        token = page.token
        if not token:
            break
    return runs


def of_study(uid: str) -> str:
    """Filter for everything that belongs to a study."""
    return f"tags.optuna_study_uid = '{uid}'"


def of_parents(uid: str) -> str:
    """Filter for the study's own run, of which there should be one."""
    return f"{of_study(uid)} AND tags.experiment_type = '{STUDY_RUN}'"


def of_trial(uid: str, number: int) -> str:
    """Filter for the run or runs of one trial."""
    return f"{of_study(uid)} AND tags.optuna_trial = '{number}' AND tags.experiment_type = '{TRIAL_RUN}'"


def ensure_parent(
    tracking: Tracking,
    experiment_id: str,
    study_name: str,
    attributes: Mapping[str, Any],
    tags: Mapping[str, Any],
) -> str:
    """Returns the id of the study's run, made if there is none.

    Args:
        tracking: The open record.
        experiment_id: Where the study's runs are.
        study_name: Name of a new run.
        attributes: The study's user attributes, `uid` among them.
        tags: Further tags of a new run.
    """
    found = find_runs(tracking, [experiment_id], of_parents(attributes[UID]))
    if not found:
        _create_parent(tracking, experiment_id, study_name, attributes, tags)
        found = find_runs(tracking, [experiment_id], of_parents(attributes[UID]))
    run, *others = found
    for other in others:
        _delete_childless(tracking, experiment_id, other.info.run_id)
    # It may have been cut short between its creation and these.
    missing = {k: v for k, v in attributes.get("run_params", {}).items() if k not in run.data.params}
    if missing:
        log_values(tracking, run.info.run_id, RunRecord(name=study_name, params=missing), {})
    return str(run.info.run_id)


def delete_echoes(tracking: Tracking, experiment_id: str, uid: str, run_ids: Mapping[int, str]) -> None:
    """Deletes empty second runs of trials that are recorded.

    They come about when the answer to a create was lost and MLflow's client asked again by itself.

    Args:
        tracking: The open record.
        experiment_id: Where the study's runs are.
        uid: The study's identity.
        run_ids: The right run of each trial recorded.
    """
    kind = f"tags.experiment_type = '{TRIAL_RUN}' AND attributes.status = 'RUNNING'"
    right = {str(number): run_id for number, run_id in run_ids.items()}
    for run in find_runs(tracking, [experiment_id], f"{of_study(uid)} AND {kind}"):
        if right.get(run.data.tags.get("optuna_trial", ""), run.info.run_id) != run.info.run_id:
            tracking.client.delete_run(run.info.run_id)


def parent_record(study_name: str, attributes: Mapping[str, Any], tags: Mapping[str, Any]) -> RunRecord:
    """Returns what the study's own run has from its beginning; arguments as for `ensure_parent`."""
    own = {
        "experiment_type": STUDY_RUN,
        "optuna_study": study_name,
        "optuna_study_uid": attributes[UID],
        "status": "running",
    }
    tags = {**tags, **attributes.get("run_tags", {}), **figure_tags(attributes, "study"), **own}
    return RunRecord(name=study_name, params=attributes.get("run_params", {}), tags=tags)


def _create_parent(
    tracking: Tracking,
    experiment_id: str,
    study_name: str,
    attributes: Mapping[str, Any],
    tags: Mapping[str, Any],
) -> None:
    record = replace(parent_record(study_name, attributes, tags), params={})
    create_run(tracking, experiment_id, record)


def _delete_childless(tracking: Tracking, experiment_id: str, run_id: str) -> None:
    # A second parent comes about when the answer to a create was lost and it was asked for again.
    children = f"tags.mlflow.parentRunId = '{run_id}'"
    if not tracking.client.search_runs([experiment_id], children, max_results=1):
        tracking.client.delete_run(run_id)
