"""Configurations that would not be through before the search's end."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from search.loop.fresh import FreshSampler
from search.loop.in_time import Lateness
from search.loop.sampler import make_sampler
from search.loop.tally import NEEDED
from search.space.combined import CHOICE, CombinedObjective
from tests.search_tests.fakes import FakeObjective
from tests.search_tests.two_objectives import SPACE, Lightgbm, Trees

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.study import Study

    from objectives.base import Params

HOUR = 3600.0


class ByX(FakeObjective):
    """Costs by its first parameter."""

    def __init__(self) -> None:
        super().__init__(space=dict(SPACE))

    def work(self, params: Params) -> float:
        """The first parameter."""
        return float(params["x"])


def _complete(number: int, params: dict[str, Any], seconds: float, waited: float = 0.0) -> FrozenTrial:
    """A trial that was evaluated in so many seconds, so long after it was asked for."""
    end = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    space = {
        name: one for name, one in CombinedObjective([Lightgbm(), Trees()]).space().items() if name in params
    }
    return FrozenTrial(
        number=number,
        state=TrialState.COMPLETE,
        value=1.0,
        datetime_start=end - timedelta(seconds=seconds + waited),
        datetime_complete=end,
        params=params,
        distributions=space,
        user_attrs={"metrics": {"seconds": seconds}},
        system_attrs={},
        intermediate_values={},
        trial_id=number,
    )


def _study(*trials: FrozenTrial) -> Study:
    study = optuna.create_study()
    study.add_trials(trials)
    return study


def test_more_work_takes_longer() -> None:
    """Twice the work is reckoned with twice the seconds that the middle one of the complete trials took for it."""
    known = [_complete(k, {"x": 0.25, "n": 1}, seconds) for k, seconds in enumerate((50.0, 100.0, 900.0))]
    lateness = Lateness(ByX(), lambda: time.monotonic() + HOUR)

    for x in (0.25, 0.5, 1.0):
        assert lateness(known, {"x": x, "n": 1}) == pytest.approx(400 * x - HOUR, abs=60)


def test_waiting_counts() -> None:
    """What a trial waits for its worker goes off the time that it has."""
    known = [_complete(k, {"x": 0.5, "n": 1}, 100.0, waited=70.0) for k in range(3)]

    late = Lateness(ByX(), lambda: time.monotonic() + HOUR)(known, {"x": 0.5, "n": 1})

    assert late == pytest.approx(170 - HOUR, abs=60)


def test_what_was_given_up_for_the_time_says_what_it_would_have_taken() -> None:
    """An objective whose first trial could not end in time is no unknown one, that anything may be hoped of."""
    one = {"x": 0.5, "n": 1}
    given_up = optuna.trial.create_trial(
        state=TrialState.RUNNING, params=one, distributions=SPACE, user_attrs={NEEDED: 2 * HOUR}
    )
    lateness = Lateness(ByX(), lambda: time.monotonic() + HOUR)

    assert lateness([given_up], one) == pytest.approx(HOUR, abs=60)
    waited = [_complete(0, one, 100.0, waited=70.0), given_up]
    assert lateness(waited, {"x": 0.5, "n": 2}) == pytest.approx(50 + 70, abs=60)


def test_no_work_says_nothing() -> None:
    """A configuration that its objective calls no work at all neither ends the search nor says what others take."""
    known = [_complete(k, {"x": x, "n": 1}, 100.0) for k, x in enumerate((0.0, 0.5))]
    lateness = Lateness(ByX(), lambda: time.monotonic() + HOUR)

    assert lateness(known[:1], {"x": 0.5, "n": 1}) == -math.inf
    assert lateness(known, {"x": 1.0, "n": 1}) == pytest.approx(200 - HOUR, abs=60)


def test_each_objective_is_known_by_its_own_trials() -> None:
    """The seconds of one objective's trials say nothing of another's, which is in time until one has shown it."""
    both = CombinedObjective([Lightgbm(), Trees()])
    known = [_complete(0, {CHOICE: "trees", "trees.x": 0.5, "trees.n": 1, "trees.mode": "a"}, 1000.0)]
    lateness = Lateness(both, lambda: time.monotonic() + HOUR)

    assert lateness(known, {CHOICE: "lightgbm", "x": 0.5, "n": 1}) == -math.inf
    other = {CHOICE: "trees", "trees.x": 1.0, "trees.n": 1, "trees.mode": "a"}
    assert lateness(known, other) == pytest.approx(2000 - HOUR, abs=60)


def test_no_trial_is_asked_for_in_vain() -> None:
    """Where the time left is enough for some configurations, one of those is suggested."""
    study = _study(*(_complete(k, {"x": 0.5, "n": 1 + k}, HOUR) for k in range(3)))
    study.sampler = make_sampler(ByX(), trials=100, seed=1, deadline=lambda: time.monotonic() + HOUR)

    suggested = [study.ask(SPACE).params["x"] for _ in range(20)]

    assert max(suggested) <= 0.5


def test_of_late_ones_the_least_late_is_taken() -> None:
    """Where none would be through, it is the one of those looked at that would be so soonest."""
    study = _study(_complete(0, {"x": 0.5, "n": 1}, HOUR))
    looked_at: list[float] = []

    def late(_: Sequence[FrozenTrial], params: Mapping[str, Any]) -> float:
        looked_at.append(params["x"])
        return 1 + float(params["x"])

    study.sampler = FreshSampler(optuna.samplers.RandomSampler(seed=1), ByX().space(), 1, late)

    assert study.ask(SPACE).params["x"] == min(looked_at)
    assert len({*looked_at}) > 1


def test_what_is_queued_is_taken_however_late() -> None:
    """A trial that was queued, as a retry is, keeps its configuration."""
    study = _study(_complete(0, {"x": 0.5, "n": 1}, HOUR))
    study.enqueue_trial({"x": 1.0, "n": 8})
    study.sampler = make_sampler(ByX(), trials=100, seed=1, deadline=lambda: time.monotonic() + 1)

    assert study.ask(SPACE).params == {"x": 1.0, "n": 8}


def test_without_a_deadline_the_same_is_suggested() -> None:
    """However long trials take, a search without a time limit asks for the same ones."""
    suggested = []
    for seconds in (1.0, HOUR):
        study = _study(*(_complete(k, {"x": 0.5, "n": 1 + k}, seconds) for k in range(3)))
        study.sampler = make_sampler(ByX(), trials=100, seed=1)
        suggested.append([study.ask(SPACE).params for _ in range(5)])

    assert suggested[0] == suggested[1]
