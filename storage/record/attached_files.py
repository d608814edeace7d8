"""Files of a trial among a run's artifacts, and whether all of them are still there.

After the last file comes a tag that lists what was stored, so that an upload cut short, a file deleted since,
and files of an earlier best trial are told apart from the right ones without reading any.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from storage.record.run_record import RunRecord, log_path, log_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlflow.entities import FileInfo

    from storage.record.tracking import Tracking

ATTACHED = "attached"
_HALF_UPLOADED = shutil.ignore_patterns(".artifact.uploading.*")


def attach_files(tracking: Tracking, run_id: str, number: int, files: Mapping[str, Path]) -> None:
    """Stores a trial's files and folders with a run.

    Args:
        tracking: The open record.
        run_id: The trial's run, or its study's.
        number: The trial's number.
        files: Files and folders by the path they get among the artifacts, such as `model`.
    """
    for name, path in files.items():
        log_path(tracking, run_id, name, path)
    note = {"trial": number, "names": sorted(files), "listing": _digest(tracking, run_id, files)}
    log_values(tracking, run_id, RunRecord(name=""), {ATTACHED: json.dumps(note)})


def file_differences(tracking: Tracking, run_id: str, number: int) -> Iterator[str]:
    """Yields, in words, what is wrong with a trial's files on a run; nothing where all are there."""
    try:
        note = json.loads(tracking.client.get_run(run_id).data.tags.get(ATTACHED, "{}"))
        owner, names, listing = note.get("trial"), note.get("names", []), note.get("listing")
    except (ValueError, AttributeError):
        owner, names, listing = None, [], None
    if owner != number:
        yield f"files are of {'no trial' if owner is None else f'trial {owner}'}, the best is trial {number}"
    elif _digest(tracking, run_id, names) != listing:
        yield f"files of trial {number} ({', '.join(names)}) are not all there"


def copy_artifacts(tracking: Tracking, source: str, target: str) -> None:
    """Copies all artifacts of one run to another."""
    if not tracking.client.list_artifacts(source):
        return
    with tempfile.TemporaryDirectory() as folder:
        fetch_artifacts(tracking, source, Path(folder))
        tracking.client.log_artifacts(target, folder)


def fetch_artifacts(tracking: Tracking, run_id: str, folder: Path) -> None:
    """Copies all artifacts of a run into a folder that is there."""
    from mlflow.utils.file_utils import local_file_uri_to_path
    from mlflow.utils.uri import is_local_uri

    uri = tracking.client.get_run(run_id).info.artifact_uri
    if is_local_uri(uri):  # type: ignore[no-untyped-call]
        # MLflow undoes escapes such as %20 in what it is asked for, and does not find a file with one in its name.
        store = local_file_uri_to_path(uri)  # type: ignore[no-untyped-call]
        shutil.copytree(store, folder, ignore=_HALF_UPLOADED, dirs_exist_ok=True)
    else:
        # The tree as a whole: a single file arrives under its own name, whatever folder it was in.
        tracking.client.download_artifacts(run_id, "", str(folder))


def _digest(tracking: Tracking, run_id: str, names: Iterable[str]) -> str:
    wanted = set(names)
    top = {name.split("/")[0] for name in wanted}
    lines = [
        f"{file.path}\t{file.file_size}"
        for item in tracking.client.list_artifacts(run_id)
        if item.path in top
        for file in _files(tracking, run_id, item)
        if any(file.path == name or file.path.startswith(f"{name}/") for name in wanted)
    ]
    return hashlib.blake2b("\n".join(sorted(lines)).encode(), digest_size=8).hexdigest()


def _files(tracking: Tracking, run_id: str, item: FileInfo) -> Iterator[FileInfo]:
    if not item.is_dir:
        yield item
        return
    for inner in tracking.client.list_artifacts(run_id, item.path):
        yield from _files(tracking, run_id, inner)
