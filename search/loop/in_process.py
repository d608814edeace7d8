"""Evaluates in the caller's own thread, one at a time: for a debugger."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from search.loop.engine import Limits, OverLimitError, Stopped
from search.loop.limits import over_memory, over_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from objectives.base import Params, Progress
    from search.loop.engine import Engine, OnReport, OnWait, Outcome
    from search.loop.ground import Elsewhere, Ground


@contextmanager
def in_process_engine(ground: Ground, limits: Limits) -> Iterator[Engine]:
    """Opens the engine."""
    yield InProcessEngine(ground, limits)


class InProcessEngine:
    """An engine with one slot. Limits are looked at between two rounds only: nobody can kill this thread."""

    slots = 1
    at_once = 1

    def __init__(self, ground: Ground, limits: Limits = Limits()) -> None:  # noqa: B008 - a frozen value
        self._ground, self._limits = ground, limits
        self._waiting: list[tuple[int, Params, Elsewhere | None]] = []

    def submit(self, number: int, params: Params, elsewhere: Elsewhere | None = None) -> None:
        """Keeps the configuration until `next_outcome`."""
        self._waiting.append((number, params, elsewhere))

    def next_outcome(
        self, on_report: OnReport, deadline: float, on_wait: OnWait = lambda: None
    ) -> Outcome | None:
        """Evaluates the next configuration; `on_wait` is called at its reports."""
        number, params, elsewhere = self._waiting.pop(0)
        line = _DirectLine(number, on_report, on_wait, deadline, self._limits)
        outcome = self._ground.evaluate(number, params, line, elsewhere)
        return None if isinstance(outcome, Stopped) and time.monotonic() > deadline else outcome

    def abandon(self) -> None:
        """Forgets what was not started; nothing runs between two calls."""
        self._waiting.clear()

    def close(self) -> None:
        """As `abandon`."""
        self.abandon()


class _DirectLine:
    def __init__(
        self, number: int, on_report: OnReport, on_wait: OnWait, deadline: float, limits: Limits
    ) -> None:
        self._number, self._on_report, self._on_wait = number, on_report, on_wait
        self._deadline, self._limits = deadline, limits
        self._start = time.monotonic()

    def __call__(self, progress: Progress) -> bool:
        self._on_wait()
        timed = progress._replace(seconds=time.monotonic() - self._start)
        return self._on_report(self._number, timed) or self.stopped()

    def stopped(self) -> bool:
        excess = over_time(self._limits, time.monotonic() - self._start) or over_memory(self._limits)
        if excess:
            raise OverLimitError(excess)
        return time.monotonic() > self._deadline
