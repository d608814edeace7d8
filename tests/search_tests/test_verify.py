"""`search.verify`: any loose file, by its bytes."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from search import verify
from storage.submission.writing import sha256_of
from storage.submission_records import find_record
from tests.search_tests.written_submissions import IDS, Written, predictions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def written(in_empty_folder: Path) -> Written:
    """An empty project."""
    return Written(in_empty_folder)


def test_a_loose_file_is_known_by_its_bytes(
    written: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy under any name, anywhere, is valid and has its study, trial, run, score, data and commit."""
    copy = tmp_path / "final_FINAL(2).csv"
    shutil.copy(written.submission(12, 10.25, git_commit="abc"), copy)

    assert verify.main([str(copy)]) == 0
    output = capsys.readouterr().out
    assert f"SHA-256: {sha256_of(copy)}" in output
    assert (
        "Made by: study rents, trial 12, by trial; run trial_00012 (not found in MLflow); CV rmse 10.2500"
        in output
    )
    assert "data f00d; commit " in output
    assert output.splitlines()[-1].startswith("Valid (no header, numbers in prediction")


def test_changed_bytes_are_unknown(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that was edited may be valid, but nothing here made it: exit code 1, one line."""
    path = written.submission(1, 10.0)
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*rows[:-1], f"{IDS[-1]},100.5"]) + "\n", encoding="utf-8", newline="")

    assert verify.main([str(path)]) == 1
    output = capsys.readouterr().out
    assert output.count(": got ") == 1
    assert ": origin: got sha256 " in output
    assert output.splitlines()[-1].startswith("Valid")


def test_each_fault_is_a_line(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not valid says why, and exits with 1."""
    path = written.submission(1, 10.0)
    rows = path.read_text(encoding="utf-8").splitlines()
    rows[3] = f"{IDS[3]},nan"
    path.write_text("\n".join(rows[:-1]) + "\n", encoding="utf-8", newline="")

    assert verify.main([str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any("ids: got 1 that are missing, '000049'; allowed: " in line for line in lines)
    assert any("values: got 1 that are NaN, 'nan for id 000003'; allowed: " in line for line in lines)
    assert lines[-1] == "Not valid"


def test_drift_is_a_warning_with_figures(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Predictions far from the out-of-fold ones are valid, with a warning that names both."""
    path = written.submission(1, 10.0, predictions(1) * 3)

    assert verify.main([str(path)]) == 0
    output = capsys.readouterr().out
    assert "Warning: prediction: 50 of 50 predictions are outside the out-of-fold range" in output
    assert "standard deviations), median " in output


def test_nothing_to_check_against(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no study at all, that is said, with what to give."""
    path = written.home / "some.csv"
    path.write_text("1,2\n", encoding="utf-8")

    assert verify.main([str(path)]) == 1
    assert "format: got no study and no sample to check against" in capsys.readouterr().out


def test_no_such_file(in_empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that leads nowhere is bad input."""
    assert verify.main([str(in_empty_folder / "absent.csv")]) == 2
    assert "absent.csv: no such file; allowed: " in capsys.readouterr().err


def test_a_file_remembers_all_that_made_it(written: Written) -> None:
    """The same bytes of a trial and of its promotion are two origins; written again, neither is added twice."""
    for kind in ("trial", "promotion", "trial"):
        path = written.submission(3, 10.0, kind=kind)

    record = find_record(written.layout, sha256_of(path))
    assert record is not None
    assert sorted(origin["kind"] for origin in record["origins"]) == ["promotion", "trial"]


def test_a_promotion_of_old_is_known(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """A file promoted before there were records is known by the JSON beside it."""
    path = written.submission(3, 10.0)
    sha256 = sha256_of(path)
    shutil.rmtree(written.layout.submission_record(sha256).parent)
    written.layout.submissions.mkdir(parents=True)
    old = {"study": "rents", "trial": 3, "run_id": "r", "score": 10.0, "std": 0.5, "sha256": sha256}
    beside = written.layout.submissions / "submission_20250101_000000.json"
    beside.write_text(json.dumps({**old, "data_fingerprint": "f00d", "metric": "rmse"}), encoding="utf-8")

    assert verify.main([str(path)]) == 0
    output = capsys.readouterr().out
    assert "Made by: study rents, trial 3, by promotion; run trial_00003 (r)" in output
    assert output.splitlines()[-1] == "Valid (as checked when it was written; its data are not here)"
