"""Evaluates on worker processes, here or on a cluster, and outlives them."""

from __future__ import annotations

import math
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from search.config import (
    ENGINE_PATIENCE_SECONDS,
    LIMIT_GRACE_SECONDS,
    MOST_WORKERS_KILLED,
    QUEUED_PER_WORKER,
)
from search.loop.engine import Broken, EngineLostError, Stopped
from search.loop.limits import GIGABYTE, over_memory, over_time
from search.loop.workers.line import (
    Ended,
    LineBroken,
    Refused,
    Reported,
    Started,
    WorkerJoined,
    WorkerLeft,
    WorkerPaused,
)
from search.loop.workers.process import Assignment
from search.loop.workers.roster import Flight, Roster

if TYPE_CHECKING:
    from objectives.base import Params, Progress
    from search.loop.engine import Limits, ModelsFrom, OnReport, OnWait, Outcome
    from search.loop.ground import Elsewhere
    from search.loop.workers.line import DaskLine, Event, TrialEvent
    from search.loop.workers.objective_file import ObjectiveFile
    from search.loop.workers.process import TrialEnd

TICK_SECONDS = 1.0
RECONNECT_SECONDS = 5.0
NEARLY = 0.8
"""Share of its memory from which a worker is started anew after a trial that went over."""
PAUSED = (
    "Dask has paused its worker for want of memory, twice; do: give workers more, or switch "
    "distributed.worker.memory.pause off"
)


class DaskEngine:
    """An engine whose slots are worker processes, each with one trial at work and one waiting behind it.

    Which trial is where is decided here and not by Dask, so that it is known whom a death has hit: the trial
    at work there is tried once more elsewhere, those behind it as if nothing had been. With one worker the
    order of all events is that of the trials, whatever the timing.

    Args:
        line: The cluster; opened here.
        objective: What the workers evaluate.
        limits: What one trial may use.
        workers: Workers that are expected back when they die; 0: as many as there are.
        models_from: The score from which on a configuration's models are wanted.

    Raises:
        OSError: If the cluster does not answer.
    """

    def __init__(
        self,
        line: DaskLine,
        objective: ObjectiveFile,
        limits: Limits,
        workers: int = 0,
        models_from: ModelsFrom = lambda _: None,
    ) -> None:
        self._line, self._objective, self._limits, self._expected = line, objective, limits, workers
        self._models_from = models_from
        self._roster = Roster()
        self._attempts = 0
        self._alone_since: float | None = None
        self._told_slots = sys.maxsize
        line.open()

    @property
    def slots(self) -> int:
        """Trials to submit: one at work and one behind it for each worker."""
        self._told_slots = self._slots_now()
        return self._told_slots

    @property
    def at_once(self) -> int:
        """The workers, those that are expected back included."""
        # Never none: a trial that waits for the first worker is what makes the caller wait here.
        return max(self._expected, len(self._roster.workers), 1)

    def _slots_now(self) -> int:
        return self.at_once * (1 + QUEUED_PER_WORKER)

    def submit(self, number: int, params: Params, elsewhere: Elsewhere | None = None) -> None:
        """Hands the trial to a worker, or keeps it until there is one."""
        self._roster.waiting.append(Flight(number, params, elsewhere))
        self._dispatch()

    def next_outcome(
        self, on_report: OnReport, deadline: float, on_wait: OnWait = lambda: None
    ) -> Outcome | None:
        """Handles what the workers say until a trial ends, or there are more slots, or it is too late."""
        waited = time.monotonic()
        while True:
            event = self._next_event(min(deadline - time.monotonic(), TICK_SECONDS))
            outcome = None if event is None else self._handle(event, on_report)
            if outcome is not None:
                return outcome
            if time.monotonic() - waited >= TICK_SECONDS:
                waited = time.monotonic()
                on_wait()
                self._enforce_limits()
                self._line.look_for_paused()
                self._lose_patience()
            self._dispatch()
            if time.monotonic() > deadline or self._slots_now() > self._told_slots:
                return None

    def abandon(self) -> None:
        """Tells all that runs to stop, and forgets it; the workers stay, each busy until it has heard."""
        for flight in [*self._roster.at_work()]:
            self._line.stop(flight.key, str(flight.worker))
        for flight in [flight for flights in self._roster.workers.values() for flight in flights]:
            self._take_off(flight)
        self._roster.waiting.clear()

    def close(self) -> None:
        """Tells all that runs to stop, and hangs up."""
        for flight in self._roster.at_work():
            self._line.stop(flight.key, str(flight.worker))
        self._roster.clear()
        self._roster.waiting.clear()
        self._line.close()

    def _next_event(self, timeout_seconds: float) -> Event | None:
        for flight in self._roster.at_work():
            if flight.held:
                return flight.held.popleft()
        return self._line.next_event(max(0.0, timeout_seconds))

    def _handle(self, event: Event, on_report: OnReport) -> Outcome | None:
        match event:
            case WorkerJoined():
                self._roster.join(event.worker)
            case WorkerLeft():
                return self._on_death(event.worker)
            case WorkerPaused():
                return self._on_pause(event.worker)
            case LineBroken():
                self._reconnect()
            case _:
                flight = self._roster.find(event.key)
                if flight and self._roster.is_at_work(flight):
                    return self._on_trial_event(flight, event, on_report)
                if flight:
                    flight.held.append(event)
        return None

    def _on_trial_event(self, flight: Flight, event: TrialEvent, on_report: OnReport) -> Outcome | None:
        match event:
            case Started():
                flight.started, flight.resident_bytes = time.monotonic(), event.resident_bytes
            case Reported():
                flight.resident_bytes = event.resident_bytes
                flight.arrived += 1
                if flight.arrived > flight.heard:
                    self._hear(flight, event.progress, on_report)
            case Ended():
                return self._on_end(flight, event.end, on_report)
            case Refused():
                return self._on_failed_attempt(flight, event.reason)
        return None

    def _hear(self, flight: Flight, progress: Progress, on_report: OnReport) -> None:
        flight.heard += 1
        if on_report(flight.number, progress) and not flight.stopping:
            flight.stopping = True
            assert flight.worker is not None
            self._line.stop(flight.key, flight.worker)

    def _on_end(self, flight: Flight, end: TrialEnd, on_report: OnReport) -> Outcome:
        for progress in end.reports[flight.heard :]:
            self._hear(flight, progress, on_report)
        worker = self._take_off(flight)
        is_full = over_memory(self._limits, end.resident_bytes / NEARLY)
        if worker and is_full and isinstance(end.outcome, Broken):
            # What it freed may not have gone back to the system, and the next trial would pay for it.
            self._restart(worker)
        return end.outcome

    def _on_failed_attempt(self, flight: Flight, reason: str) -> Outcome | None:
        seconds = time.monotonic() - (flight.started or time.monotonic())
        flight.killed, flight.died_on = flight.killed + 1, self._take_off(flight)
        if flight.overdue:
            return Broken(flight.number, seconds, flight.overdue)
        if flight.stopping:
            return Stopped(flight.number, seconds)
        if flight.killed >= MOST_WORKERS_KILLED:
            return Broken(flight.number, seconds, reason)
        self._roster.waiting.appendleft(flight)
        return None

    def _on_death(self, worker: str) -> Outcome | None:
        flights = [*self._roster.workers.get(worker, ())]
        for flight in reversed(flights[1:]):
            self._put_back(flight)
        outcome = self._on_died_under(flights[0], worker) if flights else None
        self._roster.leave(worker)
        return outcome

    def _on_died_under(self, flight: Flight, worker: str) -> Outcome | None:
        if worker in self._roster.leaving and not flight.overdue:
            self._put_back(flight)
            return None
        return self._on_failed_attempt(flight, _death(flight, self._limits))

    def _on_pause(self, worker: str) -> Outcome | None:
        # Dask pauses a worker that is low on memory: what runs there goes on, but nothing new ever begins.
        flights = self._roster.workers.get(worker)
        if flights is None or worker in self._roster.leaving or (flights and flights[0].started):
            return None
        self._restart(worker)
        return self._on_failed_attempt(flights[0], PAUSED) if flights else None

    def _take_off(self, flight: Flight) -> str | None:
        self._line.forget(flight.key)
        return self._roster.take_off(flight)

    def _put_back(self, flight: Flight) -> None:
        self._line.forget(flight.key)
        self._roster.put_back(flight)

    def _reconnect(self) -> None:
        # The scheduler has forgotten every attempt; none of them is to blame.
        self._roster.clear()
        with suppress(OSError):
            self._line.open(RECONNECT_SECONDS)

    def _dispatch(self) -> None:
        while move := self._roster.next_move():
            flight, worker = move
            if flight.worker:
                self._take_off(flight)
            self._attempts += 1
            key = f"{self._line.topic}-{flight.number}-{self._attempts}"
            self._roster.assign(flight, worker, key)
            self._line.start(self._assignment(flight), worker)

    def _assignment(self, flight: Flight) -> Assignment:
        return Assignment(
            key=flight.key,
            number=flight.number,
            params=flight.params,
            objective=self._objective,
            topic=self._line.topic,
            limits=self._limits,
            models_from=self._models_from(flight.params),
            elsewhere=flight.elsewhere,
        )

    def _restart(self, worker: str) -> None:
        self._roster.leaving.add(worker)
        self._line.restart(worker)

    def _enforce_limits(self) -> None:
        # The worker looks at its limits itself, between two rounds; this is for a round that does not end.
        for flight in [*self._roster.at_work()]:
            if flight.started is None or flight.overdue:
                continue
            age = time.monotonic() - flight.started
            if age > self._limits.seconds + LIMIT_GRACE_SECONDS:
                flight.overdue = over_time(self._limits, age)
                assert flight.worker is not None
                self._restart(flight.worker)

    def _lose_patience(self) -> None:
        if self._roster.workers:
            self._alone_since = None
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since > ENGINE_PATIENCE_SECONDS:
            raise EngineLostError(f"there was no worker for {ENGINE_PATIENCE_SECONDS:.0f} s")


def _death(flight: Flight, limits: Limits) -> str:
    reason = f"{flight.killed + 1} workers died while they evaluated it"
    if flight.resident_bytes:
        reason += f", the last when it used {flight.resident_bytes / GIGABYTE:.2f} GB"
    if not math.isinf(limits.memory_bytes):
        reason += f" of {limits.memory_bytes / GIGABYTE:g} GB that --memory-per-worker allows"
    return reason
