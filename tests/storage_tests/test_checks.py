from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.checks import storage_faults
from storage.layout import Layout
from storage.ledger import open_ledger
from storage.record.tracking import open_tracking


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A project without a record."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Layout(tmp_path)


def _table(path: Path, name: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE {name} (a)")


def _only_fault(layout: Layout, word: str) -> None:
    before = sorted(layout.home.rglob("*"))
    faults = storage_faults(layout)

    assert len(faults) == 1
    assert word in faults[0]
    assert "got " in faults[0]
    assert "allowed: " in faults[0]
    assert "do: " in faults[0]
    assert "\n" not in faults[0]
    assert sorted(layout.home.rglob("*")) == before


def test_nothing_there_is_well(home: Layout) -> None:
    """A fresh project has no fault, and looking makes nothing."""
    assert storage_faults(home) == []
    assert list(home.home.iterdir()) == []


def test_our_own_state_is_well(layout: Layout) -> None:
    """A used project has no fault, open or closed, artifacts and links included."""
    open_ledger(layout.ledger_url)
    tracking = open_tracking(layout)
    tracking.client.log_text(tracking.client.create_run("0").info.run_id, "x", "a.txt")
    (layout.mlruns / "1").mkdir()

    assert storage_faults(layout) == []


def test_mlruns_is_a_file(home: Layout) -> None:
    """A file in the folder's place is named."""
    home.mlruns.write_text("")

    _only_fault(home, "file named")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_mlruns_is_read_only(home: Layout) -> None:
    """A folder without the right to write is found."""
    home.mlruns.mkdir(mode=0o500)

    _only_fault(home, "Permission denied")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that even root cannot write")
def test_a_folder_that_refuses_files_is_found_even_as_root() -> None:
    """Whether a folder takes files is found out by trying, not by its permission bits."""
    faults = storage_faults(_ProcLayout())

    assert "got folder /proc/self/fdinfo" in faults[0]


class _ProcLayout(Layout):
    """A project whose mlruns is a kernel folder."""

    @property
    def mlruns(self) -> Path:
        return Path("/proc/self/fdinfo")


@pytest.mark.parametrize("name", ["optuna.db", "mlflow.db"])
@pytest.mark.parametrize(
    ("content", "word"),
    [(b"hello, world, this is text", "not an SQLite file"), (b"SQLite format 3\0" + b"x" * 500, "read")],
)
def test_a_database_that_is_none(home: Layout, name: str, content: bytes, word: str) -> None:
    """A file that SQLite cannot open is found before Optuna or MLflow stumbles over it."""
    home.mlruns.mkdir()
    (home.mlruns / name).write_bytes(content)

    _only_fault(home, word)


@pytest.mark.parametrize("name", ["optuna.db", "mlflow.db"])
def test_another_programs_database(home: Layout, name: str) -> None:
    """A database of somebody else's is never written to."""
    _table(home.mlruns / name, "customers")

    _only_fault(home, "customers")


def test_an_empty_database_is_well(home: Layout) -> None:
    """An empty file is what a creation cut short leaves; it is used."""
    home.mlruns.mkdir()
    home.optuna_db.touch()

    assert storage_faults(home) == []


def test_another_mlflow_db_at_the_root(home: Layout) -> None:
    """A file that plain `mlflow ui` would show in place of the record is found."""
    _table(home.mlflow_link, "experiments")

    _only_fault(home, "mlflow ui")


def test_a_link_to_somewhere_else(home: Layout) -> None:
    """So is a foreign link."""
    home.mlflow_link.symlink_to("other.db")

    _only_fault(home, "mlflow ui")


@pytest.mark.parametrize("left", ["0/meta.yaml", ".trash/x"])
def test_a_leftover_file_store(home: Layout, left: str) -> None:
    """The old file store, which stops `mlflow ui`, is found."""
    path = home.mlruns / left
    path.parent.mkdir(parents=True)
    path.touch()

    _only_fault(home, "file store")


def test_a_server_of_ones_own_needs_no_local_database(home: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """With MLFLOW_TRACKING_URI set, local MLflow files are nobody's business."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    _table(home.mlflow_link, "experiments")
    _table(home.mlflow_db, "customers")

    assert storage_faults(home) == []


def test_all_faults_at_once(home: Layout) -> None:
    """Every fault is told the first time."""
    _table(home.optuna_db, "customers")
    _table(home.mlflow_db, "customers")
    home.mlflow_link.write_text("x")

    assert len(storage_faults(home)) == 3
