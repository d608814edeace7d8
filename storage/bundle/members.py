"""What a bundle is: its members, their names, and the manifest that vouches for them.

    manifest.json            format, version, packages, sha256 and size of every other member, a digest of it all
    study.json               name, directions, attributes
    trials.jsonl             one trial a line, in the order of their numbers
    runs.jsonl               one MLflow run a line: `study`, then `trial_00000` ...
    artifacts/<run>/...      the files of that run
    predictions/...          the study's folder of predictions and its kept models
    submissions/<name>       its submissions and their records

The same content gives the same bytes: members in the order of their names, fixed times and rights, canonical JSON.
So nothing in it may depend on where it was written; a run is named by its trial, never by its id.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FORMAT = "tabular-search-study"
VERSION = 1
MANIFEST, STUDY, TRIALS, RUNS = "manifest.json", "study.json", "trials.jsonl", "runs.jsonl"
PREDICTIONS, SUBMISSIONS, ARTIFACTS = "predictions", "submissions", "artifacts"
FIXED_MEMBERS = frozenset({STUDY, TRIALS, RUNS})

_IN_FOLDER = re.compile(
    rf"(?:{PREDICTIONS}|{SUBMISSIONS}|{ARTIFACTS}/(?:study|trial_\d{{5,}}))/.+", re.DOTALL
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BundleError(Exception):
    """A bundle cannot be written or may not be read; the message says got, allowed, do."""


class Member(NamedTuple):
    """What the manifest says of a member: SHA-256 of its bytes in hexadecimal, and their number."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """The list that a bundle is checked against.

    Attributes:
        study: Name of the study.
        packages: Versions it was written with.
        members: Every other member by name.
    """

    study: str
    packages: Mapping[str, str]
    members: Mapping[str, Member]

    @property
    def digest(self) -> str:
        """SHA-256 of everything in the bundle; equal for equal content, whatever the compression."""
        return hashlib.sha256(json.dumps(self._body(), sort_keys=True).encode()).hexdigest()

    def to_bytes(self) -> bytes:
        """The member's text."""
        text = json.dumps({**self._body(), "digest": self.digest}, indent=1, sort_keys=True)
        return text.encode() + b"\n"

    def _body(self) -> dict[str, Any]:
        members = {name: member._asdict() for name, member in self.members.items()}
        return {
            "format": FORMAT,
            "version": VERSION,
            "study": self.study,
            "packages": dict(self.packages),
            "members": members,
        }


def read_manifest(data: bytes, path: Path) -> Manifest:
    """Reads a manifest and checks that it is whole.

    Raises:
        BundleError: If it is of another format or version, malformed, or was changed.
    """
    try:
        fields = json.loads(data)
        kind, version = fields["format"], fields["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged(path, f"an unreadable {MANIFEST}") from None
    if kind != FORMAT or version != VERSION:
        raise BundleError(
            f"{path}: got format {kind!r} version {version!r}; allowed: {FORMAT!r} version {VERSION}; "
            "do: import it with the release that wrote it, or export it anew with this one"
        )
    try:
        members = {str(name): _member(entry) for name, entry in fields["members"].items()}
        manifest = Manifest(str(fields["study"]), dict(fields["packages"]), members)
        is_whole = manifest.to_bytes() == data
    except (KeyError, TypeError, ValueError, AttributeError):
        is_whole = False
    if not is_whole:
        raise damaged(path, f"a {MANIFEST} that was changed")
    return manifest


def _member(entry: Mapping[str, Any]) -> Member:
    sha256, size = entry["sha256"], entry["size"]
    if not (isinstance(sha256, str) and _SHA256.fullmatch(sha256) and type(size) is int and size >= 0):
        raise ValueError(entry)
    return Member(sha256, size)


def damaged(path: Path, got: str) -> BundleError:
    """The refusal of a bundle that is not as it was written."""
    return BundleError(
        f"{path}: got {got}; allowed: a bundle as search.export wrote it; do: copy or export it again"
    )


def name_fault(name: str) -> str | None:
    """Says what is wrong with a member's name, if anything: it becomes a path on the reader's disk."""
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or PureWindowsPath(name).drive or PureWindowsPath(name).root:
        return "an absolute or foreign path"
    if any(part in {"", ".", ".."} for part in parts) or "\0" in name:
        return "a path out of its folder"
    if any(part.startswith(".") for part in parts[:1]) or not _is_known(name):
        return "not a part of a bundle"
    return None


def _is_known(name: str) -> bool:
    if name == MANIFEST or name in FIXED_MEMBERS:
        return True
    is_nested = len(PurePosixPath(name).parts) > 2  # noqa: PLR2004 - the folder and the file
    return bool(_IN_FOLDER.fullmatch(name)) and not (name.startswith(SUBMISSIONS) and is_nested)


def ordered(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values in the order of their names: no database promises to keep another."""
    return dict(sorted(values.items()))


def canonical(value: Any) -> bytes:
    """JSON without blanks, ASCII only; numbers read back to the bit, mappings keep their order."""
    return json.dumps(value, separators=(",", ":")).encode()


def to_lines(values: Iterable[Any]) -> bytes:
    """One canonical JSON text a line."""
    return b"".join(canonical(value) + b"\n" for value in values)


def from_lines(data: bytes) -> list[Any]:
    """Reads what `to_lines` wrote."""
    return [json.loads(line) for line in data.splitlines()]
