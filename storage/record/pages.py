"""Addresses of a study's runs in MLflow's own pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from storage.record.run_record import SYNCED
from storage.record.study_runs import find_runs, of_study

if TYPE_CHECKING:
    from collections.abc import Collection

    from optuna.study import Study

    from storage.mlflow_callback import MLflowCallback

LOCAL_PAGES = "http://127.0.0.1:5000"
"""Where plain `mlflow ui --port 5000` serves a record that is a file."""
_FEW = 12
"""So many runs are asked for one by one; of more, all of the study's at once."""


@dataclass(frozen=True)
class RunPage:
    """One run.

    Attributes:
        run_id: Its id.
        url: Its page.
    """

    run_id: str
    url: str


@dataclass(frozen=True)
class StudyPages:
    """The runs of a study.

    Attributes:
        study: Its own.
        trials: Those asked for that are recorded, by trial number.
    """

    study: RunPage
    trials: dict[int, RunPage]


def study_pages(callback: MLflowCallback, study: Study, numbers: Collection[int]) -> StudyPages:
    """Finds the pages of a study's run and of some of its trials'; raises what MLflow raises."""
    record = callback._record_of(study)  # noqa: SLF001 - of the same package
    base = pages_address(record.tracking.uri)
    ids = {number: record.runs.ids[number] for number in numbers if number in record.runs.ids}
    missing = [number for number in numbers if number not in ids]
    wanted = set(missing)
    if len(missing) > _FEW:
        for run in find_runs(record.tracking, [record.experiment_id], of_study(record.uid)):
            trial = run.data.tags.get("optuna_trial", "")
            if trial.isdigit() and int(trial) in wanted and run.data.tags.get(SYNCED) == "true":
                ids[int(trial)] = run.info.run_id
    else:
        for number in missing:
            try:
                ids[number] = record.runs.run_id(number)
            except LookupError:
                continue
    where = f"{base}/#/experiments/{record.experiment_id}/runs/"
    pages = {number: RunPage(ids[number], where + ids[number]) for number in numbers if number in ids}
    return StudyPages(RunPage(record.parent_run_id, where + record.parent_run_id), pages)


def has_study_file(callback: MLflowCallback, study: Study, name: str) -> bool:
    """Whether a file is among the artifacts of the study's run; raises what MLflow raises."""
    record = callback._record_of(study)  # noqa: SLF001 - of the same package
    return any(item.path == name for item in record.tracking.client.list_artifacts(record.parent_run_id))


def pages_address(tracking_uri: str) -> str:
    """Where a record's pages are; a name and password in its address are left out."""
    parts = urlsplit(tracking_uri)
    if parts.scheme not in {"http", "https"}:
        return LOCAL_PAGES
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
