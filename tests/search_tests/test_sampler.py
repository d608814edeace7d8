"""The sampler on long studies."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import optuna
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from search.loop.history import NewlyFinished
from search.loop.sampler import ThinnedTPESampler, thinned

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

SPACE = {"x": FloatDistribution(0.0, 1.0), "y": FloatDistribution(0.0, 1.0)}


def _trial(x: float, y: float) -> FrozenTrial:
    value = (x - 0.3) ** 2 + (y - 0.7) ** 2
    return create_trial(params={"x": x, "y": y}, distributions=SPACE, value=value)


@given(count=st.integers(1, 300), most=st.integers(2, 100))
def test_thinning_is_even(count: int, most: int) -> None:
    """No more than asked for remain, in order, each once, the first and the last among them, no gap twice another."""
    trials = [create_trial(value=float(i)) for i in range(count)]

    kept = [int(trial.value or 0) for trial in thinned(trials, most)]

    assert len(kept) == min(count, most)
    assert kept == sorted(set(kept))
    assert (kept[0], kept[-1]) == (0, count - 1)
    gaps = [b - a for a, b in pairwise(kept)]
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_a_short_study_is_modelled_whole() -> None:
    """Below the bound the suggestions are those of TPE itself, to the bit."""
    suggested = []
    for sampler in (ThinnedTPESampler(n_modelled=60, seed=1), optuna.samplers.TPESampler(seed=1)):
        study = optuna.create_study(sampler=sampler)
        for i in range(60):
            study.add_trial(_trial(i / 60, (i * 7 % 60) / 60))
        suggested.append([study.ask(SPACE).params for _ in range(3)])

    assert suggested[0] == suggested[1]


def test_the_best_of_a_long_study_are_never_thinned() -> None:
    """However few trials are modelled, suggestions stay near the best of thousands."""
    study = optuna.create_study(sampler=ThinnedTPESampler(n_modelled=30, seed=1))
    side = [i / 45 for i in range(45)]
    study.add_trials([_trial(x, y) for x in side for y in side])

    distances = [abs(p["x"] - 0.3) + abs(p["y"] - 0.7) for p in (study.ask(SPACE).params for _ in range(20))]

    assert sorted(distances)[10] < 0.2


@given(st.permutations(range(8)))
def test_finished_trials_are_handed_out_once(order: list[int]) -> None:
    """In whatever order trials end, each comes when it has ended, and never again."""
    trials = [create_trial(state=TrialState.RUNNING) for _ in range(8)]
    for number, trial in enumerate(trials):
        trial.number = number
    new, seen = NewlyFinished(), []
    for number in order:
        trials[number].state = TrialState.FAIL
        found = new.among(trials)
        seen += [trial.number for trial in found]

    assert seen == list(order)
    assert new.among(trials) == []


def test_nothing_is_handed_out_before_it_ends() -> None:
    """Waiting and running trials are passed over."""
    trials = [create_trial(state=state) for state in (TrialState.WAITING, TrialState.RUNNING)]

    assert NewlyFinished().among(trials) == []
