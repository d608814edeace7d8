"""The ledger: Optuna's database, opened so that a busy file is waited for.

One coordinator writes a study; dashboards and the record read it at the same time. On SQLite that needs a
write-ahead log and patience, and on each connection anew: all but the journal mode is forgotten when a
connection closes. So they come from the connection class, which the engine's pool, every thread and an
unpickled copy of the storage use alike.
"""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from optuna.storages import BaseStorage

BUSY_SECONDS = 60


class LedgerConnection(sqlite3.Connection):
    """A SQLite connection with the ledger's settings."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute("PRAGMA journal_mode = WAL").close()
        # With a write-ahead log a power cut may lose the last commits but never tears the file, and a
        # trial's 37 commits no longer wait for the disk one by one.
        self.execute("PRAGMA synchronous = NORMAL").close()


def open_ledger(url: str) -> BaseStorage:
    """Opens the Optuna storage behind an SQLAlchemy URL, making the database where there is none.

    Args:
        url: Such as `sqlite:///mlruns/optuna.db` or `postgresql+psycopg://...`.

    Raises:
        ValueError: If the text is no database URL.
        ImportError: If the driver that the URL names is not installed.
        sqlalchemy.exc.SQLAlchemyError: If the database cannot be reached.
    """
    from optuna.storages import RDBStorage
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except ArgumentError as error:
        raise ValueError(
            f"got storage {url!r}; allowed: an SQLAlchemy URL; do: write it like sqlite:///mlruns/optuna.db"
        ) from error
    if address.get_backend_name() != "sqlite":
        return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    settings = {"connect_args": {"factory": LedgerConnection, "timeout": BUSY_SECONDS}}
    with _creation_lock(address.database):
        return RDBStorage(url, engine_kwargs=settings)


def _creation_lock(database: str | None) -> AbstractContextManager[object]:
    # Optuna looks for its tables and then creates them: of several processes starting on a new file, most die.
    from filelock import FileLock

    if not database or database == ":memory:":
        return nullcontext()
    path = Path(database)
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_name(f"{path.name}.lock"), timeout=2 * BUSY_SECONDS)
