from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import optuna
import pandas as pd
import pytest
from optuna.distributions import IntDistribution
from optuna.pruners import BasePruner
from optuna.trial import TrialState, create_trial

from objectives.environment import environment
from search.competition import open_competition
from search.config import DataConfig, ReplayConfig
from search.faults import InputFaults
from search.loop.coordinator import Coordinator
from search.loop.engine import Broken, evaluate
from search.loop.ground import Ground
from search.loop.in_process import InProcessEngine
from search.loop.record import describe
from search.loop.study import open_study
from search.results.replay_lines import replay_lines
from search.results.replaying import Replay, replay
from storage.layout import Layout
from storage.ledger import open_ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import Objective, Progress
    from tests.conftest import CsvPair

NAME = "houses"
COMPLETE, PRUNED, FAILED, INTERRUPTED, WAITING = range(5)
PRUNED_AT = 9


class _PruneOne(BasePruner):
    """Prunes one trial at one step."""

    def prune(self, study: Study, trial: FrozenTrial) -> bool:  # noqa: ARG002 - the base class's form
        return (trial.number, trial.last_step) == (PRUNED, PRUNED_AT)


def _search(home: Path, pair: CsvPair) -> None:
    """A study with a trial of each kind, in the order of the numbers above."""
    layout = Layout(home)
    layout.create()
    config = DataConfig(
        study=NAME,
        train=home / "train.csv",
        test=home / "test.csv",
        target=pair.target,
        objective=("lightgbm",),
        folds=2,
    )
    competition = open_competition(config, layout)
    objective = competition.objective()
    study = open_study(open_ledger(layout.ledger_url), NAME, objective, maximize=False, trials=3, seed=1)
    study.pruner = _PruneOne()
    study.set_user_attr("question", competition.question(objective))
    study.set_user_attr("settings", config.model_dump(mode="json"))
    study.enqueue_trial({**objective.default_params(), "num_leaves": 12})
    Coordinator(
        study,
        objective,
        InProcessEngine(Ground(objective)),
        partial(describe, competition),
        lambda *_: None,
        lambda _: None,
        environment={"environment": environment(objective.threads)},
    ).run(2, math.inf)
    _add_failed(study, objective)
    study.ask(fixed_distributions=objective.space())
    open_study(open_ledger(layout.ledger_url), NAME, objective, maximize=False, trials=3, seed=1)


def _add_failed(study: Study, objective: Objective) -> None:
    """A trial that LightGBM refuses; a search would move it into the space."""
    params = {**objective.default_params(), "num_leaves": 1}
    outcome = evaluate(objective, FAILED, params, Unheard())
    assert isinstance(outcome, Broken)
    attributes = {"reason": outcome.reason, "environment": environment(objective.threads)}
    space = {**objective.space(), "num_leaves": IntDistribution(1, 31)}
    study.add_trial(
        create_trial(state=TrialState.FAIL, params=params, distributions=space, user_attrs=attributes)
    )


class Unheard:
    """A report line with nobody at its end."""

    def __call__(self, progress: Progress) -> bool:  # noqa: ARG002 - the form of a line
        """Goes on."""
        return False

    def stopped(self) -> bool:
        """Never."""
        return False


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory, regression_csvs: CsvPair) -> Path:
    """A folder with the study and its data."""
    home = tmp_path_factory.mktemp("searched")
    shutil.copy(regression_csvs.train, home / "train.csv")
    shutil.copy(regression_csvs.test, home / "test.csv")
    _search(home, regression_csvs)
    return home


@dataclass
class Bench:
    """A study to replay, and to tamper with."""

    home: Path

    def replay(self, trial: int, study: str = NAME) -> Replay:
        """Replays a trial."""
        return replay(ReplayConfig(study=study, trial=trial), Layout(self.home))

    def faults(self, trial: int, study: str = NAME) -> str:
        """What a replay is refused for."""
        with pytest.raises(InputFaults) as error:
            self.replay(trial, study)
        return str(error.value)

    def tamper(self, sql: str) -> None:
        """Changes the ledger behind everybody's back."""
        import sqlalchemy

        engine = sqlalchemy.create_engine(Layout(self.home).ledger_url)
        with engine.begin() as connection:
            assert connection.execute(sqlalchemy.text(sql)).rowcount
        engine.dispose()


@pytest.fixture
def bench(searched: Path) -> Bench:
    """The study, untouched."""
    return Bench(searched)


@pytest.fixture
def copy(searched: Path, tmp_path: Path) -> Bench:
    """A copy of the study, whose data is where it was."""
    shutil.copytree(searched / "mlruns", tmp_path / "mlruns")
    return Bench(tmp_path)


@pytest.mark.parametrize("trial", [COMPLETE, PRUNED, FAILED])
def test_a_trial_comes_out_the_same(bench: Bench, trial: int) -> None:
    """Whatever became of a trial, it becomes of it again."""
    done = bench.replay(trial)

    assert done.trial.state == (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)[trial]
    assert done.is_same
    assert replay_lines(done)[-1] == "The same to the bit"
    assert all(one.is_same for one in done.circumstances)


def test_all_of_a_result_is_compared(bench: Bench) -> None:
    """Score, each fold's, each report, hashes of predictions and models: nothing is left unsaid."""
    done = bench.replay(COMPLETE)

    reports = len(done.trial.intermediate_values)
    assert replay_lines(done)[1] == f"Same: score, 2 fold scores, oof_hash, model_hash, {reports} reports"


def test_a_pruned_trial_goes_as_far_as_it_went(bench: Bench) -> None:
    """The replay stops at the report that the trial was pruned at."""
    done = bench.replay(PRUNED)

    assert [one.name for one in done.results][-2:] == [f"report {PRUNED_AT}", "end"]


def test_a_failed_trial_fails_for_the_same_reason(bench: Bench) -> None:
    """The reason is what a failed trial is compared by."""
    (reason,) = bench.replay(FAILED).results

    assert reason.name == "reason"
    assert "num_leaves" in reason.then


LAST_BIT = "UPDATE trial_values SET value = value * 1.0000000000000002"
REPORT = "UPDATE trial_intermediate_values SET intermediate_value = intermediate_value + 1e-9 WHERE trial_id = {id}"
ATTRIBUTE = "UPDATE trial_user_attributes SET value_json = '{value}' WHERE trial_id = {id} AND key = '{key}'"


@pytest.mark.parametrize(
    ("trial", "sql", "named"),
    [
        (COMPLETE, LAST_BIT, "score: "),
        (COMPLETE, REPORT, "report 0: "),
        (COMPLETE, ATTRIBUTE.format(id="{id}", key="oof_hash", value='"ab"'), "oof_hash: ab then, "),
        (COMPLETE, ATTRIBUTE.format(id="{id}", key="model_hash", value='"ab"'), "model_hash: ab then, "),
        (PRUNED, REPORT, f"report {PRUNED_AT}: "),
        (
            PRUNED,
            "DELETE FROM trial_intermediate_values WHERE trial_id = {id} AND step = 2",
            "report 2: no report",
        ),
        (
            FAILED,
            ATTRIBUTE.format(id="{id}", key="reason", value='"out of memory"'),
            "reason: out of memory then, ",
        ),
    ],
)
def test_a_difference_is_named(copy: Bench, trial: int, sql: str, named: str) -> None:
    """One bit is enough, and the line says what was and what is."""
    copy.tamper(sql.format(id=trial + 1))

    done = copy.replay(trial)

    assert not done.is_same
    lines = replay_lines(done)
    assert [line for line in lines if line.startswith(named)]
    assert [line for line in lines if line.startswith("Nothing else is known to have changed: python, ")]
    assert lines[-1] == "Not the same"


def test_a_trial_that_no_longer_fails_is_different(copy: Bench) -> None:
    """A failure that does not come again, as of a machine that was full, is said to be gone."""
    copy.tamper("UPDATE trial_params SET param_value = 9 WHERE trial_id = 3 AND param_name = 'num_leaves'")

    lines = replay_lines(copy.replay(FAILED))

    assert [line for line in lines if line.startswith("reason: ") and line.endswith("then, no failure now")]


def test_what_else_has_changed_is_said(copy: Bench) -> None:
    """Versions and threads are shown then and now, whether or not they made a difference."""
    then = {**environment(1), "lightgbm": "4.5.0", "threads": 2}
    value = str(then).replace("'", '"')
    copy.tamper(ATTRIBUTE.format(id=COMPLETE + 1, key="environment", value=value))

    done = copy.replay(COMPLETE)

    (line,) = [line for line in replay_lines(done) if line.startswith("Changed since: ")]
    assert line == f"Changed since: lightgbm: 4.5.0 then, {environment(1)['lightgbm']} now"
    assert next(one for one in done.circumstances if one.name == "threads").now == 2


def test_an_older_trial_is_compared_as_far_as_it_can_be(copy: Bench) -> None:
    """What was not recorded is named, and is no difference."""
    copy.tamper("DELETE FROM trial_user_attributes WHERE key IN ('oof_hash', 'environment')")

    done = copy.replay(COMPLETE)

    assert done.is_same
    assert replay_lines(done)[2:4] == [
        "Not recorded, so not compared: oof_hash",
        "What it was evaluated with was not recorded",
    ]


def test_the_replay_changes_nothing(bench: Bench) -> None:
    """Ledger and files are as before."""

    def state() -> tuple[Any, ...]:
        study = optuna.load_study(study_name=NAME, storage=open_ledger(Layout(bench.home).ledger_url))
        files = sorted(path for path in bench.home.rglob("*") if not path.name.startswith("optuna.db-"))
        return study.get_trials(), study.user_attrs, files

    before = state()
    bench.replay(COMPLETE)

    assert state() == before


@pytest.mark.parametrize(
    ("trial", "study", "got", "do"),
    [
        (COMPLETE, "flats", "STUDY: got 'flats'; allowed: houses", "choose one"),
        (99, NAME, "TRIAL: got 99; allowed: 0 to 4", "choose one"),
        (INTERRUPTED, NAME, "TRIAL: got 3, which was interrupted", "replay its retry, trial 4"),
        (WAITING, NAME, "TRIAL: got 4, which is waiting", "wait until it has ended"),
    ],
)
def test_what_cannot_be_replayed_is_refused(bench: Bench, trial: int, study: str, got: str, do: str) -> None:
    """An unknown study or trial, and one that never ended, with what there is instead."""
    fault = bench.faults(trial, study)

    assert fault.startswith(got)
    assert fault.endswith(f"; do: {do}")
    assert "; allowed: " in fault


def test_another_programs_study_is_refused(copy: Bench) -> None:
    """A study without our settings cannot be evaluated."""
    optuna.create_study(study_name="other", storage=open_ledger(Layout(copy.home).ledger_url))

    assert "got 'other', not made by search.run" in copy.faults(0, "other")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """Where there is no study, none is made."""
    assert "got no study here" in Bench(tmp_path).faults(0)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def _data_back(searched: Path) -> Any:
    before = (searched / "train.csv").read_bytes()
    yield
    (searched / "train.csv").write_bytes(before)


def _change_a_value(path: Path) -> None:
    table = pd.read_csv(path, dtype={"id": str})
    table.loc[3, "bmi"] += 1e-9
    table.to_csv(path, index=False)


@pytest.mark.usefixtures("_data_back")
@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_change_a_value, f"study {NAME}: got data "),
        (lambda path: path.unlink(), "no such file"),
    ],
    ids=["changed", "gone"],
)
def test_other_data_is_refused(bench: Bench, spoil: Callable[[Path], None], fault: str) -> None:
    """A changed or missing data file would explain any difference, so it is said before anything is fitted."""
    spoil(bench.home / "train.csv")

    assert fault in bench.faults(COMPLETE)
