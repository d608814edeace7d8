"""What a local worker process does first (https://docs.dask.org/en/stable/how-to/customize-initialization.html)."""

from __future__ import annotations

import signal


def dask_setup(_worker: object) -> None:
    """Leaves Ctrl-C, which a terminal sends to all processes of a command, to the coordinator."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
