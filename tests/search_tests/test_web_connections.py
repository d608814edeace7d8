"""Slow and silent clients: each is let go, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import uvicorn
from starlette.datastructures import Headers

from search.web.bodies import read_body
from search.web.connections import PatientProtocol
from search.web.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Message, Receive, Scope, Send

PATIENCE_SECONDS = 30
MUCH = 50_000_000


class HastyProtocol(PatientProtocol):
    """The same rules with limits that a test can wait for."""

    head_seconds, reader_seconds = 0.2, 0.2


class Pages:
    """Answers `/much` with more than any buffer on the way holds, all else with a word.

    Attributes:
        is_given_up: Set when an answer of `/much` could not be sent to its end.
    """

    def __init__(self) -> None:
        self.is_given_up = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        body = b"x" * MUCH if scope["path"] == "/much" else b"word"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        if scope["path"] == "/much" and (await receive())["type"] == "http.disconnect":
            self.is_given_up.set()


@contextmanager
def _served(pages: Pages) -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(pages, http=HastyProtocol, ws="none", lifespan="off", log_config=None)
        config.timeout_keep_alive = 0
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)


def _rest(client: socket.socket) -> bytes:
    client.settimeout(PATIENCE_SECONDS)
    found = b""
    try:
        while piece := client.recv(65_536):
            found += piece
    except ConnectionResetError:
        return found
    return found


@pytest.mark.parametrize(
    "beginning",
    [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "],
    ids=["silent", "half a line", "half a header"],
)
def test_half_a_request_is_not_waited_for(beginning: bytes) -> None:
    """The connection is closed by the server; a whole request beside it is answered."""
    with _served(Pages()) as address, socket.create_connection(address) as slow:
        slow.sendall(beginning)
        with socket.create_connection(address) as other:
            other.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert _rest(other).endswith(b"word\r\n0\r\n\r\n")

        assert _rest(slow) == b""


def test_the_second_request_is_not_waited_for_either() -> None:
    """Who was answered once may not dribble the next headers for ever."""
    with _served(Pages()) as address, socket.create_connection(address) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")

        assert _rest(slow).endswith(b"word\r\n0\r\n\r\n")


def test_who_does_not_read_is_let_go() -> None:
    """An answer that nobody takes does not stay in memory."""
    pages = Pages()
    with _served(pages) as address, socket.create_connection(address) as slow:
        slow.sendall(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")

        assert pages.is_given_up.wait(PATIENCE_SECONDS)
        assert len(_rest(slow)) < MUCH


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """The request is refused with 408, one that is cut short with 400."""

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    headers = Headers({"content-length": "5"})
    late = asyncio.run(read_body(headers, never, 100, 0.05))
    short = asyncio.run(read_body(headers, gone, 100, PATIENCE_SECONDS))

    assert isinstance(late, Refusal)
    assert late.status == 408
    assert isinstance(short, Refusal)
    assert short.status == 400
