"""Files that optuna-dashboard shows with a study or a trial, in the folder that it is given as `--artifact-dir`.

A finished trial takes no attributes any more, so its files are named by the study's, in the form that the dashboard
used before Optuna had artifacts, and still reads.
"""

from __future__ import annotations

import json
import mimetypes
import shutil
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from storage.atomic import temporary_save_path
from storage.dashboard.attributes import MAKER, OURS, STUDY_FILE, TRIAL_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from storage.layout import Layout


def store_file(
    layout: Layout, uid: str, role: str, path: Path, trial_id: int | None = None
) -> dict[str, str]:
    """Copies a file there and returns the attribute that names it.

    Args:
        layout: The project.
        uid: The study's lasting identity.
        role: What the file is; of one role a study has one file, whatever it is called.
        path: The file.
        trial_id: The ledger's id of the trial that it belongs to; None: the study.

    Raises:
        OSError: If it cannot be copied.
    """
    folder = layout.dashboard_artifacts
    folder.mkdir(parents=True, exist_ok=True)
    identity = str(uuid5(NAMESPACE_URL, f"{uid}/{role}"))
    with temporary_save_path(folder / identity) as temporary:
        shutil.copyfile(path, temporary)
    kind, encoding = mimetypes.guess_type(path.name)
    described = {
        "artifact_id": identity,
        "filename": path.name,
        "mimetype": kind or "application/octet-stream",
        "encoding": encoding,
        OURS: MAKER,
    }
    prefix = STUDY_FILE if trial_id is None else f"{TRIAL_FILE}{trial_id}:"
    return {prefix + identity: json.dumps(described)}
