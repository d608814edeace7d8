from __future__ import annotations

import contextlib
import math
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from storage.checks import storage_faults
from storage.layout import Layout
from storage.old_runs.file_store import OldStoreError, read_file_store
from storage.old_runs.migration import Migration, migrate
from storage.record.run_record import log_values
from storage.record.tracking import open_tracking
from tests.storage_tests.carrying import fingerprint, new_project, runs_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow.entities import Run

EXPERIMENT = "signate_mlit_rental_price"
# What the user's guide has users do, with MLflow's own file store.
GUIDE = f"""
import mlflow
mlflow.set_tracking_uri("file:mlruns")
mlflow.set_experiment("{EXPERIMENT}")
with mlflow.start_run(run_name="baseline_20250101_120000") as run:
    mlflow.set_tag("experiment_type", "baseline")
    mlflow.set_tag("note", "家賃")
    mlflow.log_params({{"learning_rate": 0.05, "group/leaves": 31, "empty": ""}})
    for step in range(3):
        mlflow.log_metric("cv_rmse_mean", 2.5 - step, step=step)
    mlflow.log_metric("odd", float("nan"))
    mlflow.log_metric("nested/rate", -1e-300)
    mlflow.log_text("area\\n", "features.txt")
    mlflow.log_text("tree\\n", "plots/駅 前.txt")
    with mlflow.start_run(run_name="trial_0", nested=True):
        mlflow.log_metric("cv_rmse_mean", 3.0)
    mlflow.set_tag("best_run", mlflow.search_runs(max_results=1)["run_id"][0])
class Same(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: list[float]) -> list[float]:
        return model_input
with mlflow.start_run(run_name="with a model"):
    mlflow.pyfunc.log_model(name="model", python_model=Same(), pip_requirements=[])
with mlflow.start_run(run_name="failed"):
    pass
mlflow.MlflowClient().set_terminated(mlflow.last_active_run().info.run_id, "FAILED")
with mlflow.start_run(run_name="regretted") as run:
    pass
mlflow.delete_run(run.info.run_id)
mlflow.set_experiment("other")
with mlflow.start_run(run_name="elsewhere"):
    pass
"""


@pytest.fixture(scope="session")
def guide_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An mlruns folder as MLflow's own file store writes it, then moved; never write to it."""
    home = tmp_path_factory.mktemp("guide")
    environment = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    import os

    subprocess.run([sys.executable, "-c", GUIDE], cwd=home, env={**os.environ, **environment}, check=True)
    return (home / "mlruns").rename(home / "mlruns_old")


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Path:
    """An empty project."""
    return new_project(tmp_path / "project", mlflow_template)


@pytest.fixture
def old(guide_store: Path, tmp_path: Path) -> Path:
    """A copy of the old store, to spoil."""
    return shutil.copytree(guide_store, tmp_path / "old")


def _migrate(project: Path, old: Path, *experiments: str) -> Migration:
    with contextlib.chdir(project):
        return migrate(read_file_store(old, experiments), open_tracking(Layout()))


def _named(project: Path) -> dict[str, Run]:
    return {str(run.info.run_name): run for run in runs_of(project)}


def _folder(old: Path, name: str) -> Path:
    return next(p.parent for p in old.glob("*/*/meta.yaml") if f"run_name: {name}\n" in p.read_text("utf-8"))


def test_every_run_comes_with_all_it_has(guide_store: Path, project: Path) -> None:
    """Names, times, statuses, parameters, metrics with their history, tags and parents are as MLflow reads them."""
    done = _migrate(project, guide_store)
    runs = _named(project)
    baseline = runs["baseline_20250101_120000"]
    old = read_file_store(guide_store)

    assert (done.brought, done.present) == (5, 0)
    assert set(runs) == {"baseline_20250101_120000", "trial_0", "with a model", "failed", "elsewhere"}
    for record in old.runs:
        info = runs[record.name].info
        assert (info.status, info.start_time, info.end_time) == (
            record.status,
            record.start_ms,
            record.end_ms,
        )
    assert runs["failed"].info.status == "FAILED"
    assert baseline.data.params == {"learning_rate": "0.05", "group/leaves": "31", "empty": ""}
    assert baseline.data.metrics["cv_rmse_mean"] == 0.5
    assert baseline.data.metrics["nested/rate"] == -1e-300
    assert math.isnan(baseline.data.metrics["odd"])
    assert (baseline.data.tags["experiment_type"], baseline.data.tags["note"]) == ("baseline", "家賃")
    assert runs["trial_0"].data.tags["mlflow.parentRunId"] == baseline.info.run_id
    assert baseline.data.tags["best_run"] == runs["trial_0"].info.run_id


def test_a_metrics_history_is_complete(guide_store: Path, project: Path) -> None:
    """Every point has its step, value and time."""
    from mlflow import MlflowClient

    _migrate(project, guide_store)
    run = next(run for run in read_file_store(guide_store).runs if run.name.startswith("baseline"))
    client = MlflowClient(f"sqlite:///{project}/mlruns/mlflow.db")
    new = _named(project)[run.name].info.run_id
    found = [(p.step, p.value, p.timestamp) for p in client.get_metric_history(new, "cv_rmse_mean")]

    assert found == [(p.step, p.value, p.timestamp_ms) for p in run.history if p.key == "cv_rmse_mean"]
    assert [step for step, _, _ in found] == [0, 1, 2]


def test_artifacts_are_copied_and_found_by_a_relative_address(guide_store: Path, project: Path) -> None:
    """The old folder may go afterwards: files, and models that MLflow 3 keeps elsewhere, are in the new one."""
    _migrate(project, guide_store)
    runs = _named(project)
    files = project / runs["baseline_20250101_120000"].info.artifact_uri
    model = project / runs["with a model"].info.artifact_uri / "model"

    assert not runs["with a model"].info.artifact_uri.startswith(("/", "file:"))
    assert (files / "features.txt").read_text("utf-8") == "area\n"
    assert (files / "plots" / "駅 前.txt").read_text("utf-8") == "tree\n"
    assert (model / "MLmodel").is_file()


def test_the_old_folder_is_not_touched(guide_store: Path, project: Path) -> None:
    """Not a byte, a file or a folder of it is changed, added or removed."""
    before, names = fingerprint(guide_store), sorted(guide_store.rglob("*"))
    _migrate(project, guide_store)

    assert fingerprint(guide_store) == before
    assert sorted(guide_store.rglob("*")) == names


def test_a_second_migration_adds_nothing(guide_store: Path, project: Path) -> None:
    """It finds its own runs again, and says so."""
    _migrate(project, guide_store)
    before = {run.info.run_id for run in runs_of(project)}
    done = _migrate(project, guide_store)

    assert (done.brought, done.present) == (0, 5)
    assert {run.info.run_id for run in runs_of(project)} == before


def test_a_migration_that_was_cut_short_goes_on(
    guide_store: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-written runs are filled, not doubled, and parents stay the parents."""
    calls = []

    def stop_at_third(*args: object) -> None:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        log_values(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("storage.old_runs.migration.log_values", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        _migrate(project, guide_store)
    _migrate(project, guide_store)
    runs = _named(project)

    assert len(runs_of(project)) == 5
    assert all(run.data.tags["synced"] == "true" for run in runs.values())
    parent = runs["baseline_20250101_120000"].info.run_id
    assert runs["trial_0"].data.tags["mlflow.parentRunId"] == parent


def test_what_is_deleted_stays_behind_with_a_word(guide_store: Path, project: Path) -> None:
    """Runs in the trash are not raised from the dead, and the user is told."""
    done = _migrate(project, guide_store)

    assert any("it was deleted" in note for note in done.notes)
    assert "regretted" not in _named(project)


def test_only_the_experiments_asked_for(guide_store: Path, project: Path) -> None:
    """Names choose; one that is not there is refused with those that are."""
    done = _migrate(project, guide_store, "other")

    assert done.brought == 1
    with pytest.raises(OldStoreError, match=rf"got none; allowed: Default, other, {EXPERIMENT}; do: "):
        _migrate(project, guide_store, "none")


@pytest.mark.parametrize(
    ("spoil", "note"),
    [
        (lambda run: (run / "meta.yaml").unlink(), "meta.yaml cannot be read"),
        (lambda run: (run / "meta.yaml").write_text("a: [", "utf-8"), "meta.yaml cannot be read"),
        (lambda run: (run / "meta.yaml").write_text("- a\n", "utf-8"), "holds no fields"),
        (lambda run: (run / "meta.yaml").write_text("status: 9\n", "utf-8"), "its status is 9"),
        (lambda run: (run / "meta.yaml").write_text("status: 3\n", "utf-8"), "start_time is None"),
        (
            lambda run: (run / "metrics" / "cv_rmse_mean").write_text("1 x 0\n", "utf-8"),
            "has the line '1 x 0'",
        ),
        (
            lambda run: (run / "metrics" / "cv_rmse_mean").write_text("broken", "utf-8"),
            "has the line 'broken'",
        ),
        (lambda run: (run / "tags" / "note").write_bytes(b"\xff\xfe"), "tags/note cannot be read"),
    ],
)
def test_a_malformed_run_is_reported_and_the_others_come(old: Path, project: Path, spoil, note: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """One bad file costs one run, named with its fault."""
    run = _folder(old, "trial_0")
    spoil(run)
    done = _migrate(project, old)

    assert done.brought == 4
    assert [line for line in done.notes if run.name in line and note in line]


def test_a_malformed_experiment_is_reported(old: Path, project: Path) -> None:
    """Its runs stay behind, those of the others come."""
    experiment = _folder(old, "elsewhere").parent
    (experiment / "meta.yaml").write_text("artifact_location: here\n", "utf-8")
    done = _migrate(project, old)

    assert done.brought == 4
    assert any(experiment.name in note and "no name" in note for note in done.notes)


def test_artifacts_somewhere_else_are_named(old: Path, project: Path) -> None:
    """Files behind a remote address cannot be copied from here; the run comes, and the address is told."""
    run = _folder(old, "baseline_20250101_120000")
    shutil.rmtree(run / "artifacts")
    meta = (run / "meta.yaml").read_text("utf-8").splitlines()
    lines = ["artifact_uri: s3://bucket/x" if line.startswith("artifact_uri") else line for line in meta]
    (run / "meta.yaml").write_text("\n".join(lines), "utf-8")
    done = _migrate(project, old)

    assert done.brought == 5
    assert any("which are at s3://bucket/x" in note for note in done.notes)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """A folder without experiments is none of ours to guess at."""
    with pytest.raises(OldStoreError, match=r"in which no experiment is; allowed: .*; do: "):
        read_file_store(tmp_path)


def test_the_leftover_store_fault_names_the_way_out(old: Path, project: Path) -> None:
    """Where old folders stop this product, it says which command brings their runs over."""
    shutil.copytree(_folder(old, "elsewhere").parent, project / "mlruns" / "12345")

    [fault] = storage_faults(Layout(project))
    assert "python -m search.migrate" in fault
