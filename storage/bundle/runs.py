"""A study's MLflow runs as lines of JSON, with their files, and back into another record.

A run is named by its place, `study` or `trial_00012`: its id means nothing in another record. So tags that hold the
id of another run of the study become links by name, and those about the record itself are left out.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.bundle.members import ARTIFACTS, ordered
from storage.record.attached_files import fetch_artifacts
from storage.record.mirror import STUDY_RUN, TRIAL_RUN, run_status
from storage.record.reconcile import PARENT
from storage.record.run_record import SYNCED, HistoryPoint, RunRecord, log_values
from storage.record.study_runs import experiment_names, find_runs, of_study

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow import MlflowClient
    from mlflow.entities import Run
    from optuna.trial import FrozenTrial

    from storage.bundle.archive import BundleFile
    from storage.record.tracking import Tracking

STUDY_KEY = "study"
# The name is kept beside the tags; the history of logged models tells of files by the old run's id.
OWN_TAGS = frozenset({"mlflow.runName", "mlflow.log-model.history"})
LINKS = frozenset({PARENT, "best_run_id"})
RUN_FIELDS = frozenset(
    {"run", "experiment", "name", "status", "start_ms", "end_ms", "params", "metrics", "tags", "links"}
)


@dataclass(frozen=True)
class StudyRuns:
    """A study's runs, ready to be carried.

    Attributes:
        lines: One mapping for JSON a run, the study's own first.
        files: Their files by name in the bundle.
        keys: The run's name in the bundle by its id.
        unrecorded: How many finished trials have no whole run; a sync writes them from the ledger.
    """

    lines: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    unrecorded: int = 0


def collect_runs(
    tracking: Tracking, uid: str | None, trials: Sequence[FrozenTrial], folder: Path
) -> StudyRuns:
    """Reads a study's runs: its own, and a whole one of each finished trial.

    Args:
        tracking: The open record.
        uid: The study's lasting identity; None where it was never recorded.
        trials: All its trials.
        folder: Takes the runs' files.
    """
    if uid is None:
        return StudyRuns()
    experiments = experiment_names(tracking)
    runs = find_runs(tracking, list(experiments), of_study(uid))
    finished = [trial for trial in trials if trial.state.is_finished()]
    chosen = _choose(runs, finished)
    keys = {run.info.run_id: key for key, run in chosen.items()}
    files: dict[str, Path] = {}
    for run_id, key in keys.items():
        files |= _fetched(tracking, run_id, f"{ARTIFACTS}/{key}", folder)
    lines = [_line(tracking, run, keys, experiments) for run in chosen.values()]
    return StudyRuns(lines, files, keys, len(finished) - len(chosen.keys() - {STUDY_KEY}))


def trial_key(number: int) -> str:
    """Name of a trial's run in a bundle."""
    return f"trial_{number:05d}"


def _choose(runs: Sequence[Run], finished: Sequence[FrozenTrial]) -> dict[str, Run]:
    """Picks the study's run and, trial by trial, the first that was written to its end."""
    found: dict[str, Run] = {}
    for run in reversed(runs):
        tags = run.data.tags
        if tags.get("experiment_type") == STUDY_RUN:
            found[STUDY_KEY] = run
        elif tags.get("experiment_type") == TRIAL_RUN and tags.get(SYNCED) == "true":
            found[tags.get("optuna_trial", "")] = run
    pairs = [(trial_key(trial.number), trial, found.get(str(trial.number))) for trial in finished]
    own = {STUDY_KEY: found[STUDY_KEY]} if STUDY_KEY in found else {}
    return own | {key: run for key, t, run in pairs if run is not None and run.info.status == run_status(t)}


def _line(
    tracking: Tracking, run: Run, keys: Mapping[str, str], experiments: Mapping[str, str]
) -> dict[str, Any]:
    tags = {name: value for name, value in run.data.tags.items() if name not in OWN_TAGS}
    links = {name: keys[value] for name, value in tags.items() if value in keys}
    return {
        "run": keys[run.info.run_id],
        "experiment": experiments[run.info.experiment_id],
        "name": run.info.run_name,
        "status": run.info.status,
        "start_ms": run.info.start_time,
        "end_ms": run.info.end_time,
        "params": ordered(run.data.params),
        "metrics": _metrics(tracking.client, run),
        "tags": ordered({name: text for name, text in tags.items() if name not in LINKS | set(links)}),
        "links": ordered(links),
    }


def _metrics(client: MlflowClient, run: Run) -> list[list[Any]]:
    points = [
        # No sign of a zero, which SQLite does not keep either.
        [key, point.step, point.timestamp, point.value + 0.0]
        for key in sorted(run.data.metrics)
        for point in client.get_metric_history(run.info.run_id, key)
    ]
    return sorted(points, key=lambda point: (*point[:3], repr(point[3])))


def _fetched(tracking: Tracking, run_id: str, name: str, folder: Path) -> dict[str, Path]:
    if not tracking.client.list_artifacts(run_id):
        return {}
    top = folder / run_id
    top.mkdir(exist_ok=True)
    fetch_artifacts(tracking, run_id, top)
    paths = sorted(path for path in top.rglob("*") if path.is_file())
    return {f"{name}/{path.relative_to(top).as_posix()}": path for path in paths}


def restore_runs(
    tracking: Tracking,
    lines: Sequence[Mapping[str, Any]],
    bundle: BundleFile,
    experiment_ids: Mapping[str, str],
) -> dict[str, str]:
    """Writes the runs into a record, each marked as whole at its very end.

    Args:
        tracking: The open record.
        lines: What `collect_runs` gave.
        bundle: Where their files are.
        experiment_ids: Id of the experiment by its name.

    Returns:
        The id of each run by its name in the bundle.
    """
    ids = {line["run"]: _create(tracking, line, experiment_ids[line["experiment"]]) for line in lines}
    for line in lines:
        _restore_files(tracking, bundle, line["run"], ids[line["run"]])
        _fill(tracking, line, ids)
    return ids


def _create(tracking: Tracking, line: Mapping[str, Any], experiment_id: str) -> str:
    tags = {name: text for name, text in line["tags"].items() if name != SYNCED}
    run = tracking.client.create_run(experiment_id, line["start_ms"], tags, line["name"])
    return str(run.info.run_id)


def _restore_files(tracking: Tracking, bundle: BundleFile, key: str, run_id: str) -> None:
    members = bundle.below(f"{ARTIFACTS}/{key}")
    if not members:
        return
    with tempfile.TemporaryDirectory() as folder:
        for path, name in members.items():
            bundle.extract(name, Path(folder, path))
        tracking.client.log_artifacts(run_id, folder)


def _fill(tracking: Tracking, line: Mapping[str, Any], ids: Mapping[str, str]) -> None:
    run_id = ids[line["run"]]
    if line["end_ms"] is None:
        tracking.client.update_run(run_id, status=line["status"])
    else:
        tracking.client.set_terminated(run_id, status=line["status"], end_time=line["end_ms"])
    history = [HistoryPoint(key, step, value, stamp) for key, step, stamp, value in line["metrics"]]
    last = {name: ids[key] for name, key in line["links"].items() if key in ids}
    last |= {SYNCED: line["tags"][SYNCED]} if SYNCED in line["tags"] else {}
    log_values(tracking, run_id, RunRecord(line["name"], params=line["params"], history=history), last)
