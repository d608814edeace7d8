"""How much processor time the pages take from a search."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from search.config import PAGE_CREDIT_SECONDS, PAGE_DEBT_SECONDS, PAGE_GUESS_SECONDS
from search.web import thrift
from search.web.thrift import Budget, Thrift
from storage.layout import Layout
from storage.study_lock import is_searching_here, study_lock

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from starlette.types import Message, Receive, Scope, Send

RATE = 0.1


class Times:
    """A clock and a use of the processor that stand still until they are set."""

    def __init__(self) -> None:
        self.now = self.used = 0.0

    def budget(self) -> Budget:
        """A budget by these."""
        return Budget(RATE, lambda: self.now, lambda: self.used)


async def _page(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the framework's form
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _status(app: Thrift) -> int:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http"}, receive, send))
    return int(sent[0]["status"])


def test_what_is_used_comes_back_at_the_rate() -> None:
    """In the long run the pages use no more than their share."""
    times = Times()
    budget = times.budget()
    assert budget.left == PAGE_CREDIT_SECONDS
    times.used = PAGE_CREDIT_SECONDS
    assert budget.left == 0
    times.now = 10.0
    assert budget.left == 10 * RATE
    times.now = 1e6
    assert budget.left == PAGE_CREDIT_SECONDS


def test_a_dear_page_closes_the_door_for_a_bounded_time() -> None:
    """What one page has cost beyond the debt allowed is forgiven."""
    times = Times()
    budget = times.budget()
    times.used = 1e6
    assert budget.left == -PAGE_DEBT_SECONDS


def test_requests_under_way_count() -> None:
    """A crowd that comes at once does not pass before the first of it has been paid for."""
    budget = Times().budget()
    budget.under_way = round(PAGE_CREDIT_SECONDS / PAGE_GUESS_SECONDS)
    assert budget.left <= 0


def test_who_would_wait_for_long_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without budget nothing is answered while a search is at work, and everything when none is."""
    monkeypatch.setattr(thrift, "PAGE_WAIT_SECONDS", 0.0)
    times = Times()
    budget = times.budget()
    times.used = 2 * PAGE_CREDIT_SECONDS
    assert _status(Thrift(_page, is_searching=lambda: True, budget=budget)) == 503
    assert _status(Thrift(_page, is_searching=lambda: False, budget=budget)) == 200
    assert budget.under_way == 0


def test_a_search_here_is_seen(tmp_path: Path) -> None:
    """Whether a search is at work is asked of the lock files, of whatever study."""
    layout = Layout(tmp_path)
    assert not is_searching_here(layout)
    with study_lock(layout, "東京 1"):
        assert is_searching_here(layout)
    assert not is_searching_here(layout)
