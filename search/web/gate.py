"""Who may ask for what: the visitor, the page that sent them, the path, and whether it changes anything."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from search.config import BODY_BYTES, BODY_SECONDS, HEAD_BYTES, WRITABLE_BODY_BYTES
from search.web.bodies import read_body, replayed
from search.web.refusal import Refusal
from storage.record.run_pages import PREFIX, is_reading

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from search.web.opening import Door

READING = ("GET", "HEAD")


class Gate:
    """Lets through what comes from our own pages, or by a link, from whom may come in, and changes nothing.

    The Host header has been checked before.

    Args:
        app: What is behind it.
        door: Its rules.
        writable: Whether requests may change something.
    """

    def __init__(self, app: ASGIApp, door: Door, *, writable: bool) -> None:
        self._app, self._door, self._writable = app, door, writable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes it on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = (
            _size_fault(scope)
            or path_fault(scope["path"])
            or _origin_fault(scope, headers)
            or self._login_fault(headers)
        )
        if refusal is None:
            refusal = await self._pass(scope, headers, receive, send)
        if refusal is not None:
            await refusal.send(send)

    async def _pass(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> Refusal | None:
        most = WRITABLE_BODY_BYTES if self._writable else BODY_BYTES
        # A method that is refused anyway is not worth reading a body for.
        if not self._writable and scope["method"] not in {*READING, "POST"}:
            return _method_fault(scope)
        body = await read_body(headers, receive, most, BODY_SECONDS)
        if isinstance(body, Refusal):
            return body
        if not self._writable and not self._reads(scope, body):
            return _method_fault(scope)
        await self._app(scope, replayed(body, receive), send)
        return None

    @staticmethod
    def _reads(scope: Scope, body: bytes) -> bool:
        method, path = scope["method"], scope["path"]
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            return is_reading(method, path, lambda: body)
        return method in READING

    def _login_fault(self, headers: Headers) -> Refusal | None:
        secret = self._door.secret
        if secret is None:
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                given = ""
            given = given.partition(":")[2] if self._door.is_token else given
        elif kind.lower() != "bearer" or not self._door.is_token:
            given = ""
        if hmac.compare_digest(given.encode(), secret.encode()):
            return None
        what = "the token as password, any name" if self._door.is_token else "name and password"
        return Refusal(
            401,
            f"got no valid login; allowed: {what}; do: log in",
            ((b"www-authenticate", b'Basic realm="search", charset="UTF-8"'),),
        )


def _size_fault(scope: Scope) -> Refusal | None:
    # Uvicorn bounds a head that comes in pieces only.
    size = len(scope["raw_path"]) + len(scope["query_string"])
    size += sum(len(name) + len(value) for name, value in scope["headers"])
    if size > HEAD_BYTES:
        return Refusal(431, f"got an address and headers of {size:,} bytes; allowed: {HEAD_BYTES:,}")
    return None


def path_fault(path: str) -> Refusal | None:
    """Refuses paths that lead out of a folder by whatever way of writing them."""
    parts = path.replace("\\", "/").split("/")
    is_odd = ".." in parts or "." in parts or "\\" in path or "//" in path or "%" in path
    if is_odd or any(ord(character) < ord(" ") for character in path):
        return Refusal(
            400, "got a path with .., //, %25, a backslash or a control character; allowed: plain ones"
        )
    return None


def _origin_fault(scope: Scope, headers: Headers) -> Refusal | None:
    own = f"{scope['scheme']}://{headers.get('host', '')}".lower()
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if origin is not None and origin.lower() != own:
        return Refusal(403, "got a request from another site's page; allowed: this address's own pages")
    if site in {"same-origin", "none"}:
        return None
    # A link that somebody clicks, which shows a page and gives the other site nothing.
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if is_link and scope["method"] in READING:
        return None
    return Refusal(
        403, "got a request from another site's page; allowed: this address's own pages, and links to them"
    )


def _method_fault(scope: Scope) -> Refusal:
    return Refusal(
        405,
        f"got {scope['method'][:20]}, which may change something; allowed: reading; "
        "do: use the commands, or start search.serve with --writable --token ...",
        ((b"allow", b"GET, HEAD"),),
    )
