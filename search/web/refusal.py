"""A request refused: a status, one line of text, and nothing that a browser could run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from starlette.types import Send


class Refusal(NamedTuple):
    """Why a request is not served.

    Attributes:
        status: Of HTTP.
        line: What was got, what is allowed, what to do.
        headers: Besides the usual ones.
    """

    status: int
    line: str
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send(self, send: Send) -> None:
        """Answers with it; the connection is closed, for whatever follows was not read."""
        body = self.line.encode() + b"\n"
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
