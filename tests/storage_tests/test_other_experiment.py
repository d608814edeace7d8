"""A study's runs are in one experiment: where its name changes, they follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from storage.mlflow_callback import MLflowCallback
from storage.record.run_record import log_path
from storage.record.study_sync import audit
from storage.record.tracking import look_at_tracking, open_tracking
from storage.record.trial_mapping import TrialMapping
from tests.storage_tests.conftest import METRIC
from tests.storage_tests.record_checks import all_runs, assert_exact

if TYPE_CHECKING:
    from optuna.study import Study

    from storage.layout import Layout
    from tests.storage_tests.conftest import Place

Trials = Callable[..., None]
MAPPING = TrialMapping(METRIC, {}, tag_study_user_attrs=False, tag_trial_user_attrs=True)


@pytest.fixture
def elsewhere(place: Place) -> Place:
    """Another experiment of the same record."""
    return place[0], f"{place[1]} of old"


@pytest.fixture
def recorded(elsewhere: Place, run_trials: Trials, study: Study) -> MLflowCallback:
    """Four trials on record in the other experiment."""
    run_trials(4)
    callback = MLflowCallback(elsewhere[0], METRIC, experiment=elsewhere[1])
    callback.sync(study, idle=True)
    callback.close(study)
    return callback


def test_the_runs_follow_the_study(
    place: Place, elsewhere: Place, recorded: MLflowCallback, study: Study, layout: Layout
) -> None:
    """All runs are in the experiment asked for, with notes and files, and none is left in the one before."""
    tracking, plot = open_tracking(layout, place[0]), layout.mlruns / "plot.txt"
    client = tracking.client
    plot.write_text("a plot", encoding="utf-8")
    for run_id in (recorded.run_id(study, 0), recorded.parent_run_id(study)):
        client.set_tag(run_id, "seen", "yes")
        log_path(tracking, run_id, "plot.txt", plot)

    moved = MLflowCallback(place[0], METRIC, experiment=place[1])
    report = moved.sync(study, idle=True)

    assert (report.written, report.deleted) == ((0, 1, 2, 3), 5)
    parent = assert_exact(*place, study, METRIC)
    assert all_runs(*elsewhere) == []
    assert parent.info.status == "FINISHED"
    for run_id in (moved.run_id(study, 0), parent.info.run_id):
        assert client.get_run(run_id).data.tags["seen"] == "yes"
        assert "plot.txt" in [item.path for item in client.list_artifacts(run_id)]
    assert not MLflowCallback(place[0], METRIC, experiment=place[1]).sync(study, deep=True, idle=True).changed


def test_a_check_sees_runs_elsewhere(
    place: Place, elsewhere: Place, recorded: MLflowCallback, layout: Layout, study: Study
) -> None:
    """Each run in another experiment is a difference, once the study has one of its own here."""
    here = MLflowCallback(place[0], METRIC, experiment=place[1])
    here.parent_run_id(study)

    lines = list(audit(study, look_at_tracking(layout, place[0]), place[1], MAPPING, is_running=False))

    for number in range(4):
        assert f"trial {number}: run {recorded.run_id(study, number)}: in another experiment" in lines
    old = MLflowCallback(elsewhere[0], METRIC, experiment=elsewhere[1]).parent_run_id(study)
    assert f"run {old}: the study's, in another experiment" in lines
    assert len(all_runs(*elsewhere)) == 5


def test_a_move_that_was_cut_short_is_ended(
    place: Place, elsewhere: Place, recorded: MLflowCallback, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a sync dies between writing and deleting, the next leaves one run of each trial."""
    assert recorded
    moved = MLflowCallback(place[0], METRIC, experiment=place[1])
    with monkeypatch.context() as broken:
        broken.setattr("storage.record.study_sync.TrialSync._delete", _refuse)
        with pytest.raises(OSError, match="cut short"):
            moved.sync(study)
    assert len(all_runs(*elsewhere)) == 5

    report = MLflowCallback(place[0], METRIC, experiment=place[1]).sync(study, idle=True)

    assert (report.written, report.deleted) == ((), 5)
    assert_exact(*place, study, METRIC)
    assert all_runs(*elsewhere) == []


def _refuse(*_args: object) -> None:
    raise OSError("cut short")
