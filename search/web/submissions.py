"""The submission files of this folder, and the trial that each was made from."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from storage.layout import Layout


@dataclass(frozen=True)
class Submission:
    """A file to upload.

    Attributes:
        file: Its name in the folder of submissions.
        kind: What made it: `trial`, `promotion` or another word of the records.
        candidate: What was submitted, such as `blend of 4`; None: the trial.
        trial: Number of the trial, of a blend the heaviest; None where no trial made it.
        created: When, UTC, in ISO form.
        is_there: Whether the file is still in the folder.
    """

    file: str
    kind: str
    candidate: str | None
    trial: int | None
    created: str
    is_there: bool


_read: dict[Path, tuple[int, list[dict[str, Any]]]] = {}


def submissions_of(layout: Layout) -> dict[str, list[Submission]]:
    """Returns the remembered submissions by study, the latest first; a record is read again when it has changed."""
    found: dict[str, list[Submission]] = {}
    for path in layout.submission_record("*").parent.glob("*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            changed = path.stat().st_mtime_ns
            if _read.get(path, (0, []))[0] != changed:
                _read[path] = changed, json.loads(path.read_text(encoding="utf-8"))["origins"]
            for origin in _read[path][1]:
                found.setdefault(str(origin["study"]), []).append(_submission(layout, origin))
    return {study: sorted(some, key=lambda one: one.created, reverse=True) for study, some in found.items()}


def submission_file(layout: Layout, name: str) -> Path | None:
    """Returns a file of the folder of submissions by its name; None where there is none, or it is no such file."""
    path = layout.submissions / name
    is_plain = path.name == name and not name.startswith(".")
    inside = is_plain and path.resolve().parent == layout.submissions.resolve()
    return path if inside and path.is_file() else None


def _submission(layout: Layout, origin: dict[str, Any]) -> Submission:
    trial = origin.get("trial")
    return Submission(
        file=str(origin["file"]),
        kind=str(origin.get("kind", "")),
        candidate=origin.get("candidate"),
        trial=None if trial is None else int(trial),
        created=str(origin.get("created", "")),
        is_there=submission_file(layout, str(origin["file"])) is not None,
    )
