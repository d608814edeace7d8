"""What each answer says to the browser: run nothing that is not ours, show us in no other page, guess nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from storage.record.run_pages import PREFIX

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FILES = re.compile(
    rf"/artifacts/.*|/submissions/.*|/csv/.*|{PREFIX}/(model-versions/)?get-artifact"
    rf"|{PREFIX}/(ajax-)?api/[^/]*/(mlflow-artifacts/.*|mlflow/get-trace-artifact|mlflow/logged-models/.*/artifacts/.*)"
)
"""Paths of files that somebody else's program may have written."""
_SHOWN_AS_THEY_ARE = (
    b"image/png",
    b"image/jpeg",
    b"image/gif",
    b"image/webp",
    b"text/csv",
    b"application/json",
)

_COMMON = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_FRONT = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Both pages are built with styles in their elements; the dashboard's and MLflow's plots compile shaders and parsers.
_APPS = (
    b"default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    b"frame-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_FILE = b"default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'"
_DROPPED = {name for name, _ in _COMMON} | {b"content-security-policy", b"server", b"x-powered-by"}


class SafeHeaders:
    """Puts these headers on every answer, in place of what is there.

    Args:
        app: What answers.
        is_encrypted: Whether it is reached by TLS only.
    """

    def __init__(self, app: ASGIApp, *, is_encrypted: bool) -> None:
        self._app = app
        # Browsers that came by TLS once shall not be talked into coming without.
        self._further = ((b"strict-transport-security", b"max-age=31536000"),) if is_encrypted else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._headers(scope["path"], message.get("headers", []))}
            await send(message)

        await self._app(scope, receive, safe if scope["type"] == "http" else send)

    def _headers(self, path: str, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        kept = [
            (name, value)
            for name, value in ((name.lower(), value) for name, value in given)
            if name not in _DROPPED and not name.startswith(b"access-control-")
        ]
        if FILES.fullmatch(path):
            kept = _as_file(kept)
        return [*kept, *_COMMON, *self._further, (b"content-security-policy", _policy(path))]


def _policy(path: str) -> bytes:
    if FILES.fullmatch(path):
        return _FILE
    return _APPS if path.startswith((f"{PREFIX}/", "/dashboard")) else _FRONT


def _as_file(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Makes a file something to save: also a browser that ignores one of the headers heeds another."""
    kind = dict(headers).get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind not in _SHOWN_AS_THEY_ARE:
        is_text = kind.startswith(b"text/") or kind.endswith((b"xml", b"javascript"))
        kind = b"text/plain; charset=utf-8" if is_text else b"application/octet-stream"
    named = dict(headers).get(b"content-disposition", b"")
    kept = [one for one in headers if one[0] not in {b"content-type", b"content-disposition"}]
    disposition = named if named.lower().startswith(b"attachment") else b"attachment"
    return [*kept, (b"content-type", kind), (b"content-disposition", disposition)]
