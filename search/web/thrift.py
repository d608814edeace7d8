"""A budget of processor time for the pages while a search is at work on this machine: the search goes first."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from search.config import (
    PAGE_CREDIT_SECONDS,
    PAGE_DEBT_SECONDS,
    PAGE_GUESS_SECONDS,
    PAGE_SHARE,
    PAGE_WAIT_SECONDS,
)
from search.loop.cores import available_cores
from search.web.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

LOOK_AGAIN_SECONDS = 0.1
BUSY = Refusal(
    503,
    "got more requests than a running search leaves time for; do: ask again in a moment",
    ((b"retry-after", b"5"),),
)


class Budget:
    """Seconds of processor time that may still be used; they come back at a steady rate.

    Niceness alone does not do it: a crowd at the pages would take half a core from a search that another
    terminal started.

    Args:
        rate: Seconds of processor time that come back in each second.
        clock: Seconds that have gone by.
        used: Seconds of processor time that this process has used.
    """

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.process_time,
    ) -> None:
        self._rate, self._clock, self._used = rate, clock, used
        self._credit = PAGE_CREDIT_SECONDS
        self._looked, self._used_then = clock(), used()
        self.under_way = 0

    @property
    def left(self) -> float:
        """What is left, less a guess for the requests that are under way; below 0 after a dear one."""
        now, used = self._clock(), self._used()
        grown = self._credit + self._rate * (now - self._looked) - (used - self._used_then)
        # One very dear page must not close the door for minutes.
        self._credit = max(-PAGE_DEBT_SECONDS, min(PAGE_CREDIT_SECONDS, grown))
        self._looked, self._used_then = now, used
        return self._credit - PAGE_GUESS_SECONDS * self.under_way


class Thrift:
    """Lets requests wait for the budget, and refuses those that would wait for long.

    Args:
        app: What answers.
        is_searching: Whether a search is at work on this machine; nothing waits otherwise.
        budget: The budget; by default a small share of the cores.
    """

    def __init__(
        self, app: ASGIApp, *, is_searching: Callable[[], bool], budget: Budget | None = None
    ) -> None:
        self._app, self._is_searching = app, is_searching
        self._budget = budget or Budget(PAGE_SHARE * available_cores())
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(PAGE_WAIT_SECONDS), self._turn:
                while self._budget.left <= 0 and self._is_searching():  # noqa: ASYNC110 - time passes, nobody tells
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
        except TimeoutError:
            await BUSY.send(send)
            return
        self._budget.under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._budget.under_way -= 1
