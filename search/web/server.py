"""The server of the front door, from its start to a clean end."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from search.config import GOODBYE_SECONDS, HEAD_BYTES, LEAVING_MOMENT_SECONDS, MOST_CONNECTIONS, NICENESS

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from search.web.opening import Door


def serve(app: Starlette, door: Door) -> None:
    """Serves until the process is asked to stop; answers under way get a moment more.

    Raises:
        KeyboardInterrupt: When it was asked to stop; the port is free again then.
    """
    import uvicorn

    from search.web.connections import PatientProtocol

    # A search started from the same terminal goes first. Where the system groups processes by session
    # (/proc/sys/kernel/sched_autogroup_enabled), one from another terminal shares evenly with this: see `Thrift`.
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)
    chain, key = door.certificate or (None, None)
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        ssl_certfile=None if chain is None else str(chain),
        ssl_keyfile=None if key is None else str(key),
    )
    server = uvicorn.Server(config)
    # Answers that are cut off at the end are no faults.
    logging.getLogger("uvicorn.error").addFilter(lambda _: not server.should_exit)
    try:
        server.run(sockets=[door.listener])
    finally:
        door.listener.close()


def leave_soon(code: int) -> None:
    """Ends the process a moment from now even if a page is still being made; nothing of it is kept anyway.

    Args:
        code: The process's exit code.
    """
    # Python would wait for the threads of both apps, which cannot be interrupted.
    last = threading.Timer(LEAVING_MOMENT_SECONDS, os._exit, [code])
    last.daemon = True
    last.start()
