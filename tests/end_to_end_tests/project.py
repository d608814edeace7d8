"""A folder and the commands run in it, as a user would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import optuna

from storage.ledger import open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlflow.entities import Run
    from optuna.study import Study

    from tests.conftest import CsvPair

PATIENCE_SECONDS = 300
"""Bounds what a broken command would hang in; a sound one never waits for it."""


@dataclass(frozen=True)
class Project:
    """A folder that commands are run in, as a user would.

    Attributes:
        home: The working directory of all commands.
    """

    home: Path

    def run(
        self, command: str, *arguments: str | Path, code: int = 0, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs `python -m search.<command>` to its end and expects an exit code."""
        done = subprocess.run(
            [sys.executable, "-m", f"search.{command}", *map(str, arguments)],
            cwd=self.home,
            env=clean_environment(env or {}),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    @contextmanager
    def started(self, command: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        """Starts a command in a process group of its own, its output to be read line by line."""
        with _interruptible():
            process = subprocess.Popen(
                [sys.executable, "-m", f"search.{command}", *map(str, arguments)],
                cwd=self.home,
                env=clean_environment({}),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def study(self, name: str) -> Study:
        """Opens a study's ledger."""
        ledger = open_ledger(f"sqlite:///{self.home / 'mlruns' / 'optuna.db'}")
        return optuna.load_study(study_name=name, storage=ledger)

    def mlflow_runs(self, kind: str | None = None) -> list[Run]:
        """All active runs of all experiments, oldest first, or those of an `experiment_type`."""
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{self.home / 'mlruns' / 'mlflow.db'}")
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        where = f"tags.experiment_type = '{kind}'" if kind else ""
        return list(
            client.search_runs(experiments, where, max_results=1_000, order_by=["attributes.start_time ASC"])
        )

    def artifacts(self, run: Run) -> set[str]:
        """Files of a run, relative to its artifact folder, found on disk."""
        folder = self.home / "mlruns" / run.info.experiment_id / run.info.run_id / "artifacts"
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def clean_environment(further: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what would change a command."""
    # Compiled modules are worth several seconds a command.
    ours = {
        k: v for k, v in os.environ.items() if k not in {"PYTHONDONTWRITEBYTECODE", "MLFLOW_TRACKING_URI"}
    }
    return {**ours, "PYTHONUNBUFFERED": "1", **further}


@contextmanager
def _interruptible() -> Iterator[None]:
    # A shell's background job ignores SIGINT, and a child would inherit that for good.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def data_flags(pair: CsvPair) -> list[str | Path]:
    """The flags that name a competition's data."""
    return ["--train", pair.train, "--test", pair.test, "--target", pair.target, "--id", pair.id]
