"""A request's body, read whole before anything else happens: bounded in size and in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from search.web.refusal import Refusal

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.types import Message, Receive

_GONE = Refusal(400, "got half a request; allowed: a whole one")


async def read_body(headers: Headers, receive: Receive, most: int, seconds: float) -> bytes | Refusal:
    """Returns the body, or why it is not taken.

    Args:
        headers: The request's.
        receive: Gives the next piece.
        most: Bytes allowed.
        seconds: Time that all of it may take.
    """
    too_big = Refusal(413, f"got more than {most:,} bytes; allowed: fewer")
    declared = headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > most:
        return too_big
    if declared == "0" and "transfer-encoding" not in headers:
        return b""
    try:
        async with asyncio.timeout(seconds):
            pieces, size, is_more = [], 0, True
            while is_more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return _GONE
                pieces.append(message.get("body", b""))
                size, is_more = size + len(pieces[-1]), message.get("more_body", False)
                if size > most:
                    return too_big
    except TimeoutError:
        return Refusal(408, f"got a body that is not here after {seconds:.0f} s; allowed: a faster one")
    return b"".join(pieces)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, and then whatever comes."""
    is_given = False

    async def again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
