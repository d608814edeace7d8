"""One MLflow run as a value, and the writing of it.

A run is written in three calls (create, end, one batch), and the tag `synced` is the last thing of all. So a
run without it was cut short, and whoever finds one may delete it and write it anew.
"""

from __future__ import annotations

import getpass
import posixpath
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from storage.record.mlflow_limits import LONGEST_KEY, LONGEST_PARAM, clean_tags, legal_keys, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlflow.entities import Metric, Param

    from storage.record.tracking import Tracking

SYNCED = "synced"
THINGS_PER_BATCH = 1_000
PARAMS_PER_BATCH = TAGS_PER_BATCH = 100
# Beside a batch's parameters and the last tag.
METRICS_PER_BATCH = 899

Item = TypeVar("Item")


class HistoryPoint(NamedTuple):
    """One value of a metric's curve."""

    key: str
    step: int
    value: float
    timestamp_ms: int


@dataclass(frozen=True)
class RunRecord:
    """What MLflow shall know of one run.

    Names and texts may be anything; what MLflow would refuse is replaced or cut when written.

    Attributes:
        name: The run's name.
        status: FINISHED, FAILED, KILLED, or RUNNING for one that is to be ended later.
        start_ms: Start in milliseconds since 1970 UTC; None means now.
        end_ms: End in the same unit; None means now, or none while it is RUNNING.
        params: Values of any type; lists and mappings become JSON.
        metrics: Final values; not-a-number and infinities are allowed.
        history: Curves, any number of points.
        tags: Texts.
    """

    name: str
    status: str = "FINISHED"
    start_ms: int | None = None
    end_ms: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    history: Sequence[HistoryPoint] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def write_run(tracking: Tracking, experiment_id: str, record: RunRecord) -> str:
    """Writes a run that has ended and returns its id.

    Raises:
        mlflow.exceptions.MlflowException: If the database or server refuses; a half-written run may be left.
    """
    run_id = create_run(tracking, experiment_id, record)
    # Ended before it has its values: the batch must come last, because it brings the mark that all is there.
    tracking.client.set_terminated(run_id, status=record.status, end_time=record.end_ms)
    log_values(tracking, run_id, record, {SYNCED: "true"})
    return run_id


def record_run(
    tracking: Tracking, experiment_id: str, record: RunRecord, artifacts: Mapping[str, Path] | None = None
) -> str:
    """Writes a single run with its files and returns its id.

    Args:
        tracking: The open record.
        experiment_id: Where the run goes.
        record: The run.
        artifacts: Files and folders by the path they get among the run's artifacts.
    """
    run_id = write_run(tracking, experiment_id, record)
    for name, path in (artifacts or {}).items():
        log_path(tracking, run_id, name, path)
    return run_id


def create_run(tracking: Tracking, experiment_id: str, record: RunRecord) -> str:
    """Creates a run with the record's name, start and tags only, and returns its id."""
    run = tracking.client.create_run(
        experiment_id, record.start_ms, first_tags(record), record.name[:LONGEST_KEY]
    )
    return str(run.info.run_id)


def first_tags(record: RunRecord) -> dict[str, str]:
    """Returns the tags a run is created with: the record's, and where it came from."""
    tags = {"mlflow.user": user_name(), "mlflow.source.name": Path(sys.argv[0]).name or "python"}
    tags |= {"mlflow.source.type": "LOCAL"} | clean_tags(record.tags)
    # A run named by tag as well, and differently, is refused.
    tags.pop("mlflow.runName", None)
    return tags


def log_values(tracking: Tracking, run_id: str, record: RunRecord, last_tags: Mapping[str, str]) -> None:
    """Writes a record's parameters, metrics and curves into a run, then the given tags."""
    from mlflow.entities import RunTag

    batches = _batches(record)
    for params, metrics in batches[:-1]:
        tracking.client.log_batch(run_id, metrics, params)
    params, metrics = batches[-1]
    tags = [RunTag(key, value) for key, value in clean_tags(last_tags).items()]
    room = min(TAGS_PER_BATCH, THINGS_PER_BATCH - len(params) - len(metrics))
    for some in _chunks(tags[:-room], TAGS_PER_BATCH):
        tracking.client.log_batch(run_id, tags=some)
    # Within one batch the store writes parameters, metrics and tags in this order.
    tracking.client.log_batch(run_id, metrics, params, tags[-room:])


def log_path(tracking: Tracking, run_id: str, name: str, path: Path) -> None:
    """Stores a file or folder among a run's artifacts.

    Args:
        tracking: The open record.
        run_id: The run.
        name: Path it gets there, such as `plots/history.html`; need not end in the file's own name.
        path: The file or folder.
    """
    if path.is_dir():
        tracking.client.log_artifacts(run_id, str(path), name)
        return
    parent, wanted = posixpath.split(name)
    if wanted == path.name:
        tracking.client.log_artifact(run_id, str(path), parent or None)
        return
    _log_renamed(tracking, run_id, parent, path, wanted)


def _batches(record: RunRecord) -> list[tuple[list[Param], list[Metric]]]:
    from mlflow.entities import Param

    params = [Param(key, text(v, LONGEST_PARAM)) for key, v in legal_keys(record.params).items()]
    chunks = zip_longest(_chunks(params, PARAMS_PER_BATCH), _chunks(_metrics(record), METRICS_PER_BATCH))
    return [(some_params or [], some_metrics or []) for some_params, some_metrics in chunks] or [([], [])]


def _metrics(record: RunRecord) -> list[Metric]:
    from mlflow.entities import Metric

    return [Metric(*point) for point in metric_points(record)]


def metric_points(record: RunRecord) -> list[tuple[str, float, int, int]]:
    """Returns a record's metrics and curves as MLflow takes them: (legal key, value, timestamp in ms, step)."""
    stamp = record.end_ms if record.end_ms is not None else int(time() * 1000)
    final = [(key, float(value), stamp, 0) for key, value in legal_keys(record.metrics).items()]
    names = legal_keys({point.key: point.key for point in record.history})
    legal = {original: key for key, original in names.items()}
    curve = [(legal[p.key], float(p.value), p.timestamp_ms, p.step) for p in record.history]
    return final + curve


def _chunks(items: list[Item], size: int) -> Iterator[list[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _log_renamed(tracking: Tracking, run_id: str, parent: str, path: Path, wanted: str) -> None:
    # MLflow keeps the local file's name, so the file must have the wanted one for a moment.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, wanted)
        shutil.copyfile(path, copy)
        tracking.client.log_artifact(run_id, str(copy), parent or None)


def user_name() -> str:
    """Returns the user's name, which in a container there may not be."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
