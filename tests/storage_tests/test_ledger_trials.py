from __future__ import annotations

import math
from typing import TYPE_CHECKING

import optuna
import pytest

from storage.ledger import open_ledger
from storage.ledger_trials import count_trials, find_trial, finished_trials, scores, tables_of
from storage.trial_outlines import trial_outlines

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

    from storage.layout import Layout


def _objective(trial: Trial) -> float:
    trial.suggest_float("rate", 1e-3, 1.0, log=True)
    trial.suggest_int("leaves", 2, 64)
    trial.suggest_categorical("kind", ["a", None, True, 2.5])
    for step, value in enumerate((1.0, math.nan, math.inf, -math.inf)):
        trial.report(value, 3 - step)
    trial.set_user_attr("metrics", {"駅": [1, None]})
    if trial.number % 5 == 1:
        raise optuna.TrialPruned
    if trial.number % 5 == 2:
        raise MemoryError
    return math.inf if trial.number % 5 == 3 else float(trial.number)


def _plain(trial: FrozenTrial) -> str:
    """All of a trial as text, because not-a-number equals nothing; the order of reports means nothing."""
    fields = {name.lstrip("_"): value for name, value in vars(trial).items()}
    return repr(fields | {"intermediate_values": sorted(trial.intermediate_values.items())})


@pytest.fixture(params=["tables", "memory"])
def filled(request: pytest.FixtureRequest, layout: Layout) -> optuna.Study:
    """A study with trials of every kind, the last ones waiting and running."""
    storage = open_ledger(layout.ledger_url) if request.param == "tables" else None
    optuna.create_study(storage=storage, study_name="other").optimize(_objective, 3, catch=MemoryError)
    study = optuna.create_study(storage=storage, study_name="filled")
    study.optimize(_objective, n_trials=12, catch=MemoryError)
    study.enqueue_trial({"rate": 0.5})
    study.ask()
    study.enqueue_trial({"rate": 0.25})
    return study


@pytest.mark.parametrize("portion", [1, 5, 500])
def test_portions_are_what_optuna_reads(filled: optuna.Study, portion: int) -> None:
    """Every field of every finished trial is Optuna's, whatever the portion."""
    read = [trial for some in finished_trials(filled, portion) for trial in some]

    assert [_plain(trial) for trial in read] == [
        _plain(trial) for trial in filled.trials if trial.state.is_finished()
    ]


def test_scores_are_the_complete_trials(filled: optuna.Study) -> None:
    """The curve of the best needs no more than these, infinities included."""
    complete = [trial for trial in filled.trials if trial.state.name == "COMPLETE"]

    assert sorted(scores(filled)) == [(t.number, t.value, t.datetime_complete) for t in complete]


def test_one_trial_is_found_by_its_number(filled: optuna.Study) -> None:
    """Its number within the study, not in the tables."""
    assert repr(find_trial(filled, 4)) == repr(filled.trials[4])


def test_trials_of_all_states_are_counted(filled: optuna.Study) -> None:
    """Waiting and running ones too."""
    assert count_trials(filled) == len(filled.trials) == 14


def test_outlines_are_what_optuna_reads_but_for_what_they_leave_out(filled: optuna.Study) -> None:
    """All trials by number, whatever their state; no parameters, and of the attributes those asked for."""
    trial = filled.ask()
    trial.set_user_attr("other", "left out")
    trial.set_user_attr("kept", {"駅": 1.5})
    is_stored = tables_of(filled) is not None

    read = trial_outlines(filled, ("metrics", "kept"))

    expected = filled.get_trials(deepcopy=True)
    for one in expected if is_stored else ():
        one.params, one.distributions, one._system_attrs = {}, {}, {}
        one.user_attrs = {name: value for name, value in one.user_attrs.items() if name != "other"}
    assert [_plain(trial) for trial in read] == [_plain(trial) for trial in expected]
