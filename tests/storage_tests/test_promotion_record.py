from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from storage.promotion_record import (
    REQUIRED_FIELDS,
    free_submission_path,
    git_commit,
    git_is_dirty,
    package_versions,
    promotion_tags,
    timestamped_name,
    write_promotion_record,
)
from storage.submission.writing import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC)
RECORD: dict[str, Any] = {
    "study": "家賃",
    "trial": 12,
    "run_id": "a1",
    "score": 0.1,
    "std": 0.01,
    "data_fingerprint": "f",
}


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    """A written submission."""
    path = tmp_path / "submission_20261103_040506.csv"
    path.write_text("id,price\n1,2.0\n", encoding="utf-8")
    return path


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_record(submission: Path) -> None:
    """The record stands beside the file and says what was scored, on what, with what, and when."""
    path = write_promotion_record(submission, RECORD)
    record = json.loads(path.read_text(encoding="utf-8"))

    assert submission.with_suffix(".json") == path
    assert record.items() >= RECORD.items()
    assert sha256_of(submission) == record["sha256"]
    assert submission.name == record["file"]
    assert package_versions() == record["packages"]
    assert {"git_commit", "git_dirty"} <= record.keys()
    assert datetime.fromisoformat(record["created"]).utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize("field", REQUIRED_FIELDS)
def test_required_fields(submission: Path, field: str) -> None:
    """A record that does not say what was promoted is refused and nothing is written."""
    with pytest.raises(ValueError, match=f"got no {field}"):
        write_promotion_record(submission, {name: value for name, value in RECORD.items() if name != field})
    assert not submission.with_suffix(".json").exists()


def test_no_nan(submission: Path) -> None:
    """A score that is no number is refused: NaN is not JSON."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_promotion_record(submission, {**RECORD, "score": float("nan")})
    assert not submission.with_suffix(".json").exists()


def test_versions() -> None:
    """The versions name Python and every package a score depends on."""
    assert {"python", "optuna", "mlflow", "lightgbm", "scikit-learn", "pandas", "numpy"} == set(
        package_versions()
    )


def test_names(tmp_path: Path) -> None:
    """A second promotion within a second gets a name of its own, also beside a lone record."""
    first = free_submission_path(tmp_path, NOW)
    first.touch()
    second = free_submission_path(tmp_path, NOW)
    second.with_suffix(".json").touch()

    assert timestamped_name(NOW) == "submission_20261103_040506.csv" == first.name
    assert second.name == "submission_20261103_040506_2.csv"
    assert free_submission_path(tmp_path, NOW).name == "submission_20261103_040506_3.csv"


def test_git(tmp_path: Path) -> None:
    """The commit and whether tracked files differ from it are told apart; files git ignores do not count."""
    _git(tmp_path, "init")
    assert git_commit(tmp_path) is None
    (tmp_path / "code.py").write_text("1", encoding="utf-8")
    _git(tmp_path, "add", "code.py")
    _git(tmp_path, "commit", "-m", "one")

    commit = git_commit(tmp_path)
    assert commit is not None
    assert len(commit) == 40
    assert git_is_dirty(tmp_path) is False
    (tmp_path / "untracked").touch()
    assert git_is_dirty(tmp_path) is False
    (tmp_path / "code.py").write_text("2", encoding="utf-8")
    assert git_is_dirty(tmp_path) is True


@pytest.mark.parametrize("has_git", [True, False])
def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_git: bool) -> None:
    """Outside a repository, or without git on the machine, there is no commit and no crash."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if not has_git:
        monkeypatch.setenv("PATH", str(tmp_path))

    assert git_commit(tmp_path) is None
    assert git_is_dirty(tmp_path) is None


def test_promotions_are_read_back_as_tags(submission: Path) -> None:
    """Each promoted trial of the study, the last promotion winning; whatever else lies there is passed by."""
    folder = submission.parent
    write_promotion_record(submission, RECORD)
    (folder / "submission_torn.json").write_text("{", encoding="utf-8")
    (folder / "submission_other.json").write_text(
        json.dumps({**RECORD, "study": "x", "sha256": "0"}), encoding="utf-8"
    )

    tags = {"status": "promoted", "submission_sha256": sha256_of(submission)}
    assert promotion_tags(folder, "家賃") == {12: tags}
    assert promotion_tags(folder / "none", "家賃") == {}
