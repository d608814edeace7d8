"""A Dask cluster as an administrator would start it: scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.search_tests.bodies import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]


class DaskProcesses:
    """Starts them, kills them, and cleans up.

    Args:
        folder: For the scheduler file, the logs and the workers' own files.
        options: Of scheduler and workers alike.
        environment: Added to the processes' environment.
    """

    def __init__(
        self, folder: Path, options: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self.scheduler_file = folder / "scheduler.json"
        self._folder, self._options = folder, list(options)
        # The package is installed on a real cluster.
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start_scheduler(self, port: int = 0) -> None:
        """Returns when its file is there, whole: Dask writes it where it is read."""
        self.scheduler_file.unlink(missing_ok=True)
        self._start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        wait_for(lambda: self.scheduler_file.exists() and self.scheduler_file.read_text().endswith("\n}"))

    def start_worker(
        self, name: str, options: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        """Returns at once; the worker joins when it is ready."""
        options = ["--name", name, "--nthreads", "1", "--no-dashboard", *options]
        self._start("worker", *options, name=name, environment=environment)

    def pid(self, name: str) -> int:
        """Of a process that was started."""
        return self._running[name].pid

    def runs(self, name: str) -> bool:
        """Whether a process that was started has not ended."""
        return self._running[name].poll() is None

    def kill(self, name: str = "scheduler") -> None:
        """Kills a process as a failing host would."""
        process = self._running.pop(name)
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        """Kills all that is left."""
        for name in [*self._running]:
            self.kill(name)

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def _start(
        self,
        kind: str,
        *arguments: str,
        name: str = "scheduler",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments, *self._options]
        command += ["--scheduler-file", str(self.scheduler_file)]
        own = self._folder / name
        own.mkdir(exist_ok=True)
        with (self._folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                command,
                cwd=own,
                env={**self._environment, **(environment or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
