"""What made each submission file, by the file's checksum, and the format each was checked against.

One small file a submission, each written whole: two commands that write at once do not meet, and what a killed
command leaves is right as far as it goes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.atomic import temporary_save_path
from storage.promotion_record import git_commit, git_is_dirty, package_versions
from storage.submission.form import Wanted
from storage.submission.reading import read_format
from storage.submission.writing import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.layout import Layout
    from storage.submission.form import SubmissionFormat

ORIGINS = "origins"
_SAME = ("kind", "study", "trial", "run", "run_id")


def remember(layout: Layout, submission: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Remembers what made a submission; again, or of another origin with the same bytes, does no harm.

    Args:
        layout: The project.
        submission: The written file.
        facts: What made it: values that JSON knows.

    Returns:
        The record.

    Raises:
        OSError: If the file cannot be read or the record not written.
    """
    from filelock import FileLock

    sha256 = sha256_of(submission)
    path = layout.submission_record(sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    origin = {**facts, "file": submission.name, **_circumstances()}
    with FileLock(path.parent / ".lock"):
        record = find_record(layout, sha256) or {"sha256": sha256, ORIGINS: []}
        others = [known for known in record[ORIGINS] if not _is_same(known, origin)]
        # The first writing counts: what is written again is the same bytes from other code, perhaps.
        first: Mapping[str, Any] = next((known for known in record[ORIGINS] if _is_same(known, origin)), {})
        record[ORIGINS] = [*others, {**origin, **{key: first[key] for key in _WHEN if key in first}}]
        with temporary_save_path(path) as temporary:
            text = json.dumps(record, indent=2, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
    return record


_WHEN = ("created", "packages", "git_commit", "git_dirty")


def find_record(layout: Layout, sha256: str) -> dict[str, Any] | None:
    """Returns what is remembered of the file with that checksum; a damaged record is as good as none."""
    with suppress(OSError, ValueError):
        record = json.loads(layout.submission_record(sha256).read_text(encoding="utf-8"))
        if isinstance(record, dict) and isinstance(record.get(ORIGINS), list):
            return record
    return None


def keep_contract(layout: Layout, form: SubmissionFormat) -> str:
    """Keeps what a format was made from, so that a file can be checked when the data are gone; returns its name."""
    text = None if form.sample is None else form.sample.decode("latin-1")
    data = json.dumps({"sample": text, "wanted": asdict(form.wanted)}, ensure_ascii=False).encode()
    name = hashlib.sha256(data).hexdigest()[:32]
    path = layout.contract(name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_save_path(path) as temporary:
            temporary.write_bytes(gzip.compress(data, compresslevel=6, mtime=0))
    return name


def open_contract(layout: Layout, name: str) -> SubmissionFormat | None:
    """Returns a format that was kept; None where it is not there or damaged."""
    with suppress(OSError, ValueError, KeyError, TypeError, EOFError):
        kept = json.loads(gzip.decompress(layout.contract(name).read_bytes()))
        listed: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in kept["wanted"].items()
        }
        sample = kept["sample"]
        return read_format(None if sample is None else sample.encode("latin-1"), Wanted(**listed))
    return None


def contract_names(layout: Layout) -> list[str]:
    """Returns the names of all formats kept, the latest first."""
    paths = layout.contract("*").parent.glob(layout.contract("*").name)
    latest = sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.name.removesuffix(".json.gz") for path in latest]


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in _SAME)


def _circumstances() -> dict[str, Any]:
    # The user's own project where it is under git, else the code that did the work.
    folder = next((f for f in (Path.cwd(), Path(__file__).parent) if git_commit(f)), Path.cwd())
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "packages": package_versions(),
        "git_commit": git_commit(folder),
        "git_dirty": git_is_dirty(folder),
    }
