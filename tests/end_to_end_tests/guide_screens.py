"""The screens of the guide, really started on free ports."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGINT, SIGKILL
from time import monotonic, sleep
from typing import TYPE_CHECKING
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE_SECONDS = 120
"""Bounds what a broken server would be waited for; a sound one never takes it."""
# One process each instead of a dozen: who looks is alone.
LIGHT = {
    "MLFLOW_WORKERS": "1",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


@contextmanager
def started(command: Sequence[str], home: Path) -> Iterator[str]:
    """Starts a command that serves pages, on a free port whatever port it names, and waits for its page.

    Yields:
        Its address, with a slash.

    Raises:
        AssertionError: If it ends, or serves nothing.
    """
    line = re.sub(r" --port \d+", "", " ".join(command))
    port = _free_port()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with subprocess.Popen(
        [*line.split(), "--port", str(port)],
        cwd=home,
        env={**os.environ, **LIGHT, "PATH": path},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _wait(f"http://127.0.0.1:{port}/", server)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.send_signal(SIGINT)
            try:
                server.wait(PATIENCE_SECONDS)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(server.pid, SIGKILL)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    give_up = monotonic() + PATIENCE_SECONDS
    while server.poll() is None:
        with suppress(OSError), urlopen(url) as answer:  # noqa: S310 - our own address
            answer.read()
            return
        assert monotonic() < give_up, f"no page at {url}"
        sleep(0.1)
    raise AssertionError(f"{server.args} ended with exit code {server.returncode}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
