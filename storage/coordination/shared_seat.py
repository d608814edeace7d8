"""A place at a study on PostgreSQL, where there may be many."""

from __future__ import annotations

import os
import secrets
import socket
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from storage.coordination.advisory import StudyLocks
from storage.coordination.presence import SILENCE_SECONDS, Presence
from storage.coordination.server import LockLostError, insist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

T = TypeVar("T")

GRACE_SECONDS = 10.0
"""When the server has restarted, its clients need a moment to come back."""


class SharedSeat:
    """One of several coordinators of a study; see `Seat`.

    Args:
        url: The ledger, on PostgreSQL.
        study: The study's name.
        grace_seconds: How long a coordinator must be missed before it counts as dead.
        silence_seconds: After so long without a sign of life the server drops this one.
    """

    is_shared = True

    def __init__(
        self,
        url: str,
        study: str,
        grace_seconds: float = GRACE_SECONDS,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self.token = secrets.randbelow(2**31 - 1) + 1
        self.name = f"{socket.gethostname()}:{os.getpid()}:{self.token}"
        self.is_first = False
        self._locks = StudyLocks(url, study)
        self._presence = Presence(url, self._locks, self.token, silence_seconds)
        self._grace = grace_seconds
        self._missed: dict[str, float] = {}
        self._is_there = False

    @contextmanager
    def taken(self) -> Iterator[SharedSeat]:
        """Comes, and leaves at the end of the block unless it has left before."""
        try:
            with self.alone():
                self.is_first = not self._locks.present()
                self._presence.begin()
                self._is_there = True
            yield self
        finally:
            self._leave()
            self._locks.close()

    def alone(self) -> AbstractContextManager[None]:
        """Keeps the others waiting while this one counts, claims or closes trials."""
        return self._locks.alone()

    def has_others(self) -> bool:
        """Whether another coordinator is there now."""
        return bool(insist(self._locks.present) - {self.token})

    def dead(self, names: Iterable[str]) -> frozenset[str]:
        """Those that have been missed for the grace time."""
        names = set(names)
        if not names:
            self._missed.clear()
            return frozenset()
        present = insist(self._locks.present)
        now = time.monotonic()
        gone = {name for name in names if name != self.name and _token(name) not in present}
        self._missed = {name: self._missed.get(name, now) for name in gone}
        return frozenset(name for name, since in self._missed.items() if now - since >= self._grace)

    def insist(self, action: Callable[[], T]) -> T:
        """Does something to the ledger that may be repeated, again if its server went away in the middle."""
        return insist(action)

    def recording(self) -> AbstractContextManager[object]:
        """Holds as long as a trial is written into MLflow."""
        return self._locks.recording()

    def mending(self) -> AbstractContextManager[object]:
        """Holds as long as MLflow is made equal to the ledger."""
        return self._locks.mending()

    @contextmanager
    def leaving(self) -> Iterator[bool]:
        """Gives the place up; says whether it was the last."""
        # Nothing is at stake that a sync would not mend.
        with suppress(LockLostError), self.alone():
            self._leave()
            yield not self._locks.present()

    def _leave(self) -> None:
        if self._is_there:
            self._is_there = False
            self._presence.end()


def _token(name: str) -> int | None:
    # A trial without a name, or with a strange one, is nobody's who could come back.
    number = name.rpartition(":")[2]
    return int(number) if number.isdigit() else None
