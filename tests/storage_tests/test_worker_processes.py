from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import pytest

from tests.storage_tests.record_checks import assert_exact
from tests.storage_tests.worker_processes import PROCESSES, TRIALS_EACH, ledger_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage import MLflowCallback
    from storage.layout import Layout

SCRIPT = Path(__file__).with_name("worker_processes.py")
SQLITE, JOURNAL = "sqlite:///mlruns/optuna.db", "mlruns/journal.log"
ROOT = Path(__file__).parents[2]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "ledger", "is_server"),
    [
        ("fork", SQLITE, False),
        ("spawn", JOURNAL, False),
        ("fork", JOURNAL, True),
        ("forkserver", SQLITE, True),
    ],
)
def test_processes_share_one_parent(
    method: str, ledger: str, is_server: bool, layout: Layout, request: pytest.FixtureRequest
) -> None:
    """Four processes, one callback and no coordinator: each trial has its true run below the one parent."""
    uri = request.getfixturevalue("mlflow_server") if is_server else layout.tracking_uri
    result = _run(method, ledger, uri)
    study = optuna.load_study(study_name="many", storage=ledger_of(ledger))

    assert (result.stdout, result.stderr) == (f"{[0] * PROCESSES} 0 0\n", "")
    assert len(study.trials) == PROCESSES * TRIALS_EACH + (method == "fork")
    parent = assert_exact(uri, method, study, "score")
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["best_trial"] == str(study.best_trial.number)
    assert parent.data.metrics["best_score"] == study.best_value


def test_a_pickled_callback_records_into_the_same_study(
    layout: Layout, callback: MLflowCallback, run_trials: Callable[..., None], study: optuna.Study
) -> None:
    """A copy made for another process starts with nothing queued, and finds the same parent."""
    run_trials(2, callback)
    copy: MLflowCallback = pickle.loads(pickle.dumps(callback))  # noqa: S301 - our own bytes
    assert (copy.waiting, copy.missed) == (0, 0)
    run_trials(2, copy)

    assert copy.parent_run_id(study) == callback.parent_run_id(study)
    assert_exact(layout.tracking_uri, "rents", study, "cv_rmse_mean")
