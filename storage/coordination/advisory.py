"""A study's advisory locks on PostgreSQL, which the server itself drops when their owner dies.

Three kinds, each under a number made of the schema's and the study's name. `here`, shared, one for each
coordinator's token: held for its life. `alone`, exclusive: held for moments. `record`: shared by all that write
into MLflow, exclusive for who compares.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from storage.coordination.server import LockLostError, open_engine, wait_for_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

HELD_SECONDS = 60.0
"""A claim takes milliseconds; whoever is stopped in the middle of one loses it after so long."""


class StudyLocks:
    """The locks of one study.

    Args:
        url: The ledger, on PostgreSQL.
        study: The study's name.
    """

    def __init__(self, url: str, study: str) -> None:
        self._url, self._study = url, study

    @cached_property
    def engine(self) -> Engine:
        """Where the moment's locks are taken; it waits for a server that restarts."""
        engine = open_engine(self._url, pool_size=2, pool_pre_ping=True)
        wait_for_server(engine)
        return engine

    def key(self, kind: str, schema: str) -> int:
        """The first half of a lock's number, positive as `pg_locks` shows it."""
        digest = hashlib.blake2b(f"{kind}\0{schema}\0{self._study}".encode(), digest_size=4).digest()
        return int.from_bytes(digest) >> 1

    @contextmanager
    def alone(self, patience_seconds: float | None = HELD_SECONDS) -> Iterator[None]:
        """Holds the study against claims of others.

        Args:
            patience_seconds: After so long without a word the server takes the lock away; None: never.

        Raises:
            LockLostError: At the end, if that happened, or the connection broke.
        """
        milliseconds = 0 if patience_seconds is None else round(1000 * patience_seconds)
        with self._transaction() as connection:
            _set_local(connection, "idle_in_transaction_session_timeout", milliseconds)
            self._lock(connection, "alone", "pg_advisory_xact_lock")
            yield

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Holds the record together with others."""
        with self._transaction() as connection:
            self._lock(connection, "record", "pg_advisory_xact_lock_shared")
            yield

    @contextmanager
    def mending(self) -> Iterator[None]:
        """Holds the record alone."""
        with self._transaction() as connection:
            self._lock(connection, "record", "pg_advisory_xact_lock")
            yield

    def present(self) -> frozenset[int]:
        """Tokens of all coordinators that hold their lock."""
        from sqlalchemy import text

        query = text(f"SELECT l.objid::bigint {_HERE}")
        with self.engine.connect() as connection:
            key = self.key("here", schema_of(connection))
            return frozenset(connection.execute(query, {"key": key}).scalars())

    def holders(self) -> list[str]:
        """Who these are, for people."""
        from sqlalchemy import text

        query = text(f"SELECT DISTINCT coalesce(a.application_name, 'a process') {_HERE} ORDER BY 1")
        with self.engine.connect() as connection:
            key = self.key("here", schema_of(connection))
            return [str(name) for name in connection.execute(query, {"key": key}).scalars()]

    def close(self) -> None:
        """Gives all connections up."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        from sqlalchemy.exc import DBAPIError

        with self.engine.connect() as connection:
            yield connection
            try:
                connection.commit()
            except DBAPIError as error:
                raise LockLostError("the database server took a lock away, or has restarted") from error

    def _lock(self, connection: Connection, kind: str, function: str) -> None:
        from sqlalchemy import text

        key = self.key(kind, schema_of(connection))
        connection.execute(text(f"SELECT {function}(:key, 0)"), {"key": key})


_HERE = (
    "FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted"
    " AND l.objsubid = 2 AND l.classid = :key"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def schema_of(connection: Connection) -> str:
    """The schema in which the ledger's tables are: advisory locks know databases only."""
    from sqlalchemy import text

    return str(connection.execute(text("SELECT current_schema()")).scalar_one())


def _set_local(connection: Connection, setting: str, value: int) -> None:
    from sqlalchemy import text

    connection.execute(text("SELECT set_config(:name, :value, true)"), {"name": setting, "value": str(value)})
