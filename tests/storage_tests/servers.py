"""A real MLflow server, and a proxy in front of it that fails as asked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_ATTEMPTS = 3_000


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(folder: Path, template: Path) -> Iterator[str]:
    """Runs `mlflow server` on a copy of an empty database; gives its address."""
    shutil.copy(template, folder / "mlflow.db")
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    environment = {
        **os.environ,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 9)
        server.wait()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Waits until a server answers; fails if it has ended."""
    pause = threading.Event()
    for _ in range(START_ATTEMPTS):
        assert server.poll() is None, "the server ended while it started"
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - our own server
                return
        except OSError:
            pause.wait(0.1)
    raise AssertionError("the server did not start")


class Proxy:
    """Passes requests on to a server, but for the faults a test asks for.

    Attributes:
        is_hit: Set when a request met a fault.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.is_hit = threading.Event()
        self._fault = ""
        self._lost: dict[str, int] = {}
        self._recovered = threading.Event()
        self._port = free_port()
        self._listen()

    @property
    def address(self) -> str:
        """Its address, the same after a refusal."""
        return f"http://127.0.0.1:{self._port}"

    @contextmanager
    def outage(self, fault: str) -> Iterator[None]:
        """Fails while a block runs.

        Args:
            fault: `refuse` connections, `stall` (accept and never answer), `error` (500), `cut` (pass the
                request on, and close without its answer).
        """
        self._fault = fault
        if fault == "refuse":
            self._server.server_close()
            self.is_hit.set()
        try:
            yield
        finally:
            self._fault = ""
            if fault == "refuse":
                self._listen()
            self._recovered.set()

    def lose_answers(self, endpoint: str, times: int) -> None:
        """Lets the server do what is asked at an endpoint, and cuts its next answers off."""
        self._lost[endpoint] = times

    def close(self) -> None:
        """Ends all that waits, and the proxy."""
        self._recovered.set()
        self._server.shutdown()
        self._server.server_close()

    def loses(self, path: str) -> bool:
        """Whether the answer to a request is to be lost; counts it."""
        for endpoint, times in self._lost.items():
            if path.endswith(endpoint) and times:
                self._lost[endpoint] -= 1
                self.is_hit.set()
                return True
        return self._fault == "cut"

    def stumble(self, handler: BaseHTTPRequestHandler) -> bool:
        """Treats a request as the present fault demands; false if there is none."""
        if not self._fault:
            return False
        self.is_hit.set()
        if self._fault == "cut":
            return False
        if self._fault == "error":
            handler.send_error(500)
        if self._fault == "stall":
            self._recovered.wait()
        handler.close_connection = True
        return True

    def _listen(self) -> None:
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    owner: Proxy

    def _pass_on(self) -> None:
        # Without keep-alive, so that a refusal meets no connection that is open already.
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.owner.stumble(self):
            return
        with closing(HTTPConnection(self.owner.target)) as server:
            server.request(self.command, self.path, body, dict(self.headers))
            answer = server.getresponse()
            content = answer.read()
        if self.owner.loses(urlsplit(self.path).path):
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in {"content-type", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - the base class's names

    def log_message(self, *_args: object) -> None:
        return
