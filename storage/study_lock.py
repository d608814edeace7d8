"""One coordinator per study on a machine."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from storage.atomic import temporary_save_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.layout import Layout


class StudyLockedError(Exception):
    """Another coordinator works on the study."""


@contextmanager
def study_lock(layout: Layout, study: str) -> Iterator[None]:
    """Holds a study for this process.

    The operating system drops the lock when its owner dies, however it dies. The file beside it only tells
    a refused coordinator whom to look for; it may outlive a killed owner and means nothing by itself.

    Raises:
        StudyLockedError: If another process holds the study; the message has its host and process id.
    """
    from filelock import FileLock, Timeout

    path = layout.lock(study)
    path.parent.mkdir(parents=True, exist_ok=True)
    owner = layout.lock_owner(study)
    # thread_local=False: whichever thread closes the search must be able to release.
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise StudyLockedError(_refusal(study, owner)) from None
    try:
        _write_owner(owner)
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def is_held(layout: Layout, study: str) -> bool:
    """Tells whether a process works on the study just now; makes no file."""
    from filelock import FileLock, Timeout

    path = layout.lock(study)
    if not path.exists():
        return False
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False


def owner_of(layout: Layout, study: str) -> dict[str, Any] | None:
    """Returns `host`, `pid` and `started` of the process that works on a study; None where none seems to.

    It only looks: whoever takes the lock to find out keeps a coordinator away that comes at that moment. A process
    of another machine is taken at its word.
    """
    return _owner(layout.lock_owner(study))


def is_searching_here(layout: Layout) -> bool:
    """Tells whether a process of this machine works on any study with a lock file."""
    owners = map(_owner, layout.locks.glob("*.json"))
    return any(owner is not None and owner["host"] == socket.gethostname() for owner in owners)


def _owner(path: Path) -> dict[str, Any] | None:
    import psutil

    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        is_elsewhere = facts["host"] != socket.gethostname()
        return facts if is_elsewhere or psutil.pid_exists(int(facts["pid"])) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_owner(path: Path) -> None:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"host": socket.gethostname(), "pid": os.getpid(), "started": started}
    with temporary_save_path(path) as temporary:
        temporary.write_text(json.dumps(facts), encoding="utf-8")


def _refusal(study: str, owner: Path) -> str:
    try:
        facts = json.loads(owner.read_text(encoding="utf-8"))
        who = f"process {facts['pid']} on {facts['host']} since {facts['started']}"
    except (OSError, ValueError, KeyError, TypeError):
        # Its owner is between taking the lock and writing its name.
        who = "another process"
    return (
        f"got study {study!r}, held by {who}; allowed: one coordinator per study; "
        "do: wait for it, stop it, or choose another --study"
    )
