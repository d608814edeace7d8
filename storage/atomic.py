"""Files that are either whole or not there."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def temporary_save_path(path: Path) -> Iterator[Path]:
    """Gives a path beside the given one to write to, then renames it into place.

    A reader sees the old file or the new one, never half of it, even after a power cut. If the body raises,
    the old file stays and the new one is removed. The suffix is kept: some writers choose a format by it.

    Args:
        path: The final file; its folder must exist.
    """
    temporary = path.with_name(f".{uuid4().hex}.tmp{path.suffix}")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        _flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    # Windows refuses fsync on a descriptor opened for reading only.
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    # A rename lives in the folder's own blocks. Windows cannot open folders, and flushes renames itself.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
