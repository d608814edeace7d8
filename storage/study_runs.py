"""The runs of one study: how they are found again, and the one above the others."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from storage.mirror import STUDY_RUN, TRIAL_RUN, UID
from storage.run_record import RunRecord, create_run, log_values, user_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlflow.entities import Run
    from optuna.study import Study

    from storage.tracking import Tracking

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


def find_runs(tracking: Tracking, experiment_id: str, filter_string: str) -> list[Run]:
    """Returns all active runs that match a filter, oldest first."""
    runs: list[Run] = []
    token: str | None = None
    while True:
        page = tracking.client.search_runs(
            [experiment_id],
            filter_string,
            max_results=PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        runs += page
        token = page.token
        if not token:
            return runs


def of_study(uid: str) -> str:
    """Filter for everything that belongs to a study."""
    return f"tags.optuna_study_uid = '{uid}'"


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
    uid = attributes[UID]
    found = find_runs(tracking, experiment_id, f"{of_study(uid)} AND tags.experiment_type = '{STUDY_RUN}'")
    if found:
        return str(found[0].info.run_id)
    own = {
        "experiment_type": STUDY_RUN,
        "optuna_study": study_name,
        "optuna_study_uid": uid,
        "status": "running",
    }
    record = RunRecord(name=study_name, tags={**tags, **attributes.get("run_tags", {}), **own})
    run_id = create_run(tracking, experiment_id, record)
    log_values(tracking, run_id, RunRecord(name=study_name, params=attributes.get("run_params", {})), {})
    return run_id
