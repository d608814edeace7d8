"""The deprecated callback and ours, side by side on the same trials."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import mlflow
import optuna
import pytest
from mlflow import MlflowClient
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from storage import MLflowCallback
from storage.record.mirror import milliseconds
from tests.storage_tests.record_checks import end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.entities import Run
    from optuna.trial import FrozenTrial

ALL = ("COMPLETE", "PRUNED", "FAIL")
START = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
DISTRIBUTIONS = {"rate": FloatDistribution(0.0, 1.0), "kind": CategoricalDistribution(["a", "b"])}
RATE, KIND = (str(distribution) for distribution in DISTRIBUTIONS.values())
Facts = dict[str, str]


class Difference(NamedTuple):
    """Where ours differs on purpose; a value of None is no such line."""

    states: tuple[str, ...]
    line: str
    stock: str | None
    ours: str | None
    reason: str


IN_LEDGER = "said once: the run's own times are the trial's"
ONE_TAG = "one tag for all parameters, because every tag costs"
FIND = "finds the runs of a study and a trial again, under any name of the study"
OWN = "goes on record as metrics"
DIFFERENCES = [
    Difference(ALL, "run name", "{number}", "trial_{number:05d}", "says what it is, and sorts"),
    Difference(("PRUNED",), "status", "FINISHED", "KILLED", "it did not finish"),
    Difference(("FAIL",), "status", "FINISHED", "FAILED", "it did not finish"),
    Difference(ALL, "start", "when recorded", "the trial's", "a duration can be read off"),
    Difference(ALL, "end", "when recorded", "the trial's", "a duration can be read off"),
    Difference(
        ("PRUNED",), "metric score", "[(0, 0.7)]", None, "half a score must not be ranked with whole ones"
    ),
    Difference(("PRUNED",), "metric score_partial", None, "[(0, 0.7)]", "under a name of its own"),
    Difference(("COMPLETE",), "metric score_running", None, "[(1, 0.6), (2, 0.5)]", "the reports as a curve"),
    Difference(("PRUNED",), "metric score_running", None, "[(1, 0.7)]", "the reports as a curve"),
    Difference(ALL, "metric deviation", None, "[(0, 0.1)]", "from the trial's attribute `metrics`"),
    Difference(ALL, "tag metrics", "{{'deviation': 0.1}}", None, OWN),
    Difference(ALL, "tag note", None, "slow", "named as MLflow's own column"),
    Difference(ALL, "tag number", "{number}", None, FIND),
    Difference(ALL, "tag optuna_trial", None, "{number}", FIND),
    Difference(ALL, "tag optuna_study", None, "parity", FIND),
    Difference(ALL, "tag optuna_study_uid", None, "{uid}", FIND),
    Difference(ALL, "tag uid", "{uid}", None, FIND),
    Difference(ALL, "tag experiment_type", None, "optuna_trial", "tells trials, studies and baselines apart"),
    Difference(("COMPLETE",), "tag status", None, "completed", "the user's own filter"),
    Difference(("PRUNED",), "tag status", None, "pruned", "the user's own filter"),
    Difference(("FAIL",), "tag status", None, "failed", "the user's own filter"),
    Difference(ALL, "tag synced", None, "true", "set last: a run without it was cut short"),
    Difference(ALL, "tag mlflow.parentRunId", None, "{parent}", "one run above all trials, for ever"),
    Difference(ALL, "tag datetime_start", "{start}", None, IN_LEDGER),
    Difference(ALL, "tag datetime_complete", "{complete}", None, IN_LEDGER),
    Difference(ALL, "tag rate_distribution", RATE.replace("{", "{{"), None, ONE_TAG),
    Difference(ALL, "tag kind_distribution", KIND, None, ONE_TAG),
    Difference(ALL, "tag distributions", None, "{distributions}", ONE_TAG),
    Difference(ALL, "tag mlflow.source.name", "{program}", "{program_name}", "the same on every machine"),
]


@pytest.fixture
def stock_callback() -> Iterator[Any]:
    """Makes the deprecated callback; it changes MLflow's state for the whole process, which is put back."""
    from optuna_integration import MLflowCallback as StockCallback

    yield StockCallback
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID"):
        os.environ.pop(name, None)
    mlflow.tracking.fluent._active_experiment_id = None


@pytest.fixture
def addresses(tmp_path: Path, mlflow_template: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two empty databases: for the deprecated callback, and for ours."""
    monkeypatch.chdir(tmp_path)
    for name in ("stock.db", "ours.db"):
        shutil.copy(mlflow_template, tmp_path / name)
    return f"sqlite:///{tmp_path}/stock.db", f"sqlite:///{tmp_path}/ours.db"


@pytest.fixture
def study() -> optuna.Study:
    """Three trials of long ago, one of each end."""
    study = optuna.create_study(study_name="parity")
    study.set_user_attr("team", "blue")
    reports = {"COMPLETE": {1: 0.6, 2: 0.5}, "PRUNED": {1: 0.7}, "FAIL": {}}
    for state, value in zip(ALL, (0.5, 0.7, None), strict=True):
        trial = create_trial(
            state=TrialState[state],
            value=value,
            params={"rate": 0.25, "kind": "b"},
            distributions=DISTRIBUTIONS,
            intermediate_values=reports[state],
            user_attrs={"fold": [1, 2], "long": "x" * 6_000, "metrics": {"deviation": 0.1}, "reason": "slow"},
        )
        trial.datetime_start, trial.datetime_complete = START, START + timedelta(seconds=3)
        study.add_trial(trial)
    return study


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_ours_differs_only_on_purpose(
    study: optuna.Study, stock_callback: Any, addresses: tuple[str, str]
) -> None:
    """Line by line, with the same arguments: each difference is in the table, and each row of it is one."""
    settings: dict[str, Any] = {
        "metric_name": "score",
        "mlflow_kwargs": {"tags": {"project": "rents"}, "nested": True},
        "tag_study_user_attrs": True,
        "tag_trial_user_attrs": True,
    }
    stock, ours = stock_callback(addresses[0], **settings), MLflowCallback(addresses[1], **settings)
    for trial in study.trials:
        ours(study, trial)
    assert ours.flush(300)
    for trial in study.trials:
        stock(study, trial)

    before, after = _by_trial(addresses[0], "number"), _by_trial(addresses[1], "optuna_trial")
    assert before.keys() == after.keys() == {"0", "1", "2"}
    for trial in study.trials:
        words = _words(study, trial, ours.parent_run_id(study))
        found = _differences(before[str(trial.number)], after[str(trial.number)], trial)
        assert found == _expected(trial, words)
    end(ours)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    ("metric_name", "names"), [("loss", {"loss_0", "loss_1"}), (["loss", "size"], {"loss", "size"})]
)
def test_several_objectives_have_the_same_names(
    metric_name: str | list[str], names: set[str], stock_callback: Any, addresses: tuple[str, str]
) -> None:
    """One name is numbered, a list is taken as it is, and the directions are one tag."""
    study = optuna.create_study(study_name="several", directions=["minimize", "maximize"])
    study.add_trial(create_trial(values=[1.0, 2.0]))
    stock, ours = stock_callback(addresses[0], metric_name), MLflowCallback(addresses[1], metric_name)
    ours(study, study.trials[0])
    assert ours.flush(300)
    stock(study, study.trials[0])
    before, after = _by_trial(addresses[0], "number")["0"], _by_trial(addresses[1], "optuna_trial")["0"]

    assert {name for name in after.data.metrics if "running" not in name} == names
    assert before.data.metrics == after.data.metrics
    assert before.data.tags["direction"].replace("'", '"') == after.data.tags["direction"]
    end(ours)


def test_no_state_of_the_process_is_changed(study: optuna.Study, addresses: tuple[str, str]) -> None:
    """Unlike before, MLflow's current address and experiment stay what they were."""
    before = (mlflow.get_tracking_uri(), os.environ.get("MLFLOW_EXPERIMENT_ID"), mlflow.active_run())
    ours = MLflowCallback(addresses[1])
    ours(study, study.trials[0])
    assert ours.flush(300)

    assert (mlflow.get_tracking_uri(), os.environ.get("MLFLOW_EXPERIMENT_ID"), mlflow.active_run()) == before
    end(ours)


def test_the_same_arguments_are_refused() -> None:
    """A metric's name that is no name is a TypeError, as before."""
    with pytest.raises(TypeError, match="got metric_name 1; allowed"):
        MLflowCallback(metric_name=1)  # type: ignore[arg-type]


def test_logging_past_the_ledger_is_refused_with_the_way_around() -> None:
    """`track_in_mlflow` is gone: what only MLflow knows could not be written again after an outage."""
    with pytest.raises(NotImplementedError, match=r"do: trial.set_user_attr"):
        MLflowCallback().track_in_mlflow()


def _by_trial(uri: str, tag: str) -> dict[str, Run]:
    client = MlflowClient(uri)
    runs = [run for found in client.search_experiments() for run in client.search_runs([found.experiment_id])]
    for run in runs:
        run.data.tags["experiment"] = client.get_experiment(run.info.experiment_id).name
        for name in run.data.metrics:
            points = client.get_metric_history(run.info.run_id, name)
            run.data.tags[f"metric {name}"] = str([(point.step, point.value) for point in points])
    return {run.data.tags[tag]: run for run in runs if tag in run.data.tags}


def _facts(run: Run, trial: FrozenTrial) -> Facts:
    """Everything that MLflow knows of a run, but for ids and places."""
    tags = dict(run.data.tags)
    times = {"start": (run.info.start_time, trial.datetime_start)}
    times["end"] = (run.info.end_time, trial.datetime_complete)
    tags.pop("mlflow.runName")
    return {
        "experiment": tags.pop("experiment"),
        "run name": run.info.run_name,
        "status": run.info.status,
        **{
            k: "the trial's" if at == milliseconds(own) else "when recorded" for k, (at, own) in times.items()
        },
        **{f"param {key}": value for key, value in run.data.params.items()},
        **{key if key.startswith("metric ") else f"tag {key}": value for key, value in tags.items()},
    }


def _differences(before: Run, after: Run, trial: FrozenTrial) -> dict[str, tuple[str | None, str | None]]:
    old, new = _facts(before, trial), _facts(after, trial)
    return {line: (old.get(line), new.get(line)) for line in old | new if old.get(line) != new.get(line)}


def _words(study: optuna.Study, trial: FrozenTrial, parent: str) -> dict[str, Any]:
    return {
        "number": trial.number,
        "uid": study.user_attrs["uid"],
        "parent": parent,
        "start": trial.datetime_start,
        "complete": trial.datetime_complete,
        "distributions": f'{{"kind": "{KIND}", "rate": "{RATE}"}}',
        "program": sys.argv[0],
        "program_name": Path(sys.argv[0]).name,
    }


def _expected(trial: FrozenTrial, words: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    rows = {
        row.line: (row.stock and row.stock.format(**words), row.ours and row.ours.format(**words))
        for row in DIFFERENCES
        if trial.state.name in row.states
    }
    # A program without a folder, such as a worker of the tests, has one name only.
    return {line: (stock, ours) for line, (stock, ours) in rows.items() if stock != ours}
