from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from search.score_text import score_text, spread_text
from tests.end_to_end_tests.story import (
    N_TRIALS,
    STUDY,
    Step,
    best_of,
    ids_of,
    parent_of,
    trial_runs,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlflow.entities import Run

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.project import Project


def test_a_baseline_has_its_name_and_type(baseline: Step) -> None:
    """The run is `baseline_<time>`, typed as such, with the score printed."""
    (run,) = baseline.project.mlflow_runs("baseline")

    assert re.fullmatch(r"baseline_\d{8}_\d{6}", run.info.run_name)
    assert baseline.after("Run") == run.info.run_name
    assert baseline.after("Run completed") == run.info.run_id
    mean, std = run.data.metrics["cv_rmse_mean"], run.data.metrics["cv_rmse_std"]
    assert baseline.after("CV RMSE") == spread_text(mean, std)
    assert (run.info.status, run.data.tags["status"]) == ("FINISHED", "completed")


def test_a_baseline_is_the_default_trial(baseline: Step) -> None:
    """Same data, folds and parameters as trial 0: the same score, to the bit."""
    (run,) = baseline.project.mlflow_runs("baseline")

    assert run.data.metrics["cv_rmse_mean"] == baseline.state.trials[0].value


def test_a_baseline_has_its_files(baseline: Step, lucas_csvs: CsvPair) -> None:
    """Its submission is checked and kept with features and model."""
    (run,) = baseline.project.mlflow_runs("baseline")
    submission = baseline.project.home / baseline.after("Submission")

    assert ids_of(submission) == ids_of(lucas_csvs.test)
    assert {"features.txt", submission.name, "model/MLmodel"} <= baseline.project.artifacts(run)


def test_a_promotion_writes_submission_and_record(promoted: Step, lucas_csvs: CsvPair) -> None:
    """The file to upload is named by the time, and the JSON beside it tells what it is and what it is worth."""
    submission = promoted.project.home / promoted.after("Submission")
    record = _record(promoted)
    figures = record["figures"]

    assert re.fullmatch(r"submission_\d{8}_\d{6}(_\d+)?\.csv", submission.name)
    assert (promoted.project.home / "submissions" / submission.name).is_file()
    assert ids_of(submission) == ids_of(lucas_csvs.test)
    assert record["sha256"] == hashlib.sha256(submission.read_bytes()).hexdigest()
    assert record["study"] == STUDY
    assert promoted.after("Promoted").startswith(
        f"study {STUDY}, {record['promoted']}, score {score_text(record['score'])}"
    )
    assert figures["expected_low"] < figures["expected_score"] < figures["expected_high"]
    assert figures["candidate"] in [one["candidate"] for one in record["candidates"]]
    assert record["promoted"].startswith(figures["candidate"])
    assert record["run_id"] == _promoted_run(promoted).info.run_id


def test_a_promotion_marks_the_run(promoted: Step) -> None:
    """The run of what was promoted says so, and the study's run what it is worth."""
    record, parent = _record(promoted), parent_of(promoted)

    assert parent.data.tags["promoted"] == record["promoted"]
    assert parent.data.tags["promoted_submission_sha256"] == record["sha256"]
    assert float(parent.data.tags["chosen_expected_score"]) == record["figures"]["expected_score"]
    if record["trial"] is not None:
        assert _promoted_run(promoted).data.tags["status"] == "promoted"


def test_a_promotion_leaves_the_record_equal_to_the_ledger(promoted: Step) -> None:
    """What a promotion writes into runs is in the ledger too, so that nothing of it looks strange to a sync."""
    assert promoted.project.run("sync", "--check").stdout == f"{STUDY}: MLflow equals the ledger\n"


def test_a_promotion_shows_all_candidates(promoted: Step, promoted_other: Step) -> None:
    """The table has the default and what it is compared with, whatever is promoted, and says what that scores."""
    for step in (promoted, promoted_other):
        assert re.search(r"^Candidates \(.+\):$", step.output, re.MULTILINE)
        assert re.search(r"^  [* ] default \(trial 0\) ", step.output, re.MULTILINE)
        assert re.search(
            r"^Expected on the test file: RMSE [\d.]+, 95% of the time from ", step.output, re.MULTILINE
        )
    assert promoted_other.after("Asked for") == "default (trial 0)"


def _record(step: Step) -> dict[str, Any]:
    text = (step.project.home / step.after("Record")).read_text(encoding="utf-8")
    return dict(json.loads(text))


def _promoted_run(step: Step) -> Run:
    """The trial's own where a trial is promoted, else the study's."""
    number = _record(step)["trial"]
    return parent_of(step) if number is None else trial_runs(step)[number]


def test_a_promotion_submits_what_the_search_wrote(searched: Step, promoted: Step) -> None:
    """The promoted file is what the search submitted, byte for byte."""
    home = promoted.project.home

    assert (home / promoted.after("Submission")).read_bytes() == (
        home / searched.after("Submission")
    ).read_bytes()


def test_another_trial_can_be_promoted(promoted_other: Step, baseline: Step) -> None:
    """Trial 0's file is the baseline's, though nothing of it was kept."""
    home = promoted_other.project.home

    assert promoted_other.after("Promoted").startswith(f"study {STUDY}, trial 0, score ")
    assert (home / promoted_other.after("Submission")).read_bytes() == (
        home / baseline.after("Submission")
    ).read_bytes()


def test_the_champion_predicts_the_submission(
    promoted: Step, told: dict[str, Any], lucas_csvs: CsvPair
) -> None:
    """In a new process the registered model reproduces the submission, to the bit."""
    submission = pd.read_csv(promoted.project.home / promoted.after("Submission"), dtype="str")

    assert submission["id"].tolist() == ids_of(lucas_csvs.test)
    assert told["prediction"] == submission["prediction"].map(float).tolist()


def test_the_users_one_liner_finds_the_best(promoted: Step, told: dict[str, Any]) -> None:
    """Sorting by cv_rmse_mean gives the best run that ran to its end."""
    assert told["best"] == trial_runs(promoted)[best_of(promoted).number].info.run_id


def test_the_users_filter_finds_the_baseline(told: dict[str, Any]) -> None:
    """Filtering by experiment_type gives the baseline and nothing else."""
    assert len(told["baselines"]) == 1
    assert told["baselines"][0].startswith("baseline_")


def test_status_lists_the_study(promoted: Step) -> None:
    """Counts, best score and last activity are there without opening a browser."""
    output = promoted.project.run("status").stdout
    best = best_of(promoted)

    assert output.startswith(STUDY + "\n")
    assert f"{N_TRIALS} finished" in output
    assert f"(trial {best.number})" in output
    assert "last activity: 20" in output


def test_changed_data_is_not_promoted(lucas_csvs: CsvPair, new_project: Callable[[str], Project]) -> None:
    """A study whose files have changed since is refused: its model belongs to other data."""
    project = new_project("changed")
    flags = _copied(project, lucas_csvs)
    project.run("run", *flags, "--trials", "1", "--folds", "2", "--workers", "1")
    table = pd.read_csv(project.home / "t.csv").iloc[1:]
    table.to_csv(project.home / "t.csv", index=False)
    before = sorted(project.home.rglob("submission_*"))

    errors = project.run("promote", code=2).stderr

    assert len(errors.splitlines()) == 1
    assert "allowed: the same data" in errors
    assert sorted(project.home.rglob("submission_*")) == before


def _copied(project: Project, pair: CsvPair) -> list[str | Path]:
    """Flags for a copy of the data, three quarters of the rows, that may be changed."""
    pd.read_csv(pair.train).iloc[:400].to_csv(project.home / "t.csv", index=False)
    pd.read_csv(pair.test).to_csv(project.home / "u.csv", index=False)
    return ["--train", "t.csv", "--test", "u.csv", "--target", pair.target]
