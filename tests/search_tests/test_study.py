from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState

from search.config import STARTUP_TRIALS
from search.loop.pruner import LadderPruner
from search.loop.study import name_metric, study_faults
from search.space.conditional import space_fingerprint
from tests.search_tests.fakes import DEFAULTS, FakeObjective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.search_tests.conftest import Bench

QUESTION = {"data": "abc", "metric": "rmse", "split": "kfold, 5 folds, seed 42", "space": "lightgbm 123"}


def _asked(bench: Bench, name: str) -> optuna.Study:
    study = bench.open(name)
    study.set_user_attr("question", QUESTION)
    bench.run(study, FakeObjective(), 1)
    return study


@pytest.mark.parametrize("part", [part for part in QUESTION if part != "space"])
def test_another_question_is_refused(bench: Bench, new_name: Iterator[str], part: str) -> None:
    """Other data, metric or split under a known name is named, with both sides, and changes nothing."""
    name = next(new_name)
    study = _asked(bench, name)
    before = study.get_trials(), study.user_attrs

    (fault,) = study_faults(bench.ledger, name, QUESTION | {part: "other"})

    assert f"got {part} 'other', it was begun with {QUESTION[part]!r}" in fault
    assert "--study" in fault
    study = optuna.load_study(study_name=name, storage=bench.ledger)
    assert (study.get_trials(), study.user_attrs) == before


def test_all_differences_are_named(bench: Bench, new_name: Iterator[str]) -> None:
    """Each part that differs has its line."""
    name = next(new_name)
    _asked(bench, name)

    faults = study_faults(bench.ledger, name, dict.fromkeys(QUESTION, "other"))

    assert len(faults) == len(QUESTION)
    assert "got objective 'other', it was begun with 'lightgbm'" in faults[-1]


def test_another_space_alone_is_no_other_question(bench: Bench, new_name: Iterator[str]) -> None:
    """A study goes on with another space, but not while others work on it with theirs."""
    name = next(new_name)
    _asked(bench, name)
    changed = QUESTION | {"space": "lightgbm 456"}

    assert study_faults(bench.ledger, name, changed) == []
    (fault,) = study_faults(bench.ledger, name, changed, others=True)
    assert "got space 456, those who work on it now have 123" in fault
    assert study_faults(bench.ledger, name, QUESTION, others=True) == []


def test_the_same_question_goes_on(bench: Bench, new_name: Iterator[str]) -> None:
    """A known name with the same question, and a new name, have no fault."""
    name = next(new_name)
    _asked(bench, name)

    assert study_faults(bench.ledger, name, QUESTION) == []
    assert study_faults(bench.ledger, next(new_name), QUESTION) == []


def test_another_programs_study_is_refused(bench: Bench, new_name: Iterator[str]) -> None:
    """A study with trials that did not come from here is not gone on with."""
    name = next(new_name)
    study = optuna.create_study(study_name=name, storage=bench.ledger)
    study.add_trial(optuna.trial.create_trial(value=1.0))

    (fault,) = study_faults(bench.ledger, name, QUESTION)
    assert "made by another program" in fault


def test_a_study_cut_short_while_made_is_gone_on_with(bench: Bench, new_name: Iterator[str]) -> None:
    """A command killed between creating the study and noting its question does not block the name."""
    name = next(new_name)
    bench.open(name)

    assert study_faults(bench.ledger, name, QUESTION) == []
    study = bench.open(name)
    bench.run(study, FakeObjective(), 2)
    assert [trial.params for trial in study.trials].count(DEFAULTS) == 1


@pytest.mark.parametrize(
    ("space", "same"),
    [
        ({"n": IntDistribution(1, 8), "x": FloatDistribution(0, 1)}, True),
        ({"x": FloatDistribution(0, 2), "n": IntDistribution(1, 8)}, False),
        ({"x": FloatDistribution(0, 1)}, False),
    ],
)
def test_a_fingerprint_is_the_spaces(space: dict[str, Any], same: bool) -> None:
    """It changes with names and bounds and not with their order."""
    assert (space_fingerprint(space) == space_fingerprint(FakeObjective().space())) == same


def test_direction_and_pruner_are_set(bench: Bench, new_name: Iterator[str]) -> None:
    """A score where more is better is maximised; the ladder's pruner is there on every opening."""
    name = next(new_name)
    for _ in range(2):
        study = bench.open(name, maximize=True)
        assert study.direction == optuna.study.StudyDirection.MAXIMIZE
        assert isinstance(study.pruner, LadderPruner)


@pytest.mark.parametrize(
    ("trials", "startup"), [(1, STARTUP_TRIALS[0]), (120, 12), (9_999, STARTUP_TRIALS[1])]
)
def test_a_tenth_of_the_trials_is_random(
    bench: Bench, new_name: Iterator[str], trials: int, startup: int
) -> None:
    """The sampler's random start grows with the search, within bounds."""
    sampler: Any = bench.open(next(new_name), trials=trials).sampler

    assert sampler._sampler._n_startup_trials == startup


@pytest.mark.parametrize(("trials", "tried"), [(3, []), (8, [0.7]), (12, [0.7, 0.1]), (100, [0.7, 0.1, 0.9])])
def test_a_search_begins_with_what_is_good_elsewhere(
    bench: Bench, new_name: Iterator[str], trials: int, tried: list[float]
) -> None:
    """The default comes first, then the portfolio in order, a quarter of the trials at most, and nothing twice."""
    good = [{"x": x, "n": 2} for x in (0.7, 0.1, 0.9)]
    objective, name = FakeObjective(portfolio=[good[0], DEFAULTS, *good[1:]]), next(new_name)

    for _ in range(2):
        study = bench.open(name, objective, trials=trials)

    queued = [trial.system_attrs["fixed_params"] for trial in study.trials]
    assert queued == [DEFAULTS, *({"x": x, "n": 2} for x in tried)]


def test_a_waiting_retry_is_not_queued_twice(bench: Bench, new_name: Iterator[str]) -> None:
    """Opening a study again and again adds nothing to it."""
    name = next(new_name)
    study = bench.open(name)
    study.ask(fixed_distributions=FakeObjective().space())
    for _ in range(3):
        study = bench.open(name)

    assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.WAITING]
    assert study.trials[1].system_attrs["fixed_params"] == DEFAULTS


def test_the_values_have_the_metrics_name(bench: Bench, new_name: Iterator[str]) -> None:
    """A dashboard shows it, nobody is warned of it, and a name that is there stays."""
    study = bench.open(next(new_name))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        name_metric(study, "cv_rmse_mean")
        name_metric(study, "other")
        attributes = study._storage.get_study_system_attrs(study._study_id)

    assert attributes["study:metric_names"] == ["cv_rmse_mean"]
