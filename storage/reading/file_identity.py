"""Which file is at a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class FileIdentity(NamedTuple):
    """What a file keeps as long as it is the same one, whatever is written to it."""

    device: int
    inode: int


def file_identity(path: Path | None) -> FileIdentity | None:
    """Returns which file is at a path; None where there is none."""
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else FileIdentity(found.st_dev, found.st_ino)
