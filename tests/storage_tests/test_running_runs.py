"""Trials shown as RUNNING while they run: the same run ends with them, and a dead process leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import mlflow
import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from storage.ledger_trials import find_trial, running_numbers
from storage.mlflow_callback import MLflowCallback
from storage.record.mirror import milliseconds
from storage.record.study_sync import audit
from storage.record.tracking import look_at_tracking
from storage.record.trial_mapping import TrialMapping
from tests.storage_tests.conftest import METRIC
from tests.storage_tests.record_checks import all_runs, assert_exact, end
from tests.storage_tests.servers import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.entities import Run
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from storage.layout import Layout
    from tests.storage_tests.conftest import Place

SPACE = {"rate": FloatDistribution(0.01, 1.0)}
MAPPING = TrialMapping(METRIC, {}, tag_study_user_attrs=False, tag_trial_user_attrs=True)


@pytest.fixture
def placed(place: Place) -> Iterator[MLflowCallback]:
    """The callback on that record."""
    callback = _new(place)
    yield callback
    end(callback)


def _new(place: Place) -> MLflowCallback:
    return MLflowCallback(place[0], METRIC, experiment=place[1])


def _ask(study: Study) -> Trial:
    return study.ask(fixed_distributions=SPACE)


def _begun(callback: MLflowCallback, study: Study) -> Trial:
    trial = _ask(study)
    callback.begin(study, find_trial(study, trial.number))
    return trial


def _told(study: Study, trial: Trial, value: float | None = 0.5, state: str = "COMPLETE") -> FrozenTrial:
    trial.set_user_attr("metrics", {"cv_rmse_std": 0.25})
    trial.report(0.75, step=10)
    return study.tell(trial, value if state == "COMPLETE" else None, state=TrialState[state])


def _trial_runs(place: Place) -> list[Run]:
    return [run for run in all_runs(*place) if run.data.tags["experiment_type"] == "optuna_trial"]


def _lines(layout: Layout, study: Study, *, is_running: bool) -> list[str]:
    lines = audit(study, look_at_tracking(layout), "rents", MAPPING, is_running=is_running)
    return [line for line in lines if "files are of" not in line]


def test_a_trial_shows_as_running_while_it_runs(place: Place, placed: MLflowCallback, study: Study) -> None:
    """At once there is a run with name, start, parent and parameters, and no end, score or mark that it is whole."""
    placed.open(study)
    trial = _begun(placed, study)

    (run,) = _trial_runs(place)
    assert (run.info.status, run.info.run_name, run.info.end_time) == ("RUNNING", "trial_00000", None)
    assert run.info.start_time == milliseconds(find_trial(study, 0).datetime_start)
    assert run.data.params == {
        "rate": str(trial.params["rate"]),
        "seed": "7",
        "feature_cols": '["area", "駅"]',
    }
    assert run.data.tags["mlflow.parentRunId"] == placed.parent_run_id(study)
    assert run.data.tags["status"] == "running"
    assert "synced" not in run.data.tags
    assert run.data.metrics == {}


@pytest.mark.parametrize("state", ["COMPLETE", "PRUNED", "FAIL"])
def test_the_same_run_ends_with_the_trial(
    place: Place, placed: MLflowCallback, study: Study, state: str
) -> None:
    """Whatever its end, the run is the one begun, and holds what a run written at the end would hold."""
    placed.open(study)
    begun, whole = _begun(placed, study), _ask(study)
    (before,) = _trial_runs(place)
    for trial in (begun, whole):
        trial.set_user_attr("reason", "so it was")
        placed.record(study, _told(study, trial, state=state))

    first, second = sorted(_trial_runs(place), key=lambda run: run.info.run_name)
    assert first.info.run_id == before.info.run_id == placed.run_id(study, 0)
    assert first.info.status == second.info.status != "RUNNING"
    assert first.data.metrics == second.data.metrics
    assert first.data.params.keys() == second.data.params.keys()
    assert first.data.tags.keys() == second.data.tags.keys()
    assert first.data.tags["status"] == second.data.tags["status"]
    assert first.info.end_time == milliseconds(find_trial(study, 0).datetime_complete)
    assert not _new(place).sync(study, deep=True).changed
    assert_exact(*place, study, METRIC)


def test_what_a_trial_learns_while_it_runs_is_on_its_run(
    place: Place, placed: MLflowCallback, study: Study
) -> None:
    """Parameters suggested late and attributes set late come with the end, however many tags they are."""
    trial = _begun(placed, study)
    trial.suggest_int("depth", 1, 3)
    for i in range(120):
        trial.set_user_attr(f"late_{i}", i)
    placed.record(study, _told(study, trial))

    (run,) = _trial_runs(place)
    assert run.data.params["depth"] == str(trial.params["depth"])
    assert [run.data.tags[f"late_{i}"] for i in range(120)] == [str(i) for i in range(120)]
    assert not _new(place).sync(study, deep=True).changed


def test_a_search_under_way_keeps_its_running_runs(
    place: Place, placed: MLflowCallback, study: Study
) -> None:
    """A sync leaves runs of trials that run alone, and they end as they would have."""
    placed.open(study)
    ended, running = _begun(placed, study), _begun(placed, study)
    placed.record(study, _told(study, ended))

    assert not placed.sync(study).changed
    assert not _new(place).sync(study, deep=True).changed
    assert sorted(run.info.status for run in _trial_runs(place)) == ["FINISHED", "RUNNING"]

    placed.record(study, _told(study, running))
    placed.close(study)
    assert_exact(*place, study, METRIC)


def test_an_end_does_not_take_other_processes_trials(
    place: Place, placed: MLflowCallback, study: Study
) -> None:
    """A process that closes the study leaves the runs of trials that others still evaluate."""
    _begun(placed, study)
    other = _new(place)
    mine = _begun(other, study)
    other.record(study, _told(study, mine))
    other.close(study)

    assert sorted(run.info.status for run in _trial_runs(place)) == ["FINISHED", "RUNNING"]


def test_nothing_is_left_running_where_nobody_searches(
    place: Place, placed: MLflowCallback, study: Study
) -> None:
    """Of a killed search's running trial an idle record has no run; once it is closed, one as in the ledger."""
    placed.open(study)
    _begun(placed, study)
    placed.record(study, _told(study, _begun(placed, study)))

    report = _new(place).sync(study, idle=True)
    assert (report.written, report.deleted) == ((), 1)
    assert [run.info.status for run in _trial_runs(place)] == ["FINISHED"]

    trial = find_trial(study, 0)
    study._storage.set_trial_user_attr(trial._trial_id, "interrupted", True)
    study.tell(0, state=TrialState.FAIL)
    assert _new(place).sync(study).written == (0,)
    assert_exact(*place, study, METRIC)


def test_the_next_search_mends_what_a_killed_one_left(
    place: Place, placed: MLflowCallback, study: Study
) -> None:
    """A trial closed in place of its dead process has one run, with the status and times of the ledger."""
    placed.open(study)
    _begun(placed, study)
    study.tell(0, state=TrialState.FAIL)

    report = _new(place).sync(study)
    assert (report.written, report.deleted) == ((0,), 1)
    assert_exact(*place, study, METRIC)


def test_a_run_that_cannot_be_ended_is_written_anew(
    place: Place, placed: MLflowCallback, study: Study
) -> None:
    """Deleted by hand, ended by hand, or begun with parameters that changed: there is one right run all the same."""
    deleted, stopped, changed = (_begun(placed, study) for _ in range(3))
    client = mlflow.MlflowClient(place[0])
    client.delete_run(placed.run_id(study, deleted.number))
    client.set_terminated(placed.run_id(study, stopped.number), "FAILED")
    study.set_user_attr("run_params", {"seed": 8})
    for trial in (deleted, stopped, changed):
        placed.record(study, _told(study, trial))

    # The study's own run is another one with the parameters that changed, so they are put under it.
    report = _new(place).sync(study, deep=True)
    assert (report.written, report.deleted, report.adopted) == ((), 0, 3)
    assert_exact(*place, study, METRIC)


def test_a_new_run_of_the_study_takes_the_running_ones_over(
    place: Place, placed: MLflowCallback, study: Study
) -> None:
    """Where a sync replaces the study's run, a trial that runs meanwhile ends below the new one."""
    placed.open(study)
    trial = _begun(placed, study)
    old = placed.parent_run_id(study)
    study.set_user_attr("run_params", {"seed": 8})
    placed.sync(study)
    placed.record(study, _told(study, trial))

    assert placed.parent_run_id(study) != old
    assert_exact(*place, study, METRIC)


def test_the_best_run_is_found_while_others_run(place: Place, placed: MLflowCallback, study: Study) -> None:
    """The one-line search for the best run is never answered with one that has no score."""
    first, second, _running = (_begun(placed, study) for _ in range(3))
    placed.record(study, _told(study, first, 0.5))
    placed.record(study, _told(study, second, 0.25))
    mlflow.set_tracking_uri(place[0])
    try:
        for order in ("ASC", "DESC"):
            found = mlflow.search_runs(
                experiment_names=[place[1]], order_by=[f"metrics.cv_rmse_mean {order}"], max_results=1
            )
            assert found[f"metrics.{METRIC}"].tolist() == [0.25 if order == "ASC" else 0.5]
    finally:
        mlflow.set_tracking_uri("")


def test_a_check_knows_a_search_under_way(
    layout: Layout, callback: MLflowCallback, study: Study, fresh_trials: list[Trial]
) -> None:
    """What a running search has yet to write is no difference; what no search would mend is one."""
    running, unwritten, wrong = fresh_trials
    callback.record(study, _told(study, wrong))
    _told(study, unwritten)
    assert _lines(layout, study, is_running=True) == []

    client = mlflow.MlflowClient(layout.tracking_uri)
    client.log_metric(callback.run_id(study, wrong.number), METRIC, 0.125)
    (line,) = _lines(layout, study, is_running=True)
    assert f"metric {METRIC} is 0.125, in the ledger 0.5" in line

    idle = _lines(layout, study, is_running=False)
    assert f"run {callback.run_id(study, running.number)}: of no finished trial" in idle
    assert f"trial {unwritten.number}: run {callback.run_id(study, unwritten.number)}: half written" in idle


@pytest.fixture
def fresh_trials(callback: MLflowCallback, study: Study) -> list[Trial]:
    """Three trials shown as running, in an open study."""
    callback.open(study)
    return [_begun(callback, study) for _ in range(3)]


def test_the_mark_comes_last(
    callback: MLflowCallback, study: Study, fresh_trials: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the end of a run fails, it is not taken for whole, and the next attempt leaves one right run."""
    told = _told(study, fresh_trials[0])
    with monkeypatch.context() as broken:
        broken.setattr("storage.record.trial_runs.end_run", _refuse)
        broken.setattr("storage.record.trial_runs.write_runs", _refuse)
        with pytest.raises(OSError, match="no space"):
            callback.record(study, told)

    callback.record(study, told)
    numbers = [
        run.data.tags.get("optuna_trial", "") for run in all_runs("sqlite:///mlruns/mlflow.db", "rents")
    ]
    assert sorted(numbers) == ["", "0", "1", "2"]
    assert not callback.sync(study).changed


def _refuse(*_args: object) -> None:
    raise OSError("no space left")


def test_a_lost_answer_makes_no_second_run(mlflow_server: str, study: Study) -> None:
    """Where a server's answer to the create of a running run is lost, the repetition leaves one run, and it ends."""
    proxy = Proxy(mlflow_server)
    place = (mlflow_server, uuid4().hex)
    callback = MLflowCallback(proxy.address, METRIC, experiment=place[1])
    try:
        callback.open(study)
        trial = _ask(study)
        proxy.lose_answers("runs/create", 1)
        callback.begin(study, find_trial(study, trial.number))
        callback.record(study, _told(study, trial))
        callback.close(study)
    finally:
        end(callback)
        proxy.close()
    assert_exact(*place, study, METRIC)


def test_running_trials_are_found_in_any_ledger(study: Study) -> None:
    """In tables and in memory, those of this study that run, and no others."""
    in_memory = optuna.create_study(study_name="second")
    other = optuna.create_study(storage=study._storage, study_name="other")
    for one in (study, in_memory, other):
        _told(one, _ask(one))
    for one in (study, in_memory):
        _ask(one)

    assert [running_numbers(one) for one in (study, in_memory, other)] == [{1}, {1}, set()]
