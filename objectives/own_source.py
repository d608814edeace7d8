"""The text of a user's own Python file, which crosses to other processes in the file's place."""

from __future__ import annotations

from pathlib import Path


class SourceUnreadableError(Exception):
    """A file that is named but cannot be read; the message says which and why."""


def source_of(where: str) -> str | None:
    """Reads the file that a place names.

    Args:
        where: `file.py`, or a module, which is taken as a file if it is one below the current folder.

    Returns:
        Its text; None for a module that is no file here.

    Raises:
        SourceUnreadableError: If the file is not there or not UTF-8.
    """
    is_file = where.endswith(".py")
    path = Path(where) if is_file else Path(*where.split(".")).with_suffix(".py")
    if not is_file and not path.is_file():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SourceUnreadableError(f"{path} is not readable ({reason})") from error
