"""Connections that are not held for ever by whoever sends or reads slowly, or says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from search.config import HEAD_SECONDS, READER_SECONDS

if TYPE_CHECKING:
    import asyncio


class PatientProtocol(H11Protocol):
    """Uvicorn's HTTP, which has a limit for idle connections, with limits for slow ones too."""

    head_seconds, reader_seconds = HEAD_SECONDS, READER_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_limit: asyncio.TimerHandle | None = None
        self._reader_limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._set_head_limit(self.head_seconds)

    def handle_events(self) -> None:
        """Waits no longer once the headers are here."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._set_head_limit(None)

    def on_response_complete(self) -> None:
        """Waits for the next request: an idle connection is closed first, one that dribbles headers here."""
        self._set_head_limit(self.timeout_keep_alive + self.head_seconds)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Begins to wait for a reader that is behind."""
        super().pause_writing()
        self._set_reader_limit(self.reader_seconds)

    def resume_writing(self) -> None:
        """The reader has caught up."""
        self._set_reader_limit(None)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to wait for."""
        self._set_head_limit(None)
        self._set_reader_limit(None)
        super().connection_lost(exc)

    def _set_head_limit(self, seconds: float | None) -> None:
        self._head_limit = self._moved(self._head_limit, seconds)

    def _set_reader_limit(self, seconds: float | None) -> None:
        self._reader_limit = self._moved(self._reader_limit, seconds)

    def _moved(self, timer: asyncio.TimerHandle | None, seconds: float | None) -> asyncio.TimerHandle | None:
        if timer is not None:
            timer.cancel()
        return None if seconds is None else self.loop.call_later(seconds, self.transport.abort)
