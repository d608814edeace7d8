from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage.record.tracking import ensure_experiment, open_tracking

if TYPE_CHECKING:
    from storage.layout import Layout

ROOT = Path(__file__).parents[2]
CREATE = """
from storage.layout import Layout
from storage.record.tracking import ensure_experiment, open_tracking
print(ensure_experiment(open_tracking(Layout()), "rents"))
"""
DOWNLOAD = """
import sys, mlflow
print(mlflow.artifacts.load_text(f"runs:/{sys.argv[1]}/notes/a.txt"))
"""


def _start(code: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_processes_may_create_the_record_at_once(tmp_path: Path) -> None:
    """Both get a working record with the same experiment, and nothing noisy is printed."""
    both = [_start(CREATE, cwd=tmp_path, MLFLOW_TRACKING_URI="") for _ in range(2)]
    outputs = [process.communicate(timeout=300) for process in both]

    assert [process.returncode for process in both] == [0, 0], outputs
    assert [out for out, _ in outputs] == ["1\n", "1\n"]
    assert not any("alembic" in err or "INFO" in err for _, err in outputs)


@pytest.mark.slow
def test_artifacts_survive_moving_the_folder(layout: Layout, tmp_path: Path) -> None:
    """After the project was renamed, a new process that knows only the link at the root reads artifacts."""
    tracking = open_tracking(layout)
    run_id = tracking.client.create_run(ensure_experiment(tracking, "rents")).info.run_id
    tracking.client.log_text(run_id, "still here", "notes/a.txt")
    moved = tmp_path.with_name("moved")
    tmp_path.rename(moved)
    process = _start(DOWNLOAD, run_id, cwd=moved, MLFLOW_TRACKING_URI="sqlite:///mlflow.db")
    out, err = process.communicate(timeout=120)

    assert out.strip() == "still here", err


def test_artifact_addresses_are_relative(layout: Layout) -> None:
    """No run of the local record holds an absolute path."""
    tracking = open_tracking(layout)
    experiment = ensure_experiment(tracking, "rents")
    run = tracking.client.create_run(experiment)

    assert run.info.artifact_uri == f"mlruns/{experiment}/{run.info.run_id}/artifacts"


def test_a_location_the_user_chose_is_kept(layout: Layout, tmp_path: Path) -> None:
    """Only MLflow's own default is made relative."""
    tracking = open_tracking(layout)
    chosen = (tmp_path / "elsewhere").as_uri()
    tracking.client.create_experiment("rents", artifact_location=chosen)
    ensure_experiment(tracking, "rents")

    experiment = tracking.client.get_experiment_by_name("rents")
    assert experiment is not None
    assert experiment.artifact_location == chosen


def test_a_deleted_experiment_is_restored(layout: Layout) -> None:
    """A search goes on in its experiment even after that was put in the trash."""
    tracking = open_tracking(layout)
    experiment = ensure_experiment(tracking, "rents")
    tracking.client.delete_experiment(experiment)

    assert ensure_experiment(tracking, "rents") == experiment
    tracking.client.create_run(experiment)


def test_the_database_waits_for_nobody_and_tears_for_nothing(layout: Layout) -> None:
    """MLflow's own connections have the write-ahead log and normal syncing."""
    engine = open_tracking(layout).client._tracking_client.store.engine
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 1


def test_the_link_at_the_root_is_the_database(layout: Layout) -> None:
    """Plain `mlflow ui` finds the record under the name it looks for."""
    open_tracking(layout)

    assert layout.mlflow_link.samefile(layout.mlflow_db)


def test_another_database_keeps_its_ways(layout: Layout, tmp_path: Path, mlflow_template: Path) -> None:
    """A SQLite file of the user's own is used as it is: no links, no relative addresses."""
    other = tmp_path / "own.db"
    other.write_bytes(mlflow_template.read_bytes())
    tracking = open_tracking(layout, f"sqlite:///{other}")

    assert not tracking.is_local
    assert not layout.mlflow_link.exists()


def test_importing_storage_is_cheap() -> None:
    """A command's --help pays for none of the heavy libraries."""
    code = (
        "import sys, storage, storage.checks, storage.ledger, storage.record.tracking, storage.record.recorder\n"
        "print(sorted({'mlflow', 'optuna', 'sqlalchemy', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    out, err = _start(code, cwd=ROOT).communicate(timeout=60)

    assert out == "[]\n", err
