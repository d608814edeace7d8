"""A study carried as a user carries it: by command, by moving its folder, by unpacking an archive."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from tests.end_to_end_tests.project import Project, clean_environment
from tests.end_to_end_tests.story import N_TRIALS, STUDY, search_flags
from tests.storage_tests.carrying import fingerprint
from tests.storage_tests.servers import free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.story import Step

pytestmark = pytest.mark.slow

LIGHT_SERVER = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


@pytest.fixture(scope="module")
def bundle(promoted: Step, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story's study as a file."""
    path = tmp_path_factory.mktemp("bundle") / "lucas.zip"
    done = promoted.project.run("export", STUDY, path)
    assert f"Bundle: {path}" in done.stdout
    return path


@pytest.fixture(scope="module")
def imported(bundle: Path, new_project: Callable[[str], Project]) -> Project:
    """Another project that imported it."""
    project = new_project("imported")
    done = project.run("import", bundle)
    assert f"Imported: study {STUDY}, {N_TRIALS} trials, {N_TRIALS + 1} runs" in done.stdout
    return project


def test_the_imported_study_exports_to_the_same_bytes(imported: Project, bundle: Path) -> None:
    """The digest and the file are those of the first export."""
    imported.run("export", STUDY, "again.zip")

    assert (imported.home / "again.zip").read_bytes() == bundle.read_bytes()


def test_an_imported_study_is_exact(imported: Project) -> None:
    """Straight after the import of a real search, nothing in MLflow differs from the ledger, files included."""
    assert imported.run("sync", "--check").stdout == f"{STUDY}: MLflow equals the ledger\n"
    assert imported.run("sync").stdout == f"{STUDY}: MLflow has all {N_TRIALS} runs\n"


def test_an_imported_study_goes_on_where_it_was(imported: Project, lucas_csvs: CsvPair) -> None:
    """A search with the same settings has nothing left to do, and a promotion finds predictions and model."""
    searched = imported.run("run", *search_flags(lucas_csvs))
    promoted = imported.run("promote", "--study", STUDY)

    assert f"{N_TRIALS} of {N_TRIALS} trials finished" in searched.stdout
    assert "Fitting trial" not in promoted.stdout
    assert len(imported.mlflow_runs()) == N_TRIALS + 1


def test_a_refused_import_changes_nothing(imported: Project, bundle: Path, tmp_path: Path) -> None:
    """A name that is there and a damaged file are one line each and exit 2."""
    damaged = tmp_path / "damaged.zip"
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 0xFF
    damaged.write_bytes(data)
    before = fingerprint(imported.home)
    refusals = [
        imported.run("import", bundle, code=2),
        imported.run("import", damaged, code=2),
        imported.run("export", "no such study", tmp_path / "x.zip", code=2),
    ]

    for refusal in refusals:
        [line] = refusal.stderr.splitlines()
        assert "; allowed: " in line
        assert "; do: " in line
        assert not refusal.stdout
    assert fingerprint(imported.home) == before


def test_a_damaged_bundle_makes_no_project(bundle: Path, tmp_path: Path) -> None:
    """In an empty folder a refusal leaves an empty folder."""
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(bundle.read_bytes()[:-100])
    home = tmp_path / "home"
    home.mkdir()
    Project(home).run("import", damaged, code=2)

    assert not list(home.iterdir())


def test_into_postgresql_and_out_again(
    bundle: Path, new_project: Callable[[str], Project], postgresql_url: str
) -> None:
    """By command into a server's database, from there into a file again: the same bytes."""
    project = new_project("postgresql")
    project.run("import", bundle, "--storage", postgresql_url)
    project.run("export", STUDY, "again.zip", "--storage", postgresql_url)

    assert not (project.home / "mlruns" / "optuna.db").exists()
    assert (project.home / "again.zip").read_bytes() == bundle.read_bytes()


def test_an_old_folder_is_migrated_by_command(new_project: Callable[[str], Project], tmp_path: Path) -> None:
    """The user's old folder comes with its runs; in place of the project's own it is refused with the way out."""
    old = tmp_path / "mlruns_old"
    script = "import mlflow; mlflow.set_tracking_uri('file:mlruns_old'); mlflow.set_experiment('e')\n"
    script += "with mlflow.start_run(run_name='baseline_1'): mlflow.log_text('area', 'features.txt')"
    environment = clean_environment({"MLFLOW_ALLOW_FILE_STORE": "true"})
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
    project = new_project("migrated")
    before = fingerprint(old)
    first = project.run("migrate", old)
    second = project.run("migrate", old, "--experiment", "e")
    [run] = project.mlflow_runs()

    assert "Brought over: 1 runs; here already: 0" in first.stdout
    assert "Brought over: 0 runs; here already: 1" in second.stdout
    assert run.info.run_name == "baseline_1"
    assert project.artifacts(run) == {"features.txt"}
    assert fingerprint(old) == before
    old.rename(tmp_path / "mlruns")
    refused = Project(tmp_path).run("migrate", "mlruns", code=2)
    assert "do: mv mlruns mlruns_old" in refused.stderr


def test_a_moved_project_serves_its_artifacts(promoted: Step, tmp_path: Path) -> None:
    """Plain `mlflow ui` in the new place shows the files of the new place."""
    home = tmp_path / "moved project"
    shutil.copytree(promoted.project.home, home, symlinks=True)

    _assert_serves(Project(home), [])


def test_an_unpacked_archive_serves_its_artifacts(promoted: Step, tmp_path: Path) -> None:
    """`tar -czf mlruns.tar.gz mlruns/` carries everything; the server needs to be told the database only."""
    archive = tmp_path / "mlruns.tar.gz"
    subprocess.run(["tar", "-czf", archive, "mlruns/"], cwd=promoted.project.home, check=True)
    home = tmp_path / "unpacked"
    home.mkdir()
    with tarfile.open(archive) as file:
        file.extractall(home, filter="data")

    _assert_serves(Project(home), ["--backend-store-uri", "sqlite:///mlruns/mlflow.db"])


def _assert_serves(project: Project, flags: list[str]) -> None:
    runs = [run for run in project.mlflow_runs() if "features.txt" in project.artifacts(run)]
    assert runs
    with _served(project.home, flags) as address:
        for run in runs:
            folder = project.home / "mlruns" / run.info.experiment_id / run.info.run_id / "artifacts"
            # Only here: an address that led back to the first place would give other bytes.
            (folder / "features.txt").write_text(f"here {run.info.run_id}\n", encoding="utf-8")
            for name in project.artifacts(run):
                with urlopen(f"{address}/get-artifact?path={name}&run_uuid={run.info.run_id}") as answer:  # noqa: S310
                    assert answer.read() == (folder / name).read_bytes()


@contextlib.contextmanager
def _served(home: Path, flags: list[str]) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "ui", "--port", str(port), "--workers", "1", *flags]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=home,
            env=clean_environment(LIGHT_SERVER),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 9)
        server.wait()
