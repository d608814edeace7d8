"""Who is let in by the gate, with which login."""

from __future__ import annotations

import asyncio
import base64
import socket
from typing import TYPE_CHECKING, Any

import pytest

from search.web.gate import Gate, path_fault
from search.web.opening import Door

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

TOKEN, USER = "sixteen-letters-or-more", "me:twelve-letters-or-more"


async def _page(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the framework's form
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _status(secret: str | None, *, is_token: bool, login: str | None) -> int:
    """The answer to somebody who asks for the front page with an `Authorization` header."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1")] + ([(b"authorization", login.encode())] if login else [])
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "scheme": "http"}
    with socket.socket() as listener:
        door = Door(listener, "http://127.0.0.1", ("127.0.0.1",), secret, is_token, None)
        gate = Gate(_page, door, writable=False)
        asyncio.run(gate({**scope, "query_string": b"", "headers": headers}, receive, send))
    return int(sent[0]["status"])


def _basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("login", "with_token", "with_user"),
    [
        (None, 401, 401),
        (f"Bearer {TOKEN}", 200, 401),
        (_basic(f"anybody:{TOKEN}"), 200, 401),
        (_basic(USER), 401, 200),
        (f"Bearer {USER}", 401, 401),
        (_basic("you:" + USER.partition(":")[2]), 401, 401),
        (_basic(TOKEN), 401, 401),
        ("Basic ***", 401, 401),
        ("Bearer ", 401, 401),
        ("Basic", 401, 401),
    ],
)
def test_only_the_right_login_opens(login: str | None, with_token: int, with_user: int) -> None:
    """A token with any name or as bearer; a user by both parts; nothing that is empty, broken or of the other kind."""
    assert _status(TOKEN, is_token=True, login=login) == with_token
    assert _status(USER, is_token=False, login=login) == with_user
    assert _status(None, is_token=False, login=login) == 200


@pytest.mark.parametrize("path", ["/", "/studies/1/run", "/static/bundle.js", "/a.b/..c", "/日本"])
def test_plain_paths_pass(path: str) -> None:
    """Dots within names are no way up."""
    assert path_fault(path) is None


@pytest.mark.parametrize("path", ["/..", "/a/../b", "/./a", "//a", "/a\\b", "/%2e", "/a\x00b", "/a\nb"])
def test_odd_paths_do_not(path: str) -> None:
    """However the way up is written; the server has decoded once, so a percent sign is a second coding."""
    assert path_fault(path) is not None
