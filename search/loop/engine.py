"""Where configurations are evaluated. An engine never touches the study."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from objectives.base import CVResult, EvaluationStopped, Objective, Params, Progress


class Evaluated(NamedTuple):
    """A configuration evaluated to its end."""

    number: int
    seconds: float
    result: CVResult


class Stopped(NamedTuple):
    """A configuration given up after a report."""

    number: int
    seconds: float


class Broken(NamedTuple):
    """A configuration whose evaluation raised."""

    number: int
    seconds: float
    reason: str


Outcome = Evaluated | Stopped | Broken
OnReport = Callable[[int, Progress], bool]


class Engine(Protocol):
    """Evaluates up to `slots` configurations at once."""

    slots: int

    def submit(self, number: int, params: Params) -> None:
        """Starts, or queues, the evaluation of a trial."""
        ...

    def next_outcome(self, on_report: OnReport, deadline: float) -> Outcome | None:
        """Waits for one trial to end.

        Args:
            on_report: Called in this thread with each report, in order; true stops that trial.
            deadline: `time.monotonic()` after which to return None.
        """
        ...

    def close(self) -> None:
        """Stops whatever still runs."""
        ...


class InProcessEngine:
    """Evaluates in the caller's own thread, one at a time: for a debugger."""

    slots = 1

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._waiting: list[tuple[int, Params]] = []

    def submit(self, number: int, params: Params) -> None:
        """Keeps the configuration until `next_outcome`."""
        self._waiting.append((number, params))

    def next_outcome(self, on_report: OnReport, deadline: float) -> Outcome | None:
        """Evaluates the next configuration."""
        number, params = self._waiting.pop(0)
        outcome = _evaluate(self._objective, number, params, _DirectLine(number, on_report, deadline))
        return None if isinstance(outcome, Stopped) and time.monotonic() > deadline else outcome

    def close(self) -> None:
        """Forgets what was not started."""
        self._waiting.clear()


class _DirectLine:
    def __init__(self, number: int, on_report: OnReport, deadline: float) -> None:
        self._number, self._on_report, self._deadline = number, on_report, deadline

    def __call__(self, progress: Progress) -> bool:
        return self._on_report(self._number, progress) or self.stopped()

    def stopped(self) -> bool:
        return time.monotonic() > self._deadline


class ThreadEngine:
    """Evaluates in threads of this process; LightGBM releases the interpreter while it fits."""

    def __init__(self, objective: Objective, workers: int) -> None:
        self.slots = workers
        self._objective = objective
        self._events: queue.SimpleQueue[tuple[int, Progress] | Outcome] = queue.SimpleQueue()
        self._lines: dict[int, _QueuedLine] = {}
        self._threads: list[threading.Thread] = []

    def submit(self, number: int, params: Params) -> None:
        """Starts a thread for the trial."""
        line = self._lines[number] = _QueuedLine(number, self._events)
        # Daemon: a fit that is deep in C code must not keep an interrupted command from ending.
        thread = threading.Thread(target=self._work, args=(number, params, line), daemon=True)
        self._threads = [*(t for t in self._threads if t.is_alive()), thread]
        thread.start()

    def _work(self, number: int, params: Params, line: _QueuedLine) -> None:
        start = time.monotonic()
        try:
            outcome = _evaluate(self._objective, number, params, line)
        except BaseException as error:  # noqa: BLE001 - a thread that ends unheard would be waited for for ever
            outcome = Broken(number, time.monotonic() - start, f"{type(error).__name__}: {error}")
        self._events.put(outcome)

    def next_outcome(self, on_report: OnReport, deadline: float) -> Outcome | None:
        """Handles reports until a trial ends."""
        while True:
            try:
                event = self._events.get(
                    timeout=max(0.0, min(deadline - time.monotonic(), threading.TIMEOUT_MAX))
                )
            except queue.Empty:
                return None
            if isinstance(event, Evaluated | Stopped | Broken):
                del self._lines[event.number]
                return event
            number, progress = event
            if on_report(number, progress):
                self._lines[number].stop.set()
            if time.monotonic() > deadline:
                return None

    def close(self, patience_seconds: float = 2.0) -> None:
        """Tells every thread to stop and waits a moment for it."""
        for line in self._lines.values():
            line.stop.set()
        until = time.monotonic() + patience_seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))


class _QueuedLine:
    def __init__(self, number: int, events: queue.SimpleQueue[tuple[int, Progress] | Outcome]) -> None:
        self._number, self._events = number, events
        self.stop = threading.Event()

    def __call__(self, progress: Progress) -> bool:
        self._events.put((self._number, progress))
        return self.stop.is_set()

    def stopped(self) -> bool:
        return self.stop.is_set()


def _evaluate(objective: Objective, number: int, params: Params, line: _DirectLine | _QueuedLine) -> Outcome:
    start = time.monotonic()
    try:
        result = objective.evaluate(params, line)
    except EvaluationStopped:
        return Stopped(number, time.monotonic() - start)
    except Exception as error:  # noqa: BLE001 - no configuration may sink the search
        return Broken(number, time.monotonic() - start, f"{type(error).__name__}: {error}")
    return Evaluated(number, time.monotonic() - start, result)


def open_engine(objective: Objective, workers: int) -> Engine:
    """In this thread for 0 workers, else in that many threads."""
    return InProcessEngine(objective) if workers == 0 else ThreadEngine(objective, workers)
