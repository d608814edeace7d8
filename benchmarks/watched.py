"""Somebody who watches a search in optuna-dashboard while it is measured."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_SECONDS = 10.0
ANSWER_SECONDS = 120.0


class Looks:
    """What the dashboard answered, and how long it took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.errors: list[str] = []
        self._known, self._is_up = 0, False

    def slowest(self) -> float:
        """The slowest answer since the last time that this was asked."""
        slowest, self.seconds = max(self.seconds, default=0.0), []
        return slowest

    def look(self, port: int) -> None:
        """Asks as an open page does: for the trials that are new since the last look."""
        begun = time.monotonic()
        url = f"http://127.0.0.1:{port}/api/studies/1?after={self._known}"
        try:
            with urlopen(url, timeout=ANSWER_SECONDS) as answer:
                self._known += len(json.loads(answer.read())["trials"])
            self._is_up = True
        except OSError as error:
            # Before its first answer it is only starting.
            if self._is_up:
                self.errors.append(str(error))
        self.seconds.append(time.monotonic() - begun)


@contextmanager
def watched(home: Path) -> Iterator[Looks]:
    """Looks at the first study of a project every few seconds, from its first moment to the end of the block."""
    from tests.storage_tests.servers import free_port

    port, over, looks = free_port(), threading.Event(), Looks()
    database = home / "mlruns" / "optuna.db"

    def watch() -> None:
        while not database.exists():
            if over.wait(0.1):
                return
        command = [str(Path(sys.executable).with_name("optuna-dashboard")), f"sqlite:///{database}"]
        with subprocess.Popen(  # noqa: S603 - our own environment's program
            [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            while not over.wait(LOOK_SECONDS):
                looks.look(port)
            server.terminate()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield looks
    finally:
        over.set()
        thread.join()
