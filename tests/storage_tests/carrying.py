"""Exports and imports between project folders, as the commands do them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.storages import RDBStorage

from storage.bundle.archive import open_bundle
from storage.bundle.importing import Imported, import_study
from storage.bundle.study import Exported, export_study, read_contents
from storage.bundle.target import open_target
from storage.layout import Layout
from storage.ledger import open_ledger
from storage.predictions import PredictionStore
from storage.promotion_record import write_promotion_record

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow.entities import Run
    from optuna.storages import BaseStorage

    from storage.mlflow_callback import MLflowCallback

STUDY = "first"


def new_project(folder: Path, mlflow_template: Path) -> Path:
    """Makes an empty project with MLflow's schema, whose creation takes 6 s."""
    (folder / "mlruns").mkdir(parents=True)
    shutil.copy(mlflow_template, folder / "mlruns" / "mlflow.db")
    return folder


def export_from(
    folder: Path, bundle: Path, storage: str | None = None, uri: str | None = None, name: str = STUDY
) -> Exported:
    """Exports a study of a project."""
    with contextlib.chdir(folder):
        target = open_target(Layout(storage=storage), uri, new=False)
        study = optuna.load_study(study_name=name, storage=target.ledger)
        done = export_study(study, Layout(), target.tracking, bundle)
        _close(target.ledger)
    return done


def import_into(
    folder: Path, bundle: Path, storage: str | None = None, uri: str | None = None, name: str | None = None
) -> Imported:
    """Imports a bundle into a project."""
    with contextlib.chdir(folder), open_bundle(bundle) as file:
        contents = read_contents(file)
        renamed = contents if name is None else contents.renamed(name)
        target = open_target(Layout(storage=storage), uri, new=True)
        done = import_study(file, contents.name, renamed, target)
        _close(target.ledger)
    return done


def trials_of(folder: Path, storage: str | None = None, name: str = STUDY) -> list[Any]:
    """A study's trials in a project, without the database's own ids."""
    with contextlib.chdir(folder):
        ledger = open_ledger(storage or Layout().ledger_url)
        trials = optuna.load_study(study_name=name, storage=ledger).get_trials()
        _close(ledger)
    for trial in trials:
        trial._trial_id = -1
    return trials


def _close(ledger: BaseStorage) -> None:
    # A server's connections, unlike a file's, are missed when nobody closes them.
    assert isinstance(ledger, RDBStorage)
    ledger.engine.dispose()


def runs_of(folder: Path, uri: str | None = None) -> list[Run]:
    """All active runs of a project's record, oldest first."""
    from mlflow import MlflowClient

    client = MlflowClient(uri or f"sqlite:///{folder}/mlruns/mlflow.db")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(ids, order_by=["attributes.start_time ASC"]))


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, but for the databases' own side files and locks."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock"))
    }


def add_files(layout: Layout, study: optuna.Study, callback: MLflowCallback) -> None:
    """Gives a recorded study what a search and a promotion leave: predictions, model, submissions, artifacts."""
    store = PredictionStore(layout.predictions(STUDY), keep=20)
    for number in (0, 4):
        store.save(number, oof=np.array([0.1, np.nan, number]), test=np.array([1.0, 2.0]))
    model = layout.predictions(STUDY) / "model_00004"
    model.mkdir()
    (model / "駅.txt").write_text("tree\n", encoding="utf-8")
    (layout.predictions(STUDY) / ".half.tmp.npz").write_bytes(b"half")
    layout.submissions.mkdir(exist_ok=True)
    best = layout.submissions / f"submission_{STUDY}_trial_00004.csv"
    promoted = layout.submissions / "submission_20261123_120000.csv"
    for path in (best, promoted, layout.submissions / "submission_other_trial_00004.csv"):
        path.write_text("id,prediction\n001,1.5\n", encoding="utf-8")
    facts = {"study": STUDY, "trial": 4, "run_id": callback.run_id(study, 4), "score": 0.5, "std": 0.1}
    write_promotion_record(promoted, facts | {"data_fingerprint": "abc", "note": "家賃"})
    files = {"features.txt": model / "駅.txt", "model": model, best.name: best, "other/駅.txt": best}
    callback.attach(study, 4, files)


def record_of(folder: Path, name: str = "submission_20261123_120000") -> dict[str, Any]:
    """A promotion record of a project."""
    path = folder / "mlruns" / "submissions" / f"{name}.json"
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record
