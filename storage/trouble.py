"""What stands behind an error from deep below, where it is the disk or the database and not the program."""

from __future__ import annotations

import errno
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Of an OSError: no space, over the quota, over the limit of a file's size."""
FULL_WORDS = ("disk is full", "disk I/O error")
"""Of SQLite; it says the second where a quota or a limit stops it."""
ONWARD = "give the same command again: nothing finished is lost"


def storage_trouble(error: BaseException) -> str | None:
    """Says in one line that the disk is full or the database is held or read-only; None if it is neither."""
    for one in _chain(error):
        said = _of_disk(one) or _of_sqlite(one) or _of_server(one)
        if said:
            return said
    return None


def is_full(error: BaseException) -> bool:
    """Whether an error comes from a disk or a quota that is full."""
    if isinstance(error, sqlite3.Error):
        return any(word in str(error) for word in FULL_WORDS)
    return isinstance(error, OSError) and error.errno in FULL


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _of_disk(error: BaseException) -> str | None:
    if not is_full(error):
        return None
    reason = error.strerror if isinstance(error, OSError) else error
    return (
        f"got no room to write in mlruns ({reason}); allowed: a disk and a quota with room; "
        f"do: free some (see df -h . and quota), then {ONWARD}"
    )


def _of_sqlite(error: BaseException) -> str | None:
    if not isinstance(error, sqlite3.OperationalError):
        return None
    if "locked" in str(error):
        return (
            f"got a database in mlruns that another program holds ({error}); allowed: one that answers; "
            f"do: close that program, then {ONWARD}"
        )
    if "readonly" in str(error):
        return (
            f"got a read-only database in mlruns ({error}); allowed: a writable one; "
            f"do: chmod or remount, then {ONWARD}"
        )
    return None


def _of_server(error: BaseException) -> str | None:
    from sqlalchemy.exc import DBAPIError

    if not isinstance(error, DBAPIError) or isinstance(error.orig, sqlite3.Error):
        return None
    reason = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
    return (
        f"got a database server that has gone away ({reason[:300]}); allowed: one that answers; "
        f"do: start it, then {ONWARD}"
    )
