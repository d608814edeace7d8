"""The ledger: Optuna's database, opened so that a busy file is waited for.

Coordinators write a study; dashboards and the record read it at the same time. On SQLite that needs a
write-ahead log and patience, and on each connection anew: all but the journal mode is forgotten when a
connection closes. So they come from the connection class, which the engine's pool, every thread and an
unpickled copy of the storage use alike.
"""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.ledger_address import parse_url

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

    A server that restarts later is waited for; one that is not there now is not.

    Args:
        url: Such as `sqlite:///mlruns/optuna.db` or `postgresql+psycopg://...`.

    Raises:
        ValueError: If the text is no database URL.
        ImportError: If the driver that the URL names is not installed.
        sqlalchemy.exc.SQLAlchemyError: If the database cannot be reached.
    """
    from storage.changing_ledger import ChangingLedger

    address = parse_url(url)
    if address.get_backend_name() == "postgresql":
        return _on_server(url)
    if address.get_backend_name() != "sqlite":
        return ChangingLedger(url, engine_kwargs={"pool_pre_ping": True})
    settings = {"connect_args": {"factory": LedgerConnection, "timeout": BUSY_SECONDS}}
    with _creation_lock(address.database):
        return ChangingLedger(url, engine_kwargs=settings)


def open_sole_ledger(url: str) -> BaseStorage:
    """Opens a SQLite ledger for the process that holds the lock of the study which it is going to write.

    Raises:
        As `open_ledger`.
    """
    from optuna.storages import RDBStorage

    from storage.sole_ledger import SoleLedger

    ledger = open_ledger(url)
    assert isinstance(ledger, RDBStorage)
    return SoleLedger(ledger)


def _on_server(url: str) -> BaseStorage:
    from storage.changing_ledger import ChangingLedger
    from storage.coordination.server import one_creator, wait_for_server

    with one_creator(url):
        storage = ChangingLedger(url, engine_kwargs={"pool_pre_ping": True})
    wait_for_server(storage.engine)
    return storage


def _creation_lock(database: str | None) -> AbstractContextManager[object]:
    # Optuna looks for its tables and then creates them: of several processes starting on a new file, most die.
    from filelock import FileLock

    if not database or database == ":memory:":
        return nullcontext()
    path = Path(database)
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_name(f"{path.name}.lock"), timeout=2 * BUSY_SECONDS)
