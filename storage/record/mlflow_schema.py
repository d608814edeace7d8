"""MLflow's own database file and switches.

MLflow creates its SQLite schema in 6 s, in steps that neither a second process nor a kill may interrupt. Here
it is made once, under a lock, in a file beside that is then renamed.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from storage.atomic import temporary_save_path
from storage.record.recorder import THREAD_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient
    from sqlalchemy.engine import Engine, ExceptionContext
    from sqlalchemy.pool import Pool

_LEFT_TO_PARENT: list[Pool] = []

SCHEMA_TIMEOUT_SECONDS = 300
BUSY_MILLISECONDS = 20_000
ENVIRONMENT_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # MLflow's own are 7 retries of 120 s: one dead server would hold a queue for minutes a job.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    # A line about each run that ends, on the user's terminal.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
# What MLflow and its HTTP library say of each failed try. The recorder says it, once, and tries again.
TRY_LOGGERS = ("mlflow.store.db.utils", "urllib3.connectionpool")
NOISY_LOGGERS = ("alembic", "mlflow.pyfunc", "mlflow.store.db.utils", "mlflow.tracking.fluent")


def quiet_mlflow() -> None:
    """Sets MLflow's switches that the user left alone; to be called before it is imported."""
    for name, value in ENVIRONMENT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    quiet_loggers()


def quiet_loggers() -> None:
    """Keeps MLflow's remarks off the terminal; to be called again after an import of it, which resets them."""
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in TRY_LOGGERS:
        logging.getLogger(name).addFilter(_is_the_users)


def _is_the_users(record: logging.LogRecord) -> bool:
    return record.threadName != THREAD_NAME


def ensure_schema(database: Path) -> None:
    """Makes MLflow's database file where there is none; several processes may do so at once.

    Raises:
        filelock.Timeout: If another process has been at it for five minutes.
    """
    from filelock import FileLock

    database.parent.mkdir(parents=True, exist_ok=True)
    lock = database.with_name(f"{database.name}.lock")
    with FileLock(lock, timeout=SCHEMA_TIMEOUT_SECONDS):
        if not database.exists() or database.stat().st_size == 0:
            _create_schema(database)


def _create_schema(database: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    quiet_loggers()
    with temporary_save_path(database) as temporary:
        uri = f"sqlite:///{temporary.as_posix()}"
        store = SqlAlchemyStore(uri, str(database.parent))  # type: ignore[no-untyped-call]
        # An open connection would go on writing to the renamed file under its old name.
        store.engine.dispose()
        with closing(sqlite3.connect(temporary)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")


def relax(client: MlflowClient) -> None:
    """Lets a SQLite-backed client commit without waiting for the disk.

    With a write-ahead log a power cut can then cost the last transactions, which a sync writes again, and
    never tears the file.
    """
    # MLflow has no setting for it, so its engine is taken from behind the curtain, if it is still there.
    from sqlalchemy import event

    engine = getattr(getattr(getattr(client, "_tracking_client", None), "store", None), "engine", None)
    if engine is None:
        return
    if not event.contains(engine, "connect", _set_pragmas):
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "handle_error", _drop_read_only)
        _part_at_fork(engine)
    # Each time: who opens the record again may do so because the file could not be written before.
    engine.dispose()


def _part_at_fork(engine: Engine) -> None:
    # SQLite's connections must not cross a fork, not even to be closed on the other side: idle ones are closed
    # before it, and one in use at that moment is left to the parent, never touched and never freed.
    def replace_pool() -> None:
        _LEFT_TO_PARENT.append(engine.pool)
        engine.dispose(close=False)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=engine.dispose, after_in_child=replace_pool)


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    # First of all: changing the journal mode waits for others as well. SQLite's own 5 s are soon over where
    # several processes record and the machine is busy, and nobody waits for a recorder.
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}").close()
    connection.execute("PRAGMA journal_mode = WAL").close()
    connection.execute("PRAGMA synchronous = NORMAL").close()


def _drop_read_only(context: ExceptionContext) -> None:
    # A connection made while the file could not be written stays like that when it can be again.
    if "readonly" in str(context.original_exception):
        context.is_disconnect = True
