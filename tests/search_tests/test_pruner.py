from __future__ import annotations

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from search.loop.pruner import LadderPruner

N_STARTUP = 5


def _study(
    reports: list[dict[int, float]], state: TrialState = TrialState.COMPLETE, direction: str = "minimize"
) -> optuna.Study:
    study = optuna.create_study(direction=StudyDirection[direction.upper()])
    for values in reports:
        study.add_trial(create_trial(state=state, value=max(values.values()), intermediate_values=values))
    return study


def _prunes(study: optuna.Study, reports: dict[int, float]) -> bool:
    trial = create_trial(state=TrialState.RUNNING, intermediate_values=reports)
    return LadderPruner(N_STARTUP, n_warmup_steps=1).prune(study, trial)


def _curves(*levels: float) -> list[dict[int, float]]:
    return [{step: level - step / 10 for step in range(4)} for level in levels]


def test_the_worse_half_is_pruned() -> None:
    """A trial goes on while it is no worse than the median of the others at the same step."""
    study = _study(_curves(1, 2, 3, 4, 5))

    assert not _prunes(study, {1: 3.0 - 0.1})
    assert _prunes(study, {1: 3.01 - 0.1})


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_direction_says_what_is_worse(direction: str) -> None:
    """With a score to maximise, the low ones go."""
    study = _study(_curves(1, 2, 3, 4, 5), direction=direction)

    assert _prunes(study, {1: 9.0}) == (direction == "minimize")
    assert _prunes(study, {1: 0.0}) == (direction == "maximize")


def test_only_equal_steps_are_compared() -> None:
    """A value is judged by what others had at that step, not by where they ended."""
    study = _study([{1: 100.0, 2: 1.0}] * 5)

    assert not _prunes(study, {1: 99.0})
    assert _prunes(study, {1: 99.0, 2: 2.0})


def test_a_step_nobody_reached_prunes_nobody() -> None:
    """Without anything to compare with there is no verdict."""
    assert not _prunes(_study(_curves(1, 2, 3, 4, 5)), {9: 1e9})


def test_nothing_is_pruned_before_the_warm_up() -> None:
    """The first reports of the first fold say too little, and no report says nothing."""
    study = _study(_curves(1, 2, 3, 4, 5))

    assert not _prunes(study, {0: 1e9})
    assert not _prunes(study, {})
    assert _prunes(study, {0: 1e9, 1: 1e9})


def test_nothing_is_pruned_before_enough_are_complete() -> None:
    """Pruned and failed trials do not end the start-up."""
    study = _study(_curves(1, 2, 3, 4))
    for state in (TrialState.PRUNED, TrialState.FAIL):
        for trial in _study(_curves(1, 1, 1), TrialState.COMPLETE).trials:
            study.add_trial(create_trial(state=state, intermediate_values=trial.intermediate_values))

    assert not _prunes(study, {1: 1e9})
    study.add_trial(create_trial(value=1.0, intermediate_values={1: 1.0}))
    assert _prunes(study, {1: 1e9})


def test_pruned_trials_count_in_the_median() -> None:
    """Else the median would rise with every pruning until almost nothing passed."""
    study = _study(_curves(1, 1, 1, 1, 1))
    assert _prunes(study, {1: 2.0})
    for values in _curves(*[3] * 6):
        study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values=values))

    assert not _prunes(study, {1: 2.0})
