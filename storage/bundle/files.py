"""A study's files outside of MLflow: predictions, kept models, submissions with their records."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.atomic import temporary_save_path
from storage.bundle.members import PREDICTIONS, SUBMISSIONS
from storage.layout import folder_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.bundle.archive import BundleFile, Source
    from storage.layout import Layout


def prediction_files(layout: Layout, study: str) -> dict[str, Path]:
    """Returns a study's predictions and kept models by name in the bundle; half-written files stay behind."""
    folder = layout.predictions(study)
    paths = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        f"{PREDICTIONS}/{relative.as_posix()}": path
        for relative, path in sorted(paths.items())
        if not any(part.startswith(".") for part in relative.parts)
    }


def submission_files(layout: Layout, study: str, run_keys: Mapping[str, str]) -> dict[str, Source]:
    """Returns a study's submissions and their records by name in the bundle.

    Args:
        layout: The project.
        study: Its name.
        run_keys: The runs' names in the bundle by their ids, which stand in the records.
    """
    files: dict[str, Source] = {}
    for path in sorted(layout.submissions.glob("*")):
        if path.is_file() and _of_best(study).fullmatch(path.name):
            files[f"{SUBMISSIONS}/{path.name}"] = path
        elif path.suffix == ".json" and (record := _record(path, study)) is not None:
            files[f"{SUBMISSIONS}/{path.name}"] = _record_bytes(record, run_keys)
            files |= {f"{SUBMISSIONS}/{csv.name}": csv for csv in [path.with_suffix(".csv")] if csv.is_file()}
    return files


def _of_best(study: str) -> re.Pattern[str]:
    made_of = r"trial_\d{5,}(_\w+)?|blend|stopgap"
    return re.compile(rf"submission_{re.escape(folder_name(study))}_({made_of})(_\d+)?\.csv")


def _record(path: Path, study: str) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("study") == study else None


def _record_bytes(record: Mapping[str, Any], run_names: Mapping[str, str]) -> bytes:
    run = record.get("run_id")
    renamed = {**record, "run_id": run_names.get(run, run)} if isinstance(run, str) else record
    # As the record's own writer formats it, so that a carried one is the same file.
    return (json.dumps(renamed, indent=2, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True)
class FilePlan:
    """Where a bundle's files go.

    Attributes:
        predictions: The study's folder; must not be there.
        submissions: Final path by name in the bundle; none of them is there.
    """

    predictions: Path
    submissions: Mapping[str, Path]


def plan_files(bundle: BundleFile, layout: Layout, old: str, new: str) -> FilePlan:
    """Chooses where a bundle's files go; a submission whose name is taken gets a free one.

    Args:
        bundle: The bundle.
        layout: The project they go to.
        old: The study's name in the bundle.
        new: Its name here.
    """
    paths: dict[str, Path] = {}
    stems: dict[str, str] = {}
    for name, member in bundle.below(SUBMISSIONS).items():
        wanted = Path(name)
        if _of_best(old).fullmatch(name):
            own = f"submission_{folder_name(old)}_"
            wanted = Path(name.replace(own, f"submission_{folder_name(new)}_", 1))
        # A submission and its record keep one stem.
        stem = stems.setdefault(wanted.stem, _free_stem(layout.submissions, wanted.stem))
        paths[member] = layout.submissions / f"{stem}{wanted.suffix}"
    return FilePlan(layout.predictions(new), paths)


def _free_stem(folder: Path, stem: str) -> str:
    free, attempt = stem, 1
    while any((folder / f"{free}{suffix}").exists() for suffix in (".csv", ".json")):
        attempt += 1
        free = f"{stem}_{attempt}"
    return free


def restore_predictions(bundle: BundleFile, plan: FilePlan, staging: Path) -> None:
    """Unpacks predictions and kept models beside their place, then moves them there.

    Args:
        bundle: The bundle.
        plan: Where its files go.
        staging: A folder beside, which must not be there.
    """
    members = bundle.below(PREDICTIONS)
    if not members:
        return
    for path, name in members.items():
        bundle.extract(name, staging / path)
    staging.rename(plan.predictions)


def restore_submissions(bundle: BundleFile, plan: FilePlan, study: str, run_ids: Mapping[str, str]) -> None:
    """Unpacks the submissions; their records name the study, the file and the run as they are here."""
    for name, path in plan.submissions.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        data = bundle.read(name)
        if path.suffix == ".json":
            record = json.loads(data) | {"study": study}
            if "file" in record:
                record["file"] = path.with_suffix(".csv").name
            data = _record_bytes(record, run_ids)
        with temporary_save_path(path) as temporary:
            temporary.write_bytes(data)
