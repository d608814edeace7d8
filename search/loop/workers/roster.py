"""Which trial is on which worker, and which comes next where: decided here, so that a death has one victim."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from search.config import QUEUED_PER_WORKER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from objectives.base import Params
    from search.loop.ground import Elsewhere
    from search.loop.workers.line import TrialEvent


@dataclass(eq=False)
class Flight:
    """A trial on its way to its outcome, over as many attempts as that takes.

    Attributes:
        number: The trial.
        params: Its configuration.
        elsewhere: Where it is evaluated; None: on the study's folds.
        key: Identifies the attempt.
        worker: Where the attempt is; None while it waits for a worker.
        killed: Workers that died under it.
        died_on: The last of them.
        started: When the attempt began to run, by `time.monotonic()`; None if it has not.
        arrived: Reports of this attempt.
        heard: Reports handled in all attempts; a second attempt repeats those of the first.
        stopping: Whether it was told to stop.
        overdue: Why its worker was killed by us.
        resident_bytes: Memory of its worker when last heard of.
        held: Events that came before the end of the trial before it on the same worker was read.
    """

    number: int
    params: Params
    elsewhere: Elsewhere | None = None
    key: str = ""
    worker: str | None = None
    killed: int = 0
    died_on: str | None = None
    started: float | None = None
    arrived: int = 0
    heard: int = 0
    stopping: bool = False
    overdue: str | None = None
    resident_bytes: int = 0
    held: deque[TrialEvent] = field(default_factory=deque)


class Roster:
    """Workers, each with the trial at work first and what waits behind it, and trials without a worker.

    Attributes:
        workers: Flights by worker, in the order in which they run.
        waiting: Flights without a worker, in the order in which they get one.
        leaving: Workers that are being killed by us and get nothing more.
    """

    def __init__(self) -> None:
        self.workers: dict[str, deque[Flight]] = {}
        self.waiting: deque[Flight] = deque()
        self.leaving: set[str] = set()
        self._by_key: dict[str, Flight] = {}

    def find(self, key: str) -> Flight | None:
        """The flight of an attempt that still counts."""
        return self._by_key.get(key)

    def at_work(self) -> Iterator[Flight]:
        """The first flight of each worker."""
        return (flights[0] for flights in self.workers.values() if flights)

    def is_at_work(self, flight: Flight) -> bool:
        """Whether it is the first on its worker."""
        return flight.worker is not None and self.workers[flight.worker][0] is flight

    def join(self, worker: str) -> None:
        """Counts in a worker; twice does nothing."""
        self.workers.setdefault(worker, deque())

    def leave(self, worker: str) -> None:
        """Counts out a worker; its flights must have been taken off."""
        self.workers.pop(worker, None)
        self.leaving.discard(worker)

    def assign(self, flight: Flight, worker: str, key: str) -> None:
        """Begins an attempt."""
        flight.key, flight.worker = key, worker
        flight.started, flight.arrived, flight.overdue = None, 0, None
        self._by_key[key] = flight
        self.workers[worker].append(flight)

    def take_off(self, flight: Flight) -> str | None:
        """Ends an attempt, however it went; returns where it was."""
        worker, flight.worker = flight.worker, None
        self._by_key.pop(flight.key, None)
        if worker in self.workers:
            self.workers[worker].remove(flight)
        flight.held.clear()
        return worker

    def put_back(self, flight: Flight) -> None:
        """Lets a flight wait for a worker, before all others."""
        self.take_off(flight)
        self.waiting.appendleft(flight)

    def next_move(self) -> tuple[Flight, str] | None:
        """What to assign next, taken off wherever it was; None if all is well as it is."""
        free = {w: flights for w, flights in self.workers.items() if w not in self.leaving}
        if not free:
            return None
        if self.waiting:
            died_on = self.waiting[0].died_on
            worker = min(free, key=lambda w: (len(free[w]), w == died_on))
            return (self.waiting.popleft(), worker) if len(free[worker]) <= QUEUED_PER_WORKER else None
        idle = next((worker for worker, flights in free.items() if not flights), None)
        fullest = max(self.workers.values(), key=len)
        if idle is None or len(fullest) <= 1:
            return None
        # What waits behind another's trial need not wait when a worker has nothing to do.
        return fullest[-1], idle

    def clear(self) -> list[Flight]:
        """Forgets the workers; everything on them waits again. Returns what was on them."""
        flights = [*self._by_key.values()]
        for flight in reversed(flights):
            self.put_back(flight)
        self.workers.clear()
        self.leaving.clear()
        return flights
