"""Processes of the fault campaign: searches that start in milliseconds, and a tracking server to be killed.

A command needs seconds to import its libraries, which would be most of a campaign of 300 kills. So most of its
processes are forked from one that has them imported, as multiprocessing's forkserver does; the rest are started
cold, as a user would.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path

PATIENCE_SECONDS = 300.0
"""Bounds what a broken process would hang in."""
PRELOADED = [
    "lightgbm",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.tracking.rest_store",
    "mlflow.pyfunc",
    "objectives.models.lightgbm",
    "optuna.samplers",
    "optuna.storages",
    "pandas",
    "search.loop.search",
    "search.results.summary",
    "search.results.synchronisation",
    "sklearn.model_selection",
]


def run_command(  # noqa: PLR0917 - multiprocessing takes them in order
    home: str,
    command: str,
    arguments: Sequence[str],
    log: str,
    environment: dict[str, str],
    quota: int | None,
) -> None:
    """Runs `search.<command>` in this process, which exits with its code.

    Args:
        home: The working directory.
        command: Such as `run`.
        arguments: Its flags.
        log: File that gets its output.
        environment: Variables to set.
        quota: Bytes that no file may grow beyond; None: no limit.
    """
    os.chdir(home)
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if quota is not None:
        _set_quota(quota)
    from importlib import import_module

    code = import_module(f"search.{command}").main(list(arguments))
    sys.stdout.flush()
    sys.exit(code)


def _set_quota(limit: int) -> None:
    # Python ignores SIGXFSZ, so that a write beyond the limit fails as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@dataclass
class Running:
    """A started command."""

    process: ForkServerProcess | subprocess.Popen[bytes]

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        if isinstance(self.process, subprocess.Popen):
            return self.process.poll()
        return self.process.exitcode

    def kill(self) -> bool:
        """Kills it; false if it had ended by itself."""
        was_running = self.code is None
        if self.process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
        self.wait()
        return was_running and self.code == -signal.SIGKILL

    def wait(self) -> int:
        """Waits for its end and returns its exit code."""
        if isinstance(self.process, subprocess.Popen):
            return self.process.wait(PATIENCE_SECONDS)
        self.process.join(PATIENCE_SECONDS)
        assert self.process.exitcode is not None, "the command hangs"
        return self.process.exitcode


@dataclass
class Commands:
    """Starts commands in one project.

    Attributes:
        home: The project.
        environment: Variables of every command.
    """

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """What all commands have printed."""
        return self.home / "output.log"

    def start(self, command: str, *arguments: str, cold: bool = False, quota: int | None = None) -> Running:
        """Starts a command."""
        if cold:
            return self._start_cold(command, arguments, quota)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        values = (str(self.home), command, arguments, str(self.log), self.environment, quota)
        process = context.Process(target=run_command, args=values)
        process.start()
        return Running(process)

    def run(self, command: str, *arguments: str) -> int:
        """Runs a command to its end and returns its exit code."""
        return self.start(command, *arguments).wait()

    def _start_cold(self, command: str, arguments: Sequence[str], quota: int | None) -> Running:
        with self.log.open("ab") as log:
            return Running(
                subprocess.Popen(
                    [sys.executable, "-m", f"search.{command}", *arguments],
                    cwd=self.home,
                    env={**_measured(quota), **self.environment},
                    stdout=log,
                    stderr=log,
                    preexec_fn=(lambda: _set_quota(quota)) if quota is not None else None,  # noqa: PLW1509
                )
            )


def _measured(quota: int | None) -> dict[str, str]:
    """The environment of a command; without coverage's own file under a quota, at which that file fails first."""
    return {
        name: value
        for name, value in os.environ.items()
        if quota is None or name != "COVERAGE_PROCESS_CONFIG"
    }


class Server:
    """A real tracking server on a database of its own, which may be killed and started again.

    Args:
        home: Folder of its database and artifacts.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts it; returns before it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(self._port)]
        command += ["--backend-store-uri", f"sqlite:///{self._home / 'server.db'}", "--serve-artifacts"]
        command += ["--artifacts-destination", str(self._home / "artifacts")]
        with (self._home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._home,
                env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def await_answer(self) -> None:
        """Waits until it answers."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise AssertionError("the tracking server does not start")

    def kill(self) -> None:
        """Kills it with all its workers."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None
