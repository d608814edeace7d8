from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import numpy as np
import optuna
import pytest

from objectives import predictor
from objectives.base import EvaluationStopped
from objectives.data.read import read_table
from search.competition import open_competition
from search.conclusion.candidates import Candidate, Part, blend_of, single
from search.config import DataConfig
from search.loop import best
from search.loop.best import open_results
from search.results.blend_model import saved_blend
from search.results.package import run_files
from storage.kept_models import ModelKey
from storage.layout import Layout
from tests.storage_tests.servers import free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from optuna.study import Study

    from objectives.base import CVResult, FloatArray, Progress
    from search.competition import Competition
    from tests.conftest import CsvPair

SMALL = {"learning_rate": 0.3, "num_leaves": 3, "min_data_in_leaf": 5}


class Unwatched:
    """A report line nobody listens to."""

    def __call__(self, progress: Progress) -> bool:  # noqa: ARG002 - the protocol's form
        """Goes on."""
        return False

    def stopped(self) -> bool:
        """Goes on."""
        return False


@dataclass
class Kept:
    """A study of three trials whose files are kept, and one of them fitted anew with another seed.

    Attributes:
        competition: What was searched.
        study: The study.
        layout: The project.
        results: By part.
    """

    competition: Competition
    study: Study
    layout: Layout
    results: dict[Part, CVResult]

    @property
    def raw_test(self) -> pd.DataFrame:
        """The test file as it is."""
        assert self.competition.config.test is not None
        return read_table(self.competition.config.test)

    @property
    def blend(self) -> Candidate:
        """All of it, blended."""
        weights = (0.4, 0.3, 0.2, 0.1)
        return blend_of(tuple(zip(self.results, weights, strict=True)))

    def mixed(self) -> FloatArray:
        """What the blend predicts of the test rows."""
        return self.blend.mixed({part: result.test_prediction for part, result in self.results.items()})

    def forget_models(self) -> None:
        """Deletes all saved models."""
        for path in self.layout.predictions(self.competition.study).glob("model_*.zip"):
            path.unlink()


@pytest.fixture
def kept(tmp_path: Path, lucas_csvs: CsvPair) -> Kept:
    """Trials of few leaves on few folds."""
    pair, layout = lucas_csvs, Layout(tmp_path)
    config = DataConfig(train=pair.train, test=pair.test, target=pair.target, id=pair.id, folds=2)
    competition = open_competition(config, layout)
    objective = competition.objective(threads=1)
    files = open_results(competition, objective, layout)
    study = optuna.create_study(study_name=competition.study)
    made: dict[Part, CVResult] = {}
    for leaves in (3, 5, 7):
        params: dict[str, Any] = {**SMALL, "num_leaves": leaves}
        trial = study.ask()
        trial.set_user_attr("environment", {"threads": 1})
        result = made[Part(trial.number, params)] = objective.evaluate(params, Unwatched())
        files.keep(study, trial.number, result)
        study.tell(trial, result.mean)
    part = Part(1, {**SMALL, "learning_rate": 0.2}, "slow seed 2")
    made[part] = objective.on(competition.folds, 2).evaluate(part.params, Unwatched())
    files.keep_model(ModelKey(*part.key), made[part])
    return Kept(competition, study, layout, made)


def test_a_kept_blend_is_served_without_fitting(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    """Where all models are kept none is fitted, and the blend predicts raw rows as it was mixed, to the bit."""
    with saved_blend(kept.competition, kept.study, kept.blend, kept.layout) as folder:
        served = predictor.load(folder).predict(kept.raw_test)
    assert np.array_equal(served, kept.mixed())
    assert "again" not in capsys.readouterr().out


def test_a_blend_without_models_is_fitted_again(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    """Models that are gone are made again, variants with their own seed, to the same bits; and kept from then on."""
    kept.forget_models()
    for fitted in (4, 0):
        with saved_blend(kept.competition, kept.study, kept.blend, kept.layout) as folder:
            served = predictor.load(folder).predict(kept.raw_test)
        assert np.array_equal(served, kept.mixed())
        assert capsys.readouterr().out.count("again") == fitted


def test_a_blend_is_served_from_a_full_disk(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no model has room, all are fitted again, served, and not kept."""
    kept.forget_models()
    monkeypatch.setattr(best, "KEEP_BYTES", 0)
    with saved_blend(kept.competition, kept.study, kept.blend, kept.layout) as folder:
        served = predictor.load(folder).predict(kept.raw_test)
    assert np.array_equal(served, kept.mixed())
    assert not [*kept.layout.predictions(kept.competition.study).glob("model_*.zip")]


def test_a_part_fitted_anew_is_served_alone(kept: Kept) -> None:
    """A candidate of one part is that part's own model, whatever its variant."""
    part = [*kept.results][-1]
    with saved_blend(kept.competition, kept.study, single(part), kept.layout) as folder:
        served = predictor.load(folder).predict(kept.raw_test)
    assert np.array_equal(served, kept.results[part].test_prediction)


def test_nothing_is_fitted_after_the_deadline(kept: Kept) -> None:
    """A model that is gone is not made again when time is up."""
    kept.forget_models()
    late = time.monotonic() - 1
    with (
        pytest.raises(EvaluationStopped),
        saved_blend(kept.competition, kept.study, kept.blend, kept.layout, late),
    ):
        pass


def test_a_blend_is_one_pyfunc_model(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed for MLflow a blend takes raw rows, answers as it was submitted, and names what it needs."""
    from mlflow import pyfunc

    submission = tmp_path / "submission.csv"
    submission.touch()
    monkeypatch.setattr(sys, "path", [*sys.path])
    with (
        saved_blend(kept.competition, kept.study, kept.blend, kept.layout) as folder,
        run_files(kept.competition, kept.mixed(), folder, submission) as files,
    ):
        model = pyfunc.load_model(str(files["model"]))
        assert np.array_equal(model.predict(kept.raw_test), kept.mixed())
        requirements = (files["model"] / "requirements.txt").read_text(encoding="utf-8")
    assert "lightgbm==" in requirements


@pytest.mark.slow
def test_mlflow_serves_a_blend(kept: Kept, tmp_path: Path) -> None:
    """`mlflow models serve` answers raw rows over HTTP as the blend was submitted."""
    submission = tmp_path / "submission.csv"
    submission.touch()
    rows = kept.raw_test.head(20)
    with (
        saved_blend(kept.competition, kept.study, kept.blend, kept.layout) as folder,
        run_files(kept.competition, kept.mixed(), folder, submission) as files,
        _served(files["model"], tmp_path) as address,
    ):
        body = json.dumps({"dataframe_split": json.loads(rows.to_json(orient="split", index=False))})
        request = Request(  # noqa: S310 - our own server
            f"{address}/invocations", body.encode(), {"Content-Type": "application/json"}
        )
        with urlopen(request) as answer:  # noqa: S310
            predictions = json.load(answer)["predictions"]
    assert predictions == pytest.approx(kept.mixed()[:20], rel=1e-12)


@contextmanager
def _served(model: Path, folder: Path) -> Iterator[str]:
    """Runs `mlflow models serve` in this environment; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(model)]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    # The server's own command is found beside this Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
