"""Sample submissions of many dialects, as files, and what each is a sample of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.submission.form import Wanted
from storage.submission.reading import read_format

if TYPE_CHECKING:
    from storage.submission.form import SubmissionFormat

FOLDER = Path(__file__).parents[1] / "data" / "sample_submissions"
WANTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "wanted.json").read_text(encoding="utf-8"))
NAMES = sorted(WANTED)


def sample_bytes(name: str) -> bytes:
    """The file."""
    return (FOLDER / name).read_bytes()


def wanted(name: str) -> Wanted:
    """What it is a sample of."""
    return Wanted(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in WANTED[name].items()}
    )


def sample_format(name: str) -> SubmissionFormat:
    """The format it shows."""
    return read_format(sample_bytes(name), wanted(name))
