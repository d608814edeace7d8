"""`search.leaderboard`: scores by checksum, agreement with CV, two files for the final."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from search import leaderboard
from search.results.ranks import Candidate, estimates, pick_two, rank_correlation
from storage.leaderboard import Leaderboard
from tests.search_tests.written_submissions import Written, predictions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def written(in_empty_folder: Path) -> Written:
    """An empty project."""
    return Written(in_empty_folder)


def _add(path: Path, score: float, *more: str) -> int:
    return leaderboard.main(["add", str(path), str(score), *more])


def _scored(written: Written, boards: list[float]) -> list[Path]:
    """Trials with CV 10, 11, ... and these public scores."""
    paths = [written.submission(trial, 10.0 + trial) for trial in range(len(boards))]
    for path, board in zip(paths, boards, strict=True):
        assert _add(path, board) == 0
    return paths


def test_a_score_is_kept_by_the_files_bytes(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy under another name is the same file; public and private are kept side by side, with notes."""
    path = written.submission(4, 10.0)
    copy = written.home / "copy.csv"
    shutil.copy(path, copy)

    assert _add(path, 10.5, "--note", "first try") == 0
    assert _add(copy, 10.75, "--private") == 0

    (entry,) = Leaderboard(written.layout).entries()
    assert (entry.score("public"), entry.score("private")) == (10.5, 10.75)
    assert entry.scores["public"].note == "first try"
    assert Leaderboard(written.layout).copy_of(entry.sha256).read_bytes() == path.read_bytes()
    assert "Made by: study rents, trial 4" in capsys.readouterr().out


def test_a_repeated_command_changes_nothing(written: Written) -> None:
    """The same score again leaves every byte of the ledger; another replaces it and is remembered."""
    path = written.submission(4, 10.0)
    _add(path, -0.5)
    before = {p: p.read_bytes() for p in written.layout.leaderboard.glob("*.*") if p.is_file()}
    _add(path, -0.5)
    assert {p: p.read_bytes() for p in written.layout.leaderboard.glob("*.*") if p.is_file()} == before

    _add(path, 10.6)
    (entry,) = Leaderboard(written.layout).entries()
    assert entry.score("public") == 10.6
    assert [score.value for score in entry.earlier] == [-0.5]


def test_a_damaged_entry_is_left_out(written: Written) -> None:
    """What is not a whole entry does not stop the others, and is written anew by the same command."""
    one, other = written.submission(1, 10.0), written.submission(2, 11.0)
    _add(one, 10.5)
    _add(other, 11.5)
    damaged, *_ = written.layout.leaderboard.glob("*.json")
    damaged.write_text("{", encoding="utf-8")
    assert len(Leaderboard(written.layout).entries()) == 1

    _add(one, 10.5)
    _add(other, 11.5)
    assert len(Leaderboard(written.layout).entries()) == 2


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "got no action; allowed: add, list, plot, pick-two"),
        (["ad"], "got ad; allowed: add, list, plot, pick-two"),
        (["add", "absent.csv", "1"], "absent.csv: no such file"),
        (["add", "absent.csv", "nan"], "SCORE: got 'nan'"),
        (["add", "absent.csv"], "got no SCORE"),
        (["list"], "got no score and nothing sent here"),
        (["pick-two", "--public-share", "2"], "--public-share: got '2'"),
    ],
)
def test_bad_input(
    words: list[str], named: str, in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be done is one line, exit 2, and nothing is made."""
    assert leaderboard.main(words) == 2
    error = capsys.readouterr().err
    assert named in error
    assert len(error.splitlines()) == 1
    assert list(in_empty_folder.iterdir()) == []


def test_agreement_is_stated(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Files are listed best CV first, with the rank correlation, and no warning where all goes together."""
    _scored(written, [10.1, 11.3, 12.1, 13.2])
    capsys.readouterr()

    assert leaderboard.main(["list"]) == 0
    output = capsys.readouterr().out
    assert re.findall(r"\(study rents, trial (\d)\)", output) == ["0", "1", "2", "3"]
    assert "Rank correlation of CV and public leaderboard, 4 files: 1.00" in output
    assert "Warning" not in output


def test_parting_is_warned_of(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the leaderboard orders the files the other way round, or is far off, that is said with figures."""
    _scored(written, [23.1, 22.3, 21.1, 20.2])
    capsys.readouterr()

    leaderboard.main(["list"])
    output = capsys.readouterr().out
    assert "Warning: CV and leaderboard order 4 files differently: rank correlation -1.00" in output
    assert (
        "Warning: the best by CV, study rents, trial 0, is 2.9 behind the best on the leaderboard" in output
    )
    assert "Warning: the leaderboard is +10.2 from CV, 20.4 standard deviations of a fold" in output


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_plot(written: Written, kind: str) -> None:
    """The picture has a point a file; in an SVG the names are text, whatever their script."""
    _scored(written, [10.1, 11.3, 12.1, 13.2])
    out = written.home / f"板.{kind}"

    assert leaderboard.main(["plot", "--out", str(out)]) == 0
    data = out.read_bytes()
    assert data.startswith(b"\x89PNG" if kind == "png" else b"<?xml")
    if kind == "svg":
        assert "study rents, trial 3" in data.decode()
        assert "rank correlation 1.00" in data.decode()


def test_two_competitions_are_kept_apart(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """Files of another metric are another competition: a study has to be named."""
    _add(written.submission(1, 10.0), 10.5)
    _add(written.submission(2, 0.5, study="sales", metric="mape"), 0.6)
    capsys.readouterr()

    assert leaderboard.main(["list"]) == 2
    assert "allowed: rents, sales" in capsys.readouterr().err
    assert leaderboard.main(["list", "--study", "sales"]) == 0
    assert "rents" not in capsys.readouterr().out


def test_two_to_select(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """The best is safe; of two as good as each other, the one that predicts otherwise goes with it."""
    twin, distant = predictions(0) + 0.01, predictions(0)[::-1].copy()
    for trial, score, values in ((0, 10.0, None), (1, 10.1, twin), (2, 10.1, distant)):
        _add(written.submission(trial, score, values), score + 0.2)
    capsys.readouterr()

    assert leaderboard.main(["pick-two"]) == 0
    safe, different, correlation, *_ = capsys.readouterr().out.splitlines()
    assert safe.startswith("Safe: trial_0.csv (study rents, trial 0; sha256 ")
    assert different.startswith("Different: trial_2.csv")
    assert float(correlation.rsplit(maxsplit=1)[1]) < 0.9


def test_one_file_is_no_choice(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    """With fewer than two files there is nothing to pick from."""
    _add(written.submission(1, 10.0), 10.5)
    assert leaderboard.main(["pick-two"]) == 2
    assert "fewer than two of them readable" in capsys.readouterr().err


def test_the_expected_best_of_two_is_that_of_many_draws() -> None:
    """The expected score of the better of both is what drawing them many times gives."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=400)
    known = [
        Candidate(
            str(k),
            str(k),
            cv=10.0 + k / 10,
            std=1.0,
            n_folds=4,
            n_train=100,
            prediction=shared + rng.normal(size=400),
        )
        for k in range(2)
    ]
    pair = pick_two(estimates(known, public_rows=50), greater_is_better=False)

    assert pair is not None
    assert (pair.safe.error, pair.other.error) == (0.5, 0.5)
    covariance = 0.25 * np.array([[1, pair.correlation], [pair.correlation, 1]])
    draws = rng.multivariate_normal([10.0, 10.1], covariance, 200_000)
    assert pair.best_of_two == pytest.approx(draws.min(axis=1).mean(), abs=0.005)


def test_a_leaderboard_score_counts_by_its_rows() -> None:
    """A public score on as many rows as CV counts as much as CV; its usual distance from CV is taken off."""
    known = [
        Candidate(str(k), str(k), cv=10.0 + k, std=1.0, n_folds=5, n_train=100, board=20.0 + k)
        for k in range(3)
    ]
    known[0] = Candidate("0", "0", cv=10.0, std=1.0, n_folds=5, n_train=100, board=21.0)
    (first, *_) = estimates(known, public_rows=100)

    assert first.mean == 10.5


def test_rank_correlation() -> None:
    """Spearman's, with ties."""
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 5]) == pytest.approx(-0.2)
    assert rank_correlation([1, 2, 2, 4], [1, 2, 2, 4]) == pytest.approx(1.0)
    assert np.isnan(rank_correlation([1], [1]))


def test_scores_reach_the_run(
    written: Written, mlflow_template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run that made the file has `lb_public` and `lb_private`; without MLflow that is a warning, not a loss."""
    from mlflow import MlflowClient

    from storage.record.run_record import RunRecord, record_run
    from storage.record.tracking import ensure_experiment, open_tracking

    path = written.submission(1, 10.0)
    assert _add(path, 10.5) == 0
    assert "Warning: not written to MLflow" in capsys.readouterr().out

    shutil.copy(mlflow_template, written.layout.mlflow_db)
    tracking = open_tracking(written.layout)
    tags = {"optuna_study": "rents", "optuna_trial": "1"}
    run_id = record_run(
        tracking, ensure_experiment(tracking, "rents"), RunRecord(name="trial_00001", tags=tags), {}
    )
    assert _add(path, 10.75, "--private", "--note", "終了後") == 0

    run = MlflowClient(f"sqlite:///{written.layout.mlflow_db}").get_run(run_id)
    assert (run.data.metrics["lb_public"], run.data.metrics["lb_private"]) == (10.5, 10.75)
    assert run.data.tags["lb_private_note"] == "終了後"
    assert (
        json.loads(next(written.layout.leaderboard.glob("*.json")).read_text(encoding="utf-8"))["file"]
        == path.name
    )
