"""What a promoted submission is and where it came from, in a JSON file beside it."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.atomic import temporary_save_path
from storage.submission.writing import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED_FIELDS = ("study", "trial", "run_id", "score", "std", "data_fingerprint")
"""What the caller must state; the rest is found out here."""

_PACKAGES = ("optuna", "mlflow", "lightgbm", "scikit-learn", "pandas", "numpy")
_GIT_SECONDS = 10.0


def write_promotion_record(submission: Path, record: Mapping[str, Any]) -> Path:
    """Writes the record of a promoted submission beside it: same stem, `.json`.

    Args:
        submission: The written submission file.
        record: `REQUIRED_FIELDS` and whatever else is worth stating; values that JSON knows, no NaN.

    Returns:
        The record's path.

    Raises:
        ValueError: If a required field is missing or a number is not finite.
        OSError: If the submission cannot be read or the record not written.
    """
    missing = [field for field in REQUIRED_FIELDS if field not in record]
    if missing:
        raise ValueError(
            f"promotion record: got no {', '.join(missing)}; needed: {', '.join(REQUIRED_FIELDS)}; state them"
        )
    path = submission.with_suffix(".json")
    text = json.dumps({**record, **_circumstances(submission)}, indent=2, ensure_ascii=False, allow_nan=False)
    with temporary_save_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path


def promotion_tags(folder: Path, study: str) -> dict[int, dict[str, str]]:
    """Returns the tags that promotions gave to a study's runs, by trial number.

    Args:
        folder: Where promoted submissions and their records are.
        study: The study's name.
    """
    tags: dict[int, dict[str, str]] = {}
    for path in sorted(folder.glob("submission_*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["study"] == study:
                sha256 = str(record["sha256"])
                tags[int(record["trial"])] = {"status": "promoted", "submission_sha256": sha256}
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a record of ours
    return tags


def free_submission_path(folder: Path, now: datetime) -> Path:
    """Returns a path in a folder that neither a submission nor a record has.

    Two promotions within a second get `submission_<time>.csv` and `submission_<time>_2.csv`.
    """
    first = folder / timestamped_name(now)
    path, attempt = first, 1
    while path.exists() or path.with_suffix(".json").exists():
        attempt += 1
        path = first.with_stem(f"{first.stem}_{attempt}")
    return path


def timestamped_name(now: datetime) -> str:
    """Returns `submission_<YYYYmmdd_HHMMSS>.csv`, in the time zone of the moment given."""
    return f"submission_{now:%Y%m%d_%H%M%S}.csv"


def package_versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages a score depends on, as far as installed."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_commit(folder: Path) -> str | None:
    """Returns the commit checked out in a folder, or None where there is no git or no commit."""
    return _git(folder, "rev-parse", "--verify", "HEAD") or None


def git_is_dirty(folder: Path) -> bool | None:
    """Returns whether tracked files of a folder differ from its commit, None where there is no git."""
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return None if changes is None else bool(changes)


def _circumstances(submission: Path) -> dict[str, Any]:
    return {
        "file": submission.name,
        "sha256": sha256_of(submission),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "packages": package_versions(),
        "git_commit": git_commit(Path.cwd()),
        "git_dirty": git_is_dirty(Path.cwd()),
    }


def _git(folder: Path, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    command = [program, "-C", str(folder), *arguments]
    try:
        # A fixed program and fixed arguments; the folder is never a shell word.
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
