"""Connections to the ledger's server that outlast its restart, and that it drops when their owner is gone."""

from __future__ import annotations

import os
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine
    from sqlalchemy.engine import Dialect

T = TypeVar("T")

PATIENCE_SECONDS = 120.0
"""How long a search waits for a server that was there and is not."""
PAUSE_SECONDS = 0.5
ATTEMPTS = 5
KEEPALIVE = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "4"}
"""A host that is lost without a word is noticed in half a minute. Sockets on one machine ignore this."""


class LockLostError(Exception):
    """A lock was lost before its holder had done; others may have gone on."""


def wait_for_server(engine: Engine, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Lets an engine wait for its server when it connects, for a restart takes a moment."""
    from sqlalchemy import event

    def connect(dialect: Dialect, _record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                return dialect.connect(*arguments, **options)
            except dialect.loaded_dbapi.OperationalError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE_SECONDS)

    event.listen(engine, "do_connect", connect)


def insist(action: Callable[[], T], attempts: int = ATTEMPTS) -> T:
    """Does something that may be repeated, again when its connection broke in the middle.

    Raises:
        optuna.exceptions.StorageInternalError: If it breaks again and again.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import DBAPIError

    for _ in range(attempts - 1):
        try:
            return action()
        except (StorageInternalError, DBAPIError, LockLostError):
            time.sleep(PAUSE_SECONDS)
    return action()


def open_engine(url: str, **options: Any) -> Engine:
    """Opens an engine whose sessions bear this process's name and are dropped soon when its host is lost."""
    from sqlalchemy import create_engine, event

    engine = create_engine(url, **options)

    @event.listens_for(engine, "connect")
    def name_session(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            for setting, value in {**KEEPALIVE, "application_name": session_name()}.items():
                cursor.execute("SELECT set_config(%s, %s, false)", (setting, value))
        connection.commit()

    return engine


def session_name() -> str:
    """What `pg_stat_activity` shows for this process, and a refused command's message."""
    return f"process {os.getpid()} on {socket.gethostname()[:40]}"


@contextmanager
def one_creator(url: str) -> Iterator[None]:
    """Keeps processes on whatever hosts from creating the ledger's tables at the same time, of which most die."""
    from sqlalchemy import create_engine, text

    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtext('ledger ' || current_schema()), 0)")
            )
            yield
    finally:
        engine.dispose()
