"""A coordinator's sign of life: a lock of its own on the server, held by a thread of its own."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from storage.coordination.advisory import schema_of
from storage.coordination.server import PAUSE_SECONDS, open_engine

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.coordination.advisory import StudyLocks

PING_SECONDS = 2.0
SILENCE_SECONDS = 30.0
"""A process that has been stopped, or whose host is lost, is dropped by the server after so long."""


class Presence:
    """Holds a coordinator's lock as long as this process runs, also over a restart of the server.

    The lock is shared, so that a new connection takes it though the server may not know yet that the old one
    is dead.

    Args:
        url: The ledger, on PostgreSQL.
        locks: The study's.
        token: The coordinator's number.
        silence_seconds: After so long without a sign the server drops the lock.
    """

    def __init__(
        self, url: str, locks: StudyLocks, token: int, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        from sqlalchemy.pool import NullPool

        # No pool: a connection that is given back to one keeps its lock.
        self._engine = open_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._locks, self._token, self._silence = locks, token, silence_seconds
        self._ended = threading.Event()
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._keep, name="presence", daemon=True)

    def begin(self) -> None:
        """Takes the lock, then keeps it."""
        self._connection = self._connect()
        self._thread.start()

    def end(self) -> None:
        """Gives the lock up."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._unlock()
        self._drop()
        self._engine.dispose()

    def _keep(self) -> None:
        pause = PING_SECONDS
        while not self._ended.wait(pause):
            pause = PING_SECONDS if self._is_kept() else PAUSE_SECONDS

    def _is_kept(self) -> bool:
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self._drop()
            return False
        return True

    def _connect(self) -> Connection:
        from sqlalchemy import text

        connection = self._engine.connect()
        key = self._locks.key("here", schema_of(connection))
        # PostgreSQL 13 and older have no such setting, and TCP's keepalive must do.
        connection.execute(
            text(
                "SELECT set_config(name, :value, false) FROM pg_settings WHERE name = 'idle_session_timeout'"
            ),
            {"value": str(round(1000 * self._silence))},
        )
        connection.execute(
            text("SELECT pg_advisory_lock_shared(:key, :token)"), {"key": key, "token": self._token}
        )
        return connection

    def _unlock(self) -> None:
        # The server notices a closed connection a moment later, and who leaves next would not be the last.
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.execute(text("SELECT pg_advisory_unlock_all()"))

    def _drop(self) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None
