from __future__ import annotations

import json
import logging
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import pytest

from storage import MLflowCallback
from tests.storage_tests.record_checks import all_runs, assert_exact, end
from tests.storage_tests.servers import Proxy, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from optuna.trial import Trial

    from storage.layout import Layout

ROOT = Path(__file__).parents[2]
PATIENCE = 300
N_BEFORE, N_DURING = 3, 9
ONCE_TOLD = [f"MLflow did not record trial {N_BEFORE}", "MLflow answers again"]
Results = list[tuple[str, float | None, dict[str, float]]]


class Told(logging.Handler):
    """Keeps what a user would see on the terminal, but for the reasons.

    Attributes:
        lines: The beginnings of all warnings, whoever gave them.
        is_warned: Set with the first.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.is_warned = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the text up to its reason."""
        self.lines.append(record.getMessage().partition(":")[0].partition(";")[0])
        self.is_warned.set()


@pytest.fixture
def told() -> Iterator[Told]:
    """All that is logged as a warning or worse while a test runs, MLflow's own loggers included."""
    told = Told()
    loggers = [logging.getLogger(name) for name in (None, "mlflow", "alembic")]
    for logger in loggers:
        logger.addHandler(told)
    yield told
    for logger in loggers:
        logger.removeHandler(told)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other quickly, so that recovery is not sat out."""
    monkeypatch.setattr("storage.record.recorder.FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr("storage.record.recorder.LONGEST_PAUSE_SECONDS", 0.2)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")


@pytest.fixture
def proxy(mlflow_server: str) -> Iterator[Proxy]:
    """A way to a real server that fails when told to."""
    proxy = Proxy(mlflow_server)
    yield proxy
    proxy.close()


def _study(name: str) -> optuna.Study:
    return optuna.create_study(
        study_name=name, sampler=optuna.samplers.RandomSampler(seed=0), pruner=optuna.pruners.NopPruner()
    )


def _search(
    study: optuna.Study,
    n_trials: int,
    callback: MLflowCallback | None = None,
    is_met: threading.Event | None = None,
) -> None:
    """Runs trials; from the second of them on, none ends before a fault is met."""

    def objective(trial: Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        trial.report(x, 1)
        assert not is_met or trial.number <= N_BEFORE or is_met.wait(PATIENCE)
        if trial.number % 4 == 1:
            raise optuna.TrialPruned
        if trial.number % 4 == 2:
            raise MemoryError
        return x

    callbacks = [callback] if callback else None
    study.optimize(objective, n_trials=n_trials, callbacks=callbacks, catch=(MemoryError,))


def _results(study: optuna.Study) -> Results:
    return [(trial.state.name, trial.value, trial.params) for trial in study.trials]


def _undisturbed(n_trials: int) -> Results:
    study = _study("alone")
    _search(study, n_trials)
    return _results(study)


def _wait_until_idle(callback: MLflowCallback) -> None:
    # Not flush, which would hurry the next try.
    recorder = callback._here.recorder
    with recorder._changed:
        assert recorder._changed.wait_for(lambda: not recorder._jobs, PATIENCE)


def _outlive(
    tracking_uri: str, name: str, outage: AbstractContextManager[object], is_met: threading.Event, told: Told
) -> None:
    """Searches into a record that fails on the way; holds if all that shows is one line, and one at its end."""
    study, callback = _study(name), MLflowCallback(tracking_uri, "score")
    _search(study, N_BEFORE, callback)
    _wait_until_idle(callback)
    with outage:
        _search(study, N_DURING, callback, is_met)
        assert _results(study) == _undisturbed(N_BEFORE + N_DURING)
        assert callback.waiting == N_DURING
        assert told.is_warned.wait(PATIENCE)
    _wait_until_idle(callback)

    assert told.lines == ONCE_TOLD
    assert callback.missed == 0
    callback.sync(study)
    end(callback)
    assert_exact(tracking_uri, name, study, "score")
    assert not MLflowCallback(tracking_uri, "score").sync(study).changed


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["refuse", "stall", "error", "cut"])
def test_a_failing_server_is_waited_for_off_the_path(fault: str, proxy: Proxy, told: Told) -> None:
    """All trials finish while a server refuses, stalls, answers 500 or cuts, and later the backlog goes out."""
    _outlive(proxy.address, f"server {fault}", proxy.outage(fault), proxy.is_hit, told)


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2], ids=["once", "until the client gives up"])
@pytest.mark.parametrize("endpoint", ["experiments/create", "runs/create", "runs/update", "runs/log-batch"])
def test_a_lost_answer_makes_no_second_run(endpoint: str, times: int, proxy: Proxy) -> None:
    """Where the server did what was asked and its answer got lost, asking again changes nothing."""
    name = f"lost {endpoint} {times}".replace("/", "-")
    study, callback = _study(name), MLflowCallback(proxy.address, "score")
    for _ in range(2):
        proxy.lose_answers(endpoint, times)
        _search(study, 4, callback)
        assert callback.flush(PATIENCE)
    end(callback)

    assert proxy.is_hit.is_set()
    assert callback.missed == 0
    assert_exact(proxy.address, name, study, "score")
    assert not MLflowCallback(proxy.address, "score").sync(study).changed


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def _full(_database: Path) -> Iterator[None]:
    # A quota on files that grow; whatever else this process writes is shorter.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.slow
@pytest.mark.parametrize("outage", [_locked, _full])
def test_a_failing_database_is_waited_for_off_the_path(
    outage: Callable[[Path], AbstractContextManager[None]], layout: Layout, told: Told
) -> None:
    """All trials finish while the file is locked from outside or the disk is full, and the record follows."""
    _outlive(layout.tracking_uri, "database", outage(layout.mlflow_db), told.is_warned, told)


def test_what_is_no_database_stops_nothing(layout: Layout, told: Told) -> None:
    """Where MLflow's file is something else, all trials run and the user is told once."""
    layout.mlflow_db.write_text("not a database")
    study, callback = _study("refused"), MLflowCallback(layout.tracking_uri)
    _search(study, N_DURING, callback, told.is_warned)

    assert _results(study) == _undisturbed(N_DURING)
    assert callback.waiting + callback.missed == N_DURING
    assert told.lines == ["MLflow did not record trial 0"]
    end(callback)


SCRIPT = """
import glob, json, os, sys, warnings
import optuna
from storage import MLflowCallback
from tests.storage_tests import test_outage as outage
warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
study, callback = outage._study("script"), MLflowCallback(sys.argv[1], "score")
outage._search(study, 8, callback)
print(json.dumps([outage._results(study), callback.waiting]))
if sys.argv[2:]:
    while not callback._here.recorder.first_error:
        callback.flush(1)
    for path in glob.glob(f"{sys.argv[2]}*"):
        os.chmod(path, 0o644)
    assert callback.flush(300)
"""


def _script(*arguments: str, prefix: tuple[str, ...] = (), patch: str = "") -> tuple[Results, int, list[str]]:
    """Runs a user's script; returns its results, what was waiting at its end, and its standard error."""
    command = [*prefix, sys.executable, "-c", patch + SCRIPT, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    results, waiting = json.loads(done.stdout)
    return [(state, value, params) for state, value, params in results], waiting, done.stderr.splitlines()


LACKING = "MLflow lacks 9 pieces of the record; `MLflowCallback.sync` writes them"


@pytest.mark.slow
def test_a_dead_server_costs_a_script_two_lines() -> None:
    """With nobody at the address a script ends as without MLflow, and says what it lacks."""
    results, waiting, stderr = _script(f"http://127.0.0.1:{free_port()}")

    assert results == _undisturbed(8)
    assert waiting == 8
    assert [line.partition(":")[0] for line in stderr] == ["MLflow did not record trial 0", LACKING]


@pytest.mark.slow
def test_a_silent_server_does_not_keep_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process waits for its record for a bounded time only, though a request may hang for an hour."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3600")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        results, waiting, stderr = _script(
            address, patch="import storage.record.process_state as state\nstate.EXIT_SECONDS = 1.0\n"
        )

    assert (results, waiting, stderr) == (_undisturbed(8), 8, [LACKING])


def _bound_by_permissions() -> tuple[str, ...]:
    """The command before another that makes file permissions count, which they do not for root."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root needs setpriv to be refused a file")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@pytest.mark.slow
def test_a_read_only_database_is_waited_for(layout: Layout) -> None:
    """While the file may not be written the script goes on; once it may, the record follows."""
    layout.mlflow_db.chmod(0o444)
    results, waiting, stderr = _script(
        layout.tracking_uri, str(layout.mlflow_db), prefix=_bound_by_permissions()
    )

    assert results == _undisturbed(8)
    assert waiting == 8
    assert [line.partition(":")[0].partition(";")[0] for line in stderr] == [
        "MLflow did not record trial 0",
        "MLflow answers again",
    ]
    assert len(all_runs(layout.tracking_uri, "script")) == 9
