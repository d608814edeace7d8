"""Recording off the evaluation path.

One background thread runs the jobs in the order they came. The record is a mirror of the ledger and can be
rebuilt from it, so nothing that happens here may stop, slow or fail a search: a failing job is counted and
told once, and what it missed is for `MLflowCallback.sync`.
"""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Recorder:
    """A queue of recording jobs and the thread that works it off.

    All methods may be called from any thread and return at once, but for `drain` and `close`.

    Attributes:
        failures: Jobs that raised so far.
        first_error: The first of them in words; empty while there is none.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.failures = 0
        self.first_error = ""
        self._warn = warn
        self._jobs: deque[tuple[str, Callable[[], None]]] = deque()
        self._running = False
        self._closed = False
        self._changed = threading.Condition()
        # A daemon: a job that hangs on a dead server must not keep the process alive.
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Jobs not yet done, the running one included."""
        with self._changed:
            return self._left()

    def submit(self, label: str, job: Callable[[], None]) -> None:
        """Queues a job; one that comes after `close` is counted as a failure.

        Args:
            label: What the job records, for the warning: `trial 12`.
            job: Called once, in the background thread.
        """
        with self._changed:
            if not self._closed:
                self._jobs.append((label, job))
                self._changed.notify_all()
                return
        self._note(label, RuntimeError("recording has ended"))

    def drain(self, timeout_seconds: float) -> bool:
        """Waits until nothing is left to do; true if that happened in time."""
        deadline = monotonic() + timeout_seconds
        with self._changed:
            return self._changed.wait_for(lambda: not self._left(), timeout=deadline - monotonic())

    def close(self, timeout_seconds: float) -> bool:
        """Takes no further jobs and waits for the queued ones; true if all were done in time.

        Jobs still queued after the time are dropped.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        done = self.drain(timeout_seconds)
        with self._changed:
            self._jobs.clear()
            self._changed.notify_all()
        return done

    def _left(self) -> int:
        return len(self._jobs) + self._running

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._closed)
                if not self._jobs:
                    return
                label, job = self._jobs.popleft()
                self._running = True
            self._run(label, job)
            with self._changed:
                self._running = False
                self._changed.notify_all()

    def _run(self, label: str, job: Callable[[], None]) -> None:
        # SystemExit from a client library would end this thread in silence, and leave `drain` waiting.
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - whatever a tracking server does, the search goes on
            self._note(label, error)

    def _note(self, label: str, error: BaseException) -> None:
        with self._changed:
            self.failures += 1
            is_first = self.failures == 1
            if is_first:
                self.first_error = f"{label}: {_first_line(error)}"
        if is_first:
            self._tell(f"MLflow did not record {self.first_error}; the search goes on, a sync will add it")

    def _tell(self, text: str) -> None:
        try:
            self._warn(text)
        except Exception:  # noqa: BLE001 - a closed terminal is no reason to lose the rest of the record
            return


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
