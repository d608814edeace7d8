from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from storage import MLflowCallback
from storage.record.reconcile import SyncReport
from storage.record.run_source import FileRuns, ServerRuns
from storage.record.study_sync import audit
from storage.record.tracking import look_at_tracking, open_tracking
from storage.record.trial_mapping import TrialMapping

if TYPE_CHECKING:
    from pathlib import Path

    import optuna
    from mlflow import MlflowClient

    from storage.layout import Layout
    from storage.record.run_source import RunSource

Trials = Callable[..., None]
MAPPING = TrialMapping("cv_rmse_mean", {}, tag_study_user_attrs=False, tag_trial_user_attrs=True)


@pytest.fixture
def client(layout: Layout) -> MlflowClient:
    """A client of its own, to break the record with."""
    return open_tracking(layout).client


@pytest.fixture
def fresh(layout: Layout) -> MLflowCallback:
    """The callback of a new process, which remembers nothing."""
    return MLflowCallback(layout.tracking_uri, "cv_rmse_mean", experiment="rents")


@pytest.fixture
def recorded(callback: MLflowCallback, run_trials: Trials, study: optuna.Study) -> list[str]:
    """Four recorded trials, the study closed; returns their runs."""
    run_trials(4)
    callback.sync(study, idle=True)
    callback.close(study)
    return [callback.run_id(study, number) for number in range(4)]


@pytest.fixture
def differences(layout: Layout, study: optuna.Study) -> Callable[[], list[str]]:
    """What the audit says, but for the files, of which these trials have none."""

    def look() -> list[str]:
        lines = audit(study, look_at_tracking(layout), "rents", MAPPING, is_running=False)
        return [line for line in lines if "files are of" not in line]

    return look


def _execute(layout: Layout, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(layout.mlflow_db)) as connection, connection:
        assert connection.execute(statement, values).rowcount


def test_an_audit_of_nothing_makes_nothing(layout: Layout, study: optuna.Study, run_trials: Trials) -> None:
    """Without a database every trial is missing, and there is still no database."""
    run_trials(2)
    layout.mlflow_db.unlink()
    found = list(audit(study, look_at_tracking(layout), "rents", MAPPING, is_running=False))

    assert found == ["trial 0: no run", "trial 1: no run", "the study: no run"]
    assert not layout.mlflow_db.exists()
    assert "uid" not in study.user_attrs


def test_an_audit_changes_nothing(
    layout: Layout, recorded: list[str], client: MlflowClient, differences: Callable[[], list[str]]
) -> None:
    """Broken or right, the database is the same to the byte."""
    client.delete_tag(recorded[1], "synced")
    client._tracking_client.store.engine.dispose()
    before = layout.mlflow_db.read_bytes()

    assert differences() == [f"trial 1: run {recorded[1]}: half written"]
    assert layout.mlflow_db.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE params SET value = 'x' WHERE run_uuid = ? AND key = 'rate'", "parameter rate is 'x'"),
        ("DELETE FROM params WHERE run_uuid = ? AND key = 'seed'", "parameter seed is missing"),
        (
            "UPDATE latest_metrics SET value = 0.1 WHERE run_uuid = ? AND key = 'cv_rmse_std'",
            "cv_rmse_std is 0.1",
        ),
        (
            "UPDATE metrics SET value = 0.1 WHERE run_uuid = ? AND key = 'cv_rmse_running'",
            "curve cv_rmse_running",
        ),
        (
            "DELETE FROM metrics WHERE run_uuid = ? AND key = 'cv_rmse_running'",
            "points of cv_rmse_running is 0",
        ),
        ("UPDATE runs SET status = 'RUNNING' WHERE run_uuid = ?", "status is 'RUNNING'"),
        ("UPDATE runs SET end_time = 5 WHERE run_uuid = ?", "end is 5"),
    ],
)
def test_whatever_differs_is_seen_and_written_anew(  # noqa: PLR0917 - fixtures
    layout: Layout,
    recorded: list[str],
    fresh: MLflowCallback,
    study: optuna.Study,
    differences: Callable[[], list[str]],
    statement: str,
    what: str,
) -> None:
    """Parameters, metrics, every point of a curve, status and times are compared, and the ledger wins."""
    _execute(layout, statement, recorded[0])

    (line,) = [line for line in differences() if line.startswith("trial")]
    assert line.startswith(f"trial 0: run {recorded[0]}: ")
    assert what in line
    assert fresh.sync(study, deep=True) == SyncReport(written=(0,), deleted=1, kept=3)
    assert differences() == []


def test_a_score_that_no_run_may_have_is_seen(
    recorded: list[str], client: MlflowClient, fresh: MLflowCallback, study: optuna.Study
) -> None:
    """A pruned trial with the objective's metric would rank first."""
    client.log_metric(recorded[1], "cv_rmse_mean", 0.0)

    assert fresh.sync(study).written == (1,)


def test_the_users_own_additions_are_left_alone(
    recorded: list[str], client: MlflowClient, fresh: MLflowCallback, study: optuna.Study
) -> None:
    """Notes, a status, a description, further metrics and parameters are no differences."""
    for key in ("note", "status", "mine", "mlflow.note.content"):
        client.set_tag(recorded[0], key, "changed")
    client.log_metric(recorded[0], "leaderboard", 0.9)
    client.log_param(recorded[0], "remark", "ok")

    assert not fresh.sync(study, deep=True).changed


def test_our_own_tags_are_corrected_in_place(
    recorded: list[str], client: MlflowClient, fresh: MLflowCallback, study: optuna.Study
) -> None:
    """For a tag no run is written anew."""
    client.set_tag(recorded[0], "data_fingerprint", "changed")
    client.delete_tag(recorded[2], "note")

    assert fresh.sync(study) == SyncReport(kept=4, retagged=2)
    assert client.get_run(recorded[0]).data.tags["data_fingerprint"] == "abc"
    assert client.get_run(recorded[2]).data.tags["note"] == "out of memory"


def test_a_run_written_anew_keeps_what_the_user_gave_it(
    layout: Layout, recorded: list[str], client: MlflowClient, fresh: MLflowCallback, study: optuna.Study
) -> None:
    """Tags, description, promotion and files move to the new run."""
    for key, value in {"mine": "1", "status": "promoted", "mlflow.note.content": "good"}.items():
        client.set_tag(recorded[0], key, value)
    client.log_text(recorded[0], "kept", "notes/a.txt")
    client.log_metric(recorded[0], "cv_rmse_mean", 0.0, step=1)
    fresh.sync(study)
    run_id = fresh.run_id(study, 0)
    tags = client.get_run(run_id).data.tags

    assert run_id != recorded[0]
    assert (tags["mine"], tags["status"], tags["mlflow.note.content"]) == ("1", "promoted", "good")
    text = (
        layout.mlruns / client.get_run(run_id).info.experiment_id / run_id / "artifacts" / "notes" / "a.txt"
    )
    assert text.read_text() == "kept"


def test_a_promotion_is_restored(
    recorded: list[str], client: MlflowClient, fresh: MLflowCallback, study: optuna.Study
) -> None:
    """A run that is gone comes back with the tags that the promotion's record tells of."""
    client.delete_run(recorded[0])
    fresh.sync(study, restored={0: {"status": "promoted", "submission_sha256": "ab"}})
    tags = client.get_run(fresh.run_id(study, 0)).data.tags

    assert (tags["status"], tags["submission_sha256"]) == ("promoted", "ab")


def test_a_curve_with_foreign_points_gives_way(
    recorded: list[str],
    client: MlflowClient,
    fresh: MLflowCallback,
    study: optuna.Study,
    differences: Callable[[], list[str]],
) -> None:
    """MLflow cannot take a point back: the study gets another run, with the old one's files and notes."""
    old = fresh.parent_run_id(study)
    client.log_text(old, "kept", "notes.txt")
    client.set_tag(old, "mine", "1")
    client.log_metric(old, "best_cv_rmse_mean", 0.0, step=99)
    assert len(differences()) >= 1

    report = fresh.sync(study, idle=True)
    new = fresh.parent_run_id(study)

    assert new != old
    assert report == SyncReport(adopted=4)
    assert client.get_run(new).data.tags["mine"] == "1"
    assert {item.path for item in client.list_artifacts(new)} == {"notes.txt", "best_params.json"}
    assert client.get_run(old).info.lifecycle_stage == "deleted"
    assert differences() == []
    assert len(recorded) == 4


def test_a_study_nobody_drives_has_ended(
    fresh: MLflowCallback,
    client: MlflowClient,
    study: optuna.Study,
    run_trials: Trials,
    differences: Callable[[], list[str]],
) -> None:
    """After a kill its run is KILLED; where the ledger knows the ending, it is that one."""
    run_trials(2)
    fresh.sync(study)
    parent = fresh.parent_run_id(study)
    assert client.get_run(parent).info.status == "RUNNING"
    assert any("status is RUNNING" in line for line in differences())

    fresh.sync(study, idle=True)
    assert client.get_run(parent).info.status == "KILLED"
    study.set_user_attr("ended", {"status": "FINISHED", "note": None})
    fresh.sync(study, idle=True)
    assert client.get_run(parent).info.status == "FINISHED"
    assert differences() == []


def test_lost_and_foreign_files_of_the_best_are_seen(
    layout: Layout, recorded: list[str], fresh: MLflowCallback, study: optuna.Study, tmp_path: Path
) -> None:
    """A file that is gone, on either run, and files of an earlier best are told."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "m.txt").write_text("m")
    assert len(fresh.file_differences(study, 0)) == 2
    fresh.attach(study, 0, {"model": tmp_path / "model", "f.txt": tmp_path / "model" / "m.txt"})
    assert fresh.file_differences(study, 0) == []

    stored = layout.mlruns / "1" / recorded[0] / "artifacts" / "model" / "m.txt"
    stored.unlink()
    (line,) = fresh.file_differences(study, 0)
    assert line.startswith(f"trial 0: run {recorded[0]}: files of trial 0 (f.txt, model) are not all there")


def test_a_file_and_its_server_say_the_same(layout: Layout, recorded: list[str], study: optuna.Study) -> None:
    """Read directly or through MLflow, runs are the same values."""
    tracking, uid = open_tracking(layout), study.user_attrs["uid"]
    sources: list[RunSource] = [FileRuns(layout.mlflow_db, "1", uid), ServerRuns(tracking, "1", uid)]
    first, second = [
        (sorted(source.listed()), source.read(recorded, ["cv_rmse_running"])) for source in sources
    ]

    assert first[0] == second[0]
    for run_id in recorded:
        one, other = first[1][run_id], second[1][run_id]
        assert one._replace(curves={}) == other._replace(curves={})
        assert {k: v for k, v in one.curves.items() if k == "cv_rmse_running"} == other.curves
