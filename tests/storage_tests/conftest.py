from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from uuid import uuid4

import optuna
import pytest

from storage.layout import Layout
from storage.ledger import open_ledger
from storage.mlflow_callback import MLflowCallback
from tests.storage_tests.record_checks import end
from tests.storage_tests.servers import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from optuna.trial import Trial

METRIC = "cv_rmse_mean"
FLUSH_SECONDS = 300
Place = tuple[str, str]


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mlflow_template: Path) -> Layout:
    """A project in the working directory, its MLflow database made and empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    layout = Layout()
    layout.mlruns.mkdir()
    shutil.copy(mlflow_template, layout.mlflow_db)
    return layout


@pytest.fixture
def callback(layout: Layout) -> Iterator[MLflowCallback]:
    """The callback on that project's record; ended with the test rather than with the process."""
    callback = MLflowCallback(layout.tracking_uri, METRIC, experiment="rents")
    yield callback
    end(callback)


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Iterator[str]:
    """The address of a real MLflow server; it takes 12 s to start."""
    with serve(tmp_path_factory.mktemp("server"), mlflow_template) as address:
        yield address


@pytest.fixture(params=["file", "server"])
def place(request: pytest.FixtureRequest, layout: Layout) -> Place:
    """Address and experiment of a record: the project's own file, or a real server."""
    if request.param == "file":
        # Absolute, because MLflow keeps one store for each address, and each test has a folder of its own.
        return f"sqlite:///{layout.mlflow_db.resolve()}", "rents"
    return request.getfixturevalue("mlflow_server"), uuid4().hex


@pytest.fixture
def study(layout: Layout) -> optuna.Study:
    """An empty study in that project's ledger."""
    study = optuna.create_study(
        storage=open_ledger(layout.ledger_url),
        study_name="first",
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=optuna.pruners.NopPruner(),
    )
    study.set_user_attr("run_params", {"seed": 7, "feature_cols": ["area", "駅"]})
    study.set_user_attr("run_tags", {"data_fingerprint": "abc"})
    return study


def _objective(trial: Trial) -> float:
    score = trial.suggest_float("rate", 0.01, 1.0, log=True)
    trial.set_user_attr("metrics", {METRIC: -1.0, "cv_rmse_std": 0.5})
    trial.report(score - 0.001, step=10)
    if trial.number % 4 == 1:
        trial.set_user_attr("pruned_step", 10)
        raise optuna.TrialPruned
    if trial.number % 4 == 2:
        trial.set_user_attr("reason", "out of memory")
        raise MemoryError
    if trial.number % 4 == 3:
        trial.set_user_attr("interrupted", True)
        raise InterruptedError
    return score


@pytest.fixture
def run_trials(study: optuna.Study) -> Callable[..., None]:
    """Runs trials that end complete, pruned, failed and interrupted in turn.

    Returns when all are recorded. Every trial claims the metric's name among its own metrics, and has a
    better score than it deserves.
    """

    def run(n_trials: int, callback: MLflowCallback | None = None, n_jobs: int = 1) -> None:
        study.optimize(
            _objective,
            n_trials=n_trials,
            n_jobs=n_jobs,
            callbacks=[callback] if callback else None,
            catch=(MemoryError, InterruptedError),
        )
        assert callback is None or callback.flush(FLUSH_SECONDS)

    return run
