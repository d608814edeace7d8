"""An app that is made when it is first asked for: Optuna's and MLflow's pages take seconds to import."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send


class LateApp:
    """Answers as an app that is made once there is something to show, and again where that is replaced.

    Args:
        make: Makes it, in a thread; None where there is nothing to show yet.
        instead: Answers until then; takes why the app cannot be made, if it was tried.
        source: Tells quickly which database it would be made of.
    """

    def __init__(
        self,
        make: Callable[[], ASGIApp | None],
        instead: Callable[[str | None], Response],
        source: Callable[[], object],
    ) -> None:
        self._make, self._instead, self._source = make, instead, source
        self._lock = threading.Lock()
        self._app: ASGIApp | None = None
        self._made_of: object = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        try:
            app = self._app if self._is_current else await run_in_threadpool(self.prepare)
        except Exception as error:  # noqa: BLE001 - a database half made, of another version, gone: tried again each time
            said = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            await self._instead(said)(scope, receive, send)
            return
        await (app or self._instead(None))(scope, receive, send)

    def prepare(self) -> ASGIApp | None:
        """Makes the app unless it is there; returns it."""
        with self._lock:
            if not self._is_current:
                source = self._source()
                self._app = None
                self._app = self._make()
                self._made_of = source
            return self._app

    @property
    def _is_current(self) -> bool:
        return self._app is not None and self._made_of == self._source()
