"""Reads MLflow's old file store, `mlruns/<experiment>/<run>/meta.yaml` and what lies beside; writes nothing.

MLflow's own reader makes folders where it misses them, so the files are read here: a value is the text of a file
named like it, a metric one line for each point.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from storage.record.run_record import HistoryPoint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
TRASH = ".trash"
REGISTRY = "models"
RUN_ID = re.compile(r"[0-9a-f]{32}")

_POINT = re.compile(r"(?P<time>\d+) (?P<value>\S+)(?: (?P<step>-?\d+)(?: \S+){0,3})?")


class OldStoreError(Exception):
    """There is no old file store to read; the message says got, allowed, do."""


class _MalformedError(Exception):
    """One experiment or run cannot be understood."""


@dataclass(frozen=True)
class OldRun:
    """A run of the old store.

    Attributes:
        run_id: Its id there.
        experiment: Name of its experiment.
        name: Its own name.
        status: RUNNING, SCHEDULED, FINISHED, FAILED or KILLED.
        start_ms: Start in milliseconds since 1970 UTC.
        end_ms: End in the same unit; None where it never ended.
        params: Texts.
        history: All points of all metrics.
        tags: Texts.
        artifacts: Folders of files, by the path these get among the run's artifacts; "" is the top.
    """

    run_id: str
    experiment: str
    name: str
    status: str
    start_ms: int
    end_ms: int | None
    params: Mapping[str, str]
    history: tuple[HistoryPoint, ...]
    tags: Mapping[str, str]
    artifacts: Mapping[str, Path]


@dataclass(frozen=True)
class OldStore:
    """What was read.

    Attributes:
        runs: The runs, experiment by experiment.
        notes: What is left behind and why, one line each.
    """

    runs: tuple[OldRun, ...]
    notes: tuple[str, ...]


def read_file_store(folder: Path, experiments: Collection[str] = ()) -> OldStore:
    """Reads an old `mlruns` folder.

    Args:
        folder: The folder, wherever it was moved.
        experiments: Names of those wanted; empty: all.

    Raises:
        OldStoreError: If it is no such folder, or has none of the experiments.
    """
    places = sorted(path.parent for path in folder.glob("*/meta.yaml") if path.parent.name != REGISTRY)
    if not places:
        raise OldStoreError(
            f"got {folder}, in which no experiment is; allowed: an old mlruns folder, with <experiment id>/meta.yaml "
            "in it; do: name that folder"
        )
    notes = list(_left_behind(folder))
    runs: list[OldRun] = []
    known = []
    for place in places:
        try:
            meta = _meta(place)
            known.append(_text(meta, "name"))
        except _MalformedError as error:
            notes.append(f"experiment {place.name}: left behind, {error}")
            continue
        if meta.get("lifecycle_stage") == "deleted":
            notes.append(f"experiment {known[-1]}: left behind, it was deleted")
        elif not experiments or known[-1] in experiments:
            some, more = _read_experiment(place, known[-1])
            runs, notes = [*runs, *some], [*notes, *more]
    if missing := sorted(set(experiments) - set(known)):
        raise OldStoreError(
            f"--experiment: got {', '.join(missing)}; allowed: {', '.join(sorted(known))}; do: choose among these"
        )
    return OldStore(tuple(runs), tuple(notes))


def _left_behind(folder: Path) -> Iterator[str]:
    for path in sorted((folder / TRASH).glob("*/meta.yaml")):
        yield f"experiment {path.parent.name}: left behind, it is in the trash"
    for path in sorted((folder / REGISTRY).glob("*/meta.yaml")):
        yield f"registered model {path.parent.name}: left behind; its runs and their files are brought over"


def _read_experiment(place: Path, name: str) -> tuple[list[OldRun], list[str]]:
    runs, notes = [], []
    models = _logged_models(place)
    for folder in sorted(path for path in place.iterdir() if path.is_dir()):
        if not (RUN_ID.fullmatch(folder.name) or _is_run(folder)):
            continue
        try:
            run = _read_run(folder, name, models.get(folder.name, {}))
        except _MalformedError as error:
            notes.append(f"run {folder.name} of {name}: left behind, {error}")
            continue
        if isinstance(run, str):
            notes.append(f"run {folder.name} of {name}: {run}")
        else:
            runs.append(run)
            notes += _artifact_notes(folder, run)
    return runs, notes


def _is_run(folder: Path) -> bool:
    return (folder / "meta.yaml").is_file() and (folder / "metrics").is_dir()


def _read_run(folder: Path, experiment: str, models: Mapping[str, Path]) -> OldRun | str:
    meta = _meta(folder)
    if meta.get("lifecycle_stage") == "deleted":
        return "left behind, it was deleted"
    tags = _texts(folder / "tags")
    status, end = meta.get("status"), meta.get("end_time")
    if status not in STATUSES:
        raise _MalformedError(f"its status is {status!r}")
    return OldRun(
        run_id=folder.name,
        experiment=experiment,
        name=str(meta.get("run_name") or tags.get("mlflow.runName") or f"run_{folder.name[:8]}"),
        status=STATUSES[status],
        start_ms=_moment(meta, "start_time"),
        end_ms=None if end is None else _moment(meta, "end_time"),
        params=_texts(folder / "params"),
        history=tuple(_points(folder / "metrics")),
        tags=tags,
        artifacts=_artifacts(folder, meta) | dict(models),
    )


def _meta(folder: Path) -> dict[str, Any]:
    import yaml

    try:
        meta = yaml.safe_load((folder / "meta.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise _MalformedError(f"its meta.yaml cannot be read ({first})") from None
    if not isinstance(meta, dict):
        raise _MalformedError("its meta.yaml holds no fields")
    return meta


def _text(meta: Mapping[str, Any], key: str) -> str:
    if not meta.get(key):
        raise _MalformedError(f"its meta.yaml has no {key}")
    return str(meta[key])


def _moment(meta: Mapping[str, Any], key: str) -> int:
    value = meta.get(key)
    if not isinstance(value, int):
        raise _MalformedError(f"its {key} is {value!r}")
    return value


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    # A name with slashes is a path of folders.
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _texts(folder: Path) -> dict[str, str]:
    return {name: _read(path) for name, path in _files(folder)}


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise _MalformedError(f"{path.parent.name}/{path.name} cannot be read ({error})") from None


def _points(folder: Path) -> list[HistoryPoint]:
    points = [
        _point(name, line) for name, path in _files(folder) for line in _read(path).splitlines() if line
    ]
    # MLflow wrote some points twice; its database holds each but once.
    return list({repr(point): point for point in points}.values())


def _point(name: str, line: str) -> HistoryPoint:
    # Time and value; then the step, and in later releases a data set and a model.
    match = _POINT.fullmatch(line)
    if match is None:
        raise _MalformedError(f"metric {name} has the line {line[:80]!r}")
    try:
        return HistoryPoint(name, int(match["step"] or 0), float(match["value"]), int(match["time"]))
    except ValueError:
        raise _MalformedError(f"metric {name} has the line {line[:80]!r}") from None


def _artifacts(folder: Path, meta: Mapping[str, Any]) -> dict[str, Path]:
    # The address is where the files were when they were written; beside the run is where they are now.
    beside = folder / "artifacts"
    place = beside if beside.is_dir() else _local_path(str(meta.get("artifact_uri") or ""))
    return {"": place} if place is not None and place.is_dir() and any(place.iterdir()) else {}


def _local_path(uri: str) -> Path | None:
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme in {"", "file"} and parts.path else None


def _artifact_notes(folder: Path, run: OldRun) -> Iterator[str]:
    uri = str(_meta(folder).get("artifact_uri") or "")
    if not run.artifacts and _local_path(uri) is None and uri:
        yield f"run {run.run_id} of {run.experiment}: brought over without its files, which are at {uri}"


def _logged_models(place: Path) -> dict[str, dict[str, Path]]:
    """Finds, by run and name, the models that MLflow 3 keeps beside the runs."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted((place / REGISTRY).glob("*/meta.yaml")):
        try:
            meta = _meta(path.parent)
        except _MalformedError:
            continue
        if (path.parent / "artifacts").is_dir() and meta.get("source_run_id"):
            name = str(meta.get("name") or path.parent.name)
            found.setdefault(str(meta["source_run_id"]), {})[name] = path.parent / "artifacts"
    return found
