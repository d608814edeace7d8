"""What the seconds of `--timeout` are for."""

from __future__ import annotations

import math
import time

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from objectives.base import Progress
from search.config import (
    CLOSING_SECONDS,
    CLOSING_SECONDS_A_CELL,
    CONCLUSION_EVALUATIONS,
    CONCLUSION_LEAST_SECONDS,
    CONCLUSION_SHARE,
    LATE_SHARE,
    STOPGAP_SECONDS,
)
from search.loop.time_plan import TimePlan


def trial(seconds: float, state: TrialState = TrialState.COMPLETE) -> FrozenTrial:
    """A trial that took so long."""
    value = 1.0 if state == TrialState.COMPLETE else None
    return optuna.trial.create_trial(
        state=state, value=value, user_attrs={"metrics": {"seconds": seconds}, "reason": ""}
    )


def plan(timeout: float, *trials: FrozenTrial) -> TimePlan:
    """Of a command that began now, with its search, and knows these trials."""
    now = time.monotonic()
    made = TimePlan(now, timeout, begun=now)
    for one in trials:
        made.learn(one)
    return made


def test_without_a_complete_trial_only_a_stopgap_has_time() -> None:
    """What was pruned says nothing of whole evaluations, and there is nothing to conclude from."""
    assert plan(20.0).reserve(2) == STOPGAP_SECONDS
    assert plan(20.0, trial(9.0, TrialState.PRUNED)).reserve(2) == STOPGAP_SECONDS


def test_what_is_kept_back_follows_what_an_evaluation_costs() -> None:
    """Half of it with twice the workers, by the median trial."""
    known = plan(10_000.0, trial(1.0), trial(5.0), trial(700.0))

    assert known.reserve(1) == CONCLUSION_EVALUATIONS * 5.0
    assert known.reserve(2) == CONCLUSION_EVALUATIONS * 2.5


def test_what_is_kept_back_is_a_share_at_most() -> None:
    """Of dear evaluations as many as there is time for: a fifth of what is left for the search."""
    kept = plan(300.0, trial(5.0)).reserve(1)

    assert kept == pytest.approx(CONCLUSION_SHARE * (300.0 - CLOSING_SECONDS - kept))


def test_nothing_is_kept_back_that_could_not_be_used() -> None:
    """Where the share would not do for a few evaluations, the search goes on, and its trials are blended as is."""
    assert plan(300.0, trial(100.0)).reserve(1) == CONCLUSION_LEAST_SECONDS
    assert plan(300.0, trial(100.0)).reserve(20) > CONCLUSION_LEAST_SECONDS


def test_something_is_kept_back_however_short_the_time() -> None:
    """Choosing among the trials there are takes a moment too."""
    assert plan(6.0, trial(0.01)).reserve(8) == CONCLUSION_LEAST_SECONDS


def test_folds_so_far_say_what_the_others_take_at_least() -> None:
    """An evaluation goes on unless even a little less than what the rest of it seems to need is too much."""
    known, now = plan(math.inf, trial(5.0)), time.monotonic()
    # Its first rung: what the fold has taken until now counts as if it were through.
    second = Progress(8, 1.0, 1, 100, folds=5, seconds=20.0)

    assert known.seconds_needed(second) == 30.0
    assert known.seconds_needed(second._replace(fold=4)) == 0.0
    assert known.seconds_needed(second._replace(folds=0)) == 0.0
    assert known.is_late(30.0, now + 20.0)
    assert not known.is_late(30.0, now + 30.0 * LATE_SHARE + 1.0)
    assert not known.is_late(30.0, math.inf)
    assert not known.is_late(0.0, now - 1.0)


def test_nothing_is_late_before_another_is_complete() -> None:
    """It would be given up for nothing."""
    known, unknown = plan(math.inf, trial(5.0)), plan(math.inf, trial(5.0, TrialState.PRUNED))
    now = time.monotonic()

    assert known.is_late(20.0, now)
    assert not unknown.is_late(20.0, now)


def test_none_begins_that_could_not_be_through() -> None:
    """As long as the shortest evaluation so far may fit; before there is one nobody knows."""
    known, now = plan(600.0, trial(50.0), trial(20.0)), time.monotonic()

    assert known.is_too_late(now + 20.0 * LATE_SHARE - 1.0)
    assert not known.is_too_late(now + 20.0 * LATE_SHARE + 1.0)
    assert not known.is_too_late(math.inf)
    assert not plan(600.0, trial(5.0, TrialState.PRUNED)).is_too_late(now)


def test_a_conclusion_ends_before_the_closing() -> None:
    """However long the search was."""
    known = plan(30.0, *[trial(100.0)] * 50)

    assert known.conclude_until(1) == known.closing == known.started + 30.0 - CLOSING_SECONDS
    assert known.closing < known.end < known.started + 30.0


def test_a_larger_submission_has_more_time() -> None:
    """Of many rows or classes the writing, reading back and checking would otherwise end after the time."""
    now = time.monotonic()
    small, large = TimePlan(now, 60.0, 1_000), TimePlan(now, 60.0, 101_000)

    assert small.closing - large.closing == pytest.approx(100_000 * CLOSING_SECONDS_A_CELL)
    assert small.end == large.end


def test_without_a_limit_a_conclusion_has_a_share_of_the_search() -> None:
    """Of all its commands' trials, as they ran beside each other."""
    known = plan(math.inf, *[trial(10.0)] * 9, trial(10.0, TrialState.PRUNED))

    assert known.conclude_until(2) - time.monotonic() == pytest.approx(CONCLUSION_SHARE * 50, abs=1.0)
    assert math.isinf(known.closing)
    assert known.reserve(2) == CONCLUSION_EVALUATIONS * 5.0


def test_whoever_suggests_knows_when_the_search_ends() -> None:
    """The end of the search moves with what evaluations cost, and is never the command's."""
    known = plan(600.0)
    first = known.search_end
    known.learn(trial(9.0))
    known.end_of_search(2)

    assert first == known.closing - STOPGAP_SECONDS
    assert known.search_end == known.closing - known.reserve(2) < first
    assert plan(math.inf).search_end == math.inf
