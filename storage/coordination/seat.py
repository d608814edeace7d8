"""A coordinator's place at a study."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol, TypeVar

from storage.study_lock import StudyLockedError, is_held, study_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from storage.layout import Layout

T = TypeVar("T")


class Seat(Protocol):
    """One coordinator's place at a study, from its coming to its leaving.

    Attributes:
        name: Whose the trials are that it asks for; empty where nobody else can be there.
        token: A number no other coordinator of the study has; 0 where nobody else can be there.
        is_shared: Whether others may be there.
        is_first: Whether nobody was there when it came.
    """

    name: str
    token: int
    is_shared: bool
    is_first: bool

    def alone(self) -> AbstractContextManager[None]:
        """Keeps the others waiting while this one counts, claims or closes trials.

        Raises:
            LockLostError: At the end, if the others may have gone on meanwhile.
        """
        ...

    def has_others(self) -> bool:
        """Whether another coordinator is there now."""
        ...

    def dead(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the named coordinators that are gone for good; to be given all that matter, now and then."""
        ...

    def insist(self, action: Callable[[], T]) -> T:
        """Does something to the ledger that may be repeated, again if its server went away in the middle."""
        ...

    def recording(self) -> AbstractContextManager[object]:
        """Holds as long as a trial is written into MLflow; many may."""
        ...

    def mending(self) -> AbstractContextManager[object]:
        """Holds as long as MLflow is made equal to the ledger; nobody else records then."""
        ...

    def leaving(self) -> AbstractContextManager[bool]:
        """Gives the place up; says whether it was the last, and nobody comes as long as the block runs."""
        ...


class SoleSeat:
    """The place where there is only one."""

    name = ""
    token = 0
    is_shared = False
    is_first = True

    def alone(self) -> AbstractContextManager[None]:
        """Nobody to keep waiting."""
        return nullcontext()

    def has_others(self) -> bool:
        """Never."""
        return False

    def dead(self, names: Iterable[str]) -> frozenset[str]:
        """All of them: who was here before is gone."""
        return frozenset(names)

    def insist(self, action: Callable[[], T]) -> T:
        """Does it once: a file does not go away."""
        return action()

    def recording(self) -> AbstractContextManager[object]:
        """Nobody to wait for."""
        return nullcontext()

    def mending(self) -> AbstractContextManager[object]:
        """Nobody to wait for."""
        return nullcontext()

    def leaving(self) -> AbstractContextManager[bool]:
        """The first and the last."""
        return nullcontext(enter_result=True)


@contextmanager
def take_seat(layout: Layout, study: str) -> Iterator[Seat]:
    """Comes to a study as a coordinator, and leaves it at the end of the block at the latest.

    The operating system, or the database server, notices a coordinator that dies, however it dies.

    Raises:
        StudyLockedError: On SQLite, if another coordinator is there; the message has its host and process id.
        sqlalchemy.exc.SQLAlchemyError: If the server cannot be reached.
    """
    if layout.ledger_file is None:
        from storage.coordination.shared_seat import SharedSeat

        with SharedSeat(layout.ledger_url, study).taken() as seat:
            yield seat
        return
    with study_lock(layout, study):
        yield SoleSeat()


@contextmanager
def at_rest(layout: Layout, study: str) -> Iterator[None]:
    """Holds a study that no coordinator works on, and keeps all away meanwhile.

    Raises:
        StudyLockedError: If a coordinator works on it.
    """
    if layout.ledger_file is not None:
        with study_lock(layout, study):
            yield
        return
    from storage.coordination.advisory import StudyLocks

    locks = StudyLocks(layout.ledger_url, study)
    try:
        with locks.alone(patience_seconds=None), locks.mending():
            if holders := locks.holders():
                raise StudyLockedError(_refusal(study, holders))
            yield
    finally:
        locks.close()


def is_worked_on(layout: Layout, study: str) -> bool:
    """Tells whether a coordinator works on the study just now."""
    if layout.ledger_file is not None:
        return is_held(layout, study)
    from storage.coordination.advisory import StudyLocks

    locks = StudyLocks(layout.ledger_url, study)
    try:
        return bool(locks.present())
    finally:
        locks.close()


def _refusal(study: str, holders: list[str]) -> str:
    return (
        f"got study {study!r}, worked on by {', '.join(holders)}; allowed: a study at rest; "
        "do: wait for them, or stop them"
    )
