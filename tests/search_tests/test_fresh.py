from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import TrialState

from search.loop.ending import ALL_THERE, EXHAUSTED
from search.loop.fresh import FreshSampler, is_exhausted, space_size
from search.loop.tally import is_counted
from tests.search_tests.fakes import DEFAULTS, FakeObjective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from tests.search_tests.conftest import Bench

SMALL: dict[str, BaseDistribution] = {
    "x": FloatDistribution(0.0, 1.0, step=0.5),
    "n": IntDistribution(1, 5, step=2),
}
"""Nine configurations, the default among them."""


def _configurations(study: Study) -> Counter[str]:
    return Counter(str(sorted(trial.params.items())) for trial in study.trials)


@pytest.mark.parametrize(
    ("space", "size"),
    [
        (SMALL, 9),
        ({"c": CategoricalDistribution([True, 1, "1"]), "n": IntDistribution(1, 8, log=True)}, 24),
        ({"x": FloatDistribution(0.0, 1.0)}, float("inf")),
        ({"x": FloatDistribution(0.1, 0.4, step=0.1), "one": FloatDistribution(2.0, 2.0)}, 4),
        ({"one": IntDistribution(3, 3)}, 1),
    ],
)
def test_configurations_are_counted(space: dict[str, BaseDistribution], size: float) -> None:
    """A step is counted without rounding errors, a single value once, a continuous parameter as infinite."""
    assert space_size(space) == size


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workers=st.sampled_from([0, 1, 2]), seed=st.integers(0, 1000))
def test_a_small_space_is_tried_out_once(
    bench: Bench, new_name: Iterator[str], workers: int, seed: int
) -> None:
    """Each configuration is evaluated exactly once, then the search ends as a finished one and says why."""
    objective = FakeObjective(space=SMALL)
    study = bench.open(next(new_name), objective, seed=seed)

    ending = bench.ending(study, objective, 50, workers)

    assert (ending, ending.status) == (EXHAUSTED, "FINISHED")
    assert set(_configurations(study).values()) == {1}
    assert len(study.trials) == 9
    assert not study.get_trials(states=(TrialState.RUNNING, TrialState.WAITING))


def test_an_exhausted_study_stays_as_it_is(bench: Bench, new_name: Iterator[str]) -> None:
    """The same command again finds nothing to do and changes nothing."""
    name, objective = next(new_name), FakeObjective(space=SMALL)
    bench.run(bench.open(name, objective), objective, 50)
    before = bench.open(name, objective).get_trials()

    assert bench.ending(bench.open(name, objective), objective, 60) == EXHAUSTED
    assert bench.open(name, objective).get_trials() == before


def test_exactly_the_whole_space_is_a_plain_end(bench: Bench, new_name: Iterator[str]) -> None:
    """Asked for as many as there are, the search has all its trials."""
    objective = FakeObjective(space=SMALL)

    assert bench.ending(bench.open(next(new_name), objective), objective, 9) == ALL_THERE


def test_a_retry_may_repeat_what_was_interrupted(bench: Bench, new_name: Iterator[str]) -> None:
    """An interrupted configuration is queued and evaluated, also as the last one of its space."""
    name, objective = next(new_name), FakeObjective(space=SMALL)
    bench.run(bench.open(name, objective), objective, 8)
    bench.open(name, objective).ask(fixed_distributions=objective.space())

    study = bench.open(name, objective)
    assert bench.ending(study, objective, 9) == ALL_THERE

    finished = [str(trial.params) for trial in study.trials if is_counted(trial)]
    assert len(finished) == len(set(finished)) == 9
    assert study.trials[9].user_attrs["retry_of"] == 8


class _Stubborn(BaseSampler):
    """Suggests the default for ever."""

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:  # noqa: ARG002
        return {}

    def sample_relative(self, *args: Any) -> dict[str, Any]:  # noqa: ARG002
        return {}

    def sample_independent(self, study: Study, trial: FrozenTrial, param_name: str, *args: Any) -> Any:  # noqa: ARG002
        return DEFAULTS[param_name]


def test_another_configuration_is_drawn_by_the_seed(bench: Bench, new_name: Iterator[str]) -> None:
    """What takes a duplicate's place is random, new, and the same for the same seed."""

    def once(seed: int) -> list[dict[str, Any]]:
        study, objective = bench.open(next(new_name)), FakeObjective()
        study.sampler = FreshSampler(_Stubborn(), objective.space(), seed)
        bench.run(study, objective, 6)
        assert max(_configurations(study).values()) == 1
        return [trial.params for trial in study.trials]

    assert once(1) == once(1) != once(2)


def test_what_runs_is_not_suggested_again(bench: Bench, new_name: Iterator[str]) -> None:
    """A running trial's configuration counts as had, before anybody knows its score."""
    study, objective = bench.open(next(new_name)), FakeObjective()
    study.sampler = FreshSampler(_Stubborn(), objective.space(), 1)
    for _ in range(4):
        study.ask(fixed_distributions=objective.space())

    assert max(_configurations(study).values()) == 1


def test_without_duplicates_the_sampler_is_undisturbed(bench: Bench, new_name: Iterator[str]) -> None:
    """Where nothing repeats, the suggestions are those of the sampler alone, to the bit."""

    def once(*, fresh: bool) -> list[dict[str, Any]]:
        study, objective = bench.open(next(new_name)), FakeObjective()
        tpe = TPESampler(n_startup_trials=5, seed=3)
        study.sampler = FreshSampler(tpe, objective.space(), 3) if fresh else tpe
        bench.run(study, objective, 20)
        return [trial.params for trial in study.trials]

    assert once(fresh=True) == once(fresh=False)


def test_a_queued_trial_keeps_the_search_going(bench: Bench, new_name: Iterator[str]) -> None:
    """A space is not exhausted while something waits, be it a repetition that somebody asked for."""
    objective = FakeObjective(space=SMALL)
    study = bench.open(next(new_name), objective)
    bench.run(study, objective, 9)
    assert is_exhausted(study, objective.space())

    study.enqueue_trial(study.trials[3].params)

    assert not is_exhausted(study, objective.space())
    assert bench.ending(study, objective, 20) == EXHAUSTED
    assert study.trials[9].params == study.trials[3].params
    assert len(study.trials) == 10
