from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.layout import Layout, artifact_name, folder_name

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["../../etc", "..", ".hidden", "", "a/b\\c", "賃料" * 100, "a\0b", "%2E"])
def test_any_study_name_is_one_safe_folder(name: str) -> None:
    """A study's name never leads out of its folder, hides it or breaks the file system's limits."""
    folder = folder_name(name)

    assert folder
    assert not folder.startswith(".")
    assert not set(folder) & set("/\\\0")
    assert len(folder.encode()) <= 200


def test_distinct_names_are_distinct_folders() -> None:
    """Two studies never share a folder."""
    names = ["a b", "a%20b", "a/b", "%2E", ".", "", "x" * 300, "x" * 301]

    assert len({folder_name(name) for name in names}) == len(names)


def test_plain_names_stay_readable() -> None:
    """A name that is safe is kept."""
    assert folder_name("lgbm_rent-v1.2") == "lgbm_rent-v1.2"


@pytest.mark.parametrize(
    ("study", "name"),
    [("my study 東京", "my_study_東京"), ("a/b", "a_b"), ("100%25", "100_25"), ("v1.2-b_c", "v1.2-b_c")],
)
def test_mlflow_finds_an_artifact_of_any_studys_name(study: str, name: str) -> None:
    """A file named after a study has no escape among a run's artifacts, and a plain name stays."""
    assert artifact_name(f"submission_{folder_name(study)}_blend.csv") == f"submission_{name}_blend.csv"


def test_default_paths_are_relative(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default layout holds no absolute path, so it may be moved."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    assert Layout().ledger_url == "sqlite:///mlruns/optuna.db"
    assert Layout().tracking_uri == "sqlite:///mlruns/mlflow.db"


def test_a_teams_server_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLFLOW_TRACKING_URI means what it means everywhere else."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")

    assert Layout().tracking_uri == "http://mlflow:5000"


def test_links_survive_a_move(tmp_path: Path) -> None:
    """The links at the root point into the same root after it was renamed."""
    Layout(tmp_path / "old").create()
    (tmp_path / "old").rename(tmp_path / "new")
    moved = Layout(tmp_path / "new")
    moved.mlflow_db.write_text("x")

    assert moved.mlflow_link.read_text() == "x"
    assert moved.submissions_link.resolve() == moved.submissions.resolve()


def test_create_leaves_the_users_files_alone(tmp_path: Path) -> None:
    """A file or folder that already has a link's name is kept."""
    layout = Layout(tmp_path)
    layout.mlflow_link.write_text("mine")
    layout.submissions_link.mkdir()

    layout.create()
    layout.create()

    assert layout.mlflow_link.read_text() == "mine"
    assert not layout.submissions_link.is_symlink()
