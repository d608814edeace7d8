"""Recording off the evaluation path.

One background thread, started by the first job, runs them all in the order they came. The record is a mirror of
the ledger and can be rebuilt from it, so nothing that happens here may stop, slow or fail a search. While MLflow
does not answer, the jobs wait: the first is tried again at growing intervals, and when it succeeds the others
follow by themselves. What is still missing when the process ends is for `MLflowCallback.sync`.
"""

from __future__ import annotations

import threading
from collections import deque
from json import JSONDecodeError
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

THREAD_NAME = "recorder"
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# MLflow's words for a request that will not become right by itself.
FINAL_CODES = frozenset({"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "PERMISSION_DENIED", "ENDPOINT_NOT_FOUND"})
FINAL_ERRORS = (LookupError, TypeError, ValueError, AssertionError, AttributeError)


class Recorder:
    """A queue of recording jobs and the thread that works it off.

    A job must be repeatable: it may have done half its work when it raised. All methods may be called from
    any thread and return at once, but for `drain` and `close`.

    Args:
        warn: Takes one line when recording first falters, and one when it first goes on.

    Attributes:
        failures: Jobs that will not succeed however often they are tried; never the search's fault.
        first_error: The first trouble in words; empty while there was none.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.failures = 0
        self.first_error = ""
        self._warn = warn
        self._jobs: deque[tuple[str, Callable[[], None]]] = deque()
        self._pause = 0.0
        self._hurried = False
        self._recovered = False
        self._closed = False
        self._changed = threading.Condition()
        # A daemon: a job that hangs on a dead server must not keep the process alive.
        self._thread = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
        self._is_started = False

    @property
    def waiting(self) -> int:
        """Jobs not yet done, the running one included."""
        with self._changed:
            return len(self._jobs)

    def submit(self, label: str, job: Callable[[], None]) -> None:
        """Queues a job; one that comes after `close` is counted as a failure.

        Args:
            label: What the job records, for the warning: `trial 12`.
            job: Called in the background thread, again if it raises.
        """
        with self._changed:
            if not self._closed:
                self._jobs.append((label, job))
                self._start()
                self._changed.notify_all()
                return
            self.failures += 1
        self._falter(label, RuntimeError("recording has ended"))

    def drain(self, timeout_seconds: float) -> bool:
        """Waits until nothing is left to do; true if that happened in time.

        A job that waits for MLflow to come back is tried at once, and then at intervals that grow anew.
        """
        with self._changed:
            self._hurried = bool(self._pause)
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._jobs, timeout=timeout_seconds)

    def close(self, timeout_seconds: float) -> bool:
        """Takes no further jobs and waits for the queued ones; true if all were done in time.

        Where MLflow did not answer last, it is tried once more and not waited for any longer.
        """
        deadline = monotonic() + timeout_seconds
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._is_started:
            self._thread.join(max(0.0, deadline - monotonic()))
        return not self.waiting

    def _start(self) -> None:
        if not self._is_started:
            self._thread.start()
            self._is_started = True

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._closed)
                if self._pause and not self._closed:
                    self._sit_out_pause()
                is_last_try = self._closed and self._pause > 0
                if not self._jobs:
                    return
                label, job = self._jobs[0]
            if not self._run(label, job) and is_last_try:
                return

    def _sit_out_pause(self) -> None:
        self._changed.wait_for(lambda: self._closed or self._hurried, timeout=self._pause)
        if self._hurried:
            self._hurried, self._pause = False, FIRST_PAUSE_SECONDS / 2

    def _run(self, label: str, job: Callable[[], None]) -> bool:
        """Tries a job; true if it need not be tried again."""
        # SystemExit from a client library would end this thread in silence, and leave `drain` waiting.
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - whatever a tracking server does, the search goes on
            self._falter(label, error)
            if not _is_final(error):
                self._pause = min(max(2 * self._pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
                return False
            self.failures += 1
        else:
            self._recover()
        with self._changed:
            self._jobs.popleft()
            self._changed.notify_all()
        return True

    def _falter(self, label: str, error: BaseException) -> None:
        if self.first_error:
            return
        self.first_error = f"{label}: {_first_line(error)}"
        self._tell(f"MLflow did not record {self.first_error}; the search goes on, the record follows")

    def _recover(self) -> None:
        if self._pause:
            self._pause = 0.0
            # As with the first trouble: one line, however often a server comes and goes.
            if self._recovered:
                return
            self._recovered = True
            self._tell(f"MLflow answers again; {self.waiting} pieces of the record are on their way")

    def _tell(self, text: str) -> None:
        try:
            self._warn(text)
        except Exception:  # noqa: BLE001 - a closed terminal is no reason to lose the rest of the record
            return


def _is_final(error: BaseException) -> bool:
    if isinstance(error, JSONDecodeError):  # half an answer, or a proxy's page in place of one
        return False
    return getattr(error, "error_code", None) in FINAL_CODES or isinstance(error, FINAL_ERRORS)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
