"""How the time of a search is shared between its objectives."""

from __future__ import annotations

import math

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.loop.sharing import Spending, late_share, next_objective, spending
from search.loop.tally import NEEDED


def _trial(state: str, seconds: float = 1.0) -> FrozenTrial:
    value = 1.0 if state == "COMPLETE" else None
    attributes = {"metrics": {"seconds": seconds}}
    return create_trial(state=TrialState[state], value=value, user_attrs=attributes)


def _had(trials: int, seconds: float = 1.0, *, is_hopeless: bool = False) -> Spending:
    return Spending(trials, seconds, is_hopeless)


def test_what_an_objective_has_had() -> None:
    """Running trials count, failed ones say nothing of the time, nor does the longest, and interrupted ones nothing."""
    interrupted = create_trial(state=TrialState.FAIL, user_attrs={"interrupted": True})
    complete = [_trial("COMPLETE", 30.0), _trial("COMPLETE", 2.0), _trial("PRUNED", 4.0)]

    others = [_trial("FAIL", 60.0), _trial("RUNNING"), interrupted]
    assert spending([*complete, *others]) == Spending(5, 3.0, is_hopeless=False)
    assert spending(complete[:1]) == Spending(1, 30.0, is_hopeless=False)


def test_what_was_given_up_for_the_time_says_what_it_would_have_taken() -> None:
    """So no more trials are begun of an objective whose first one could not be through in time."""
    given_up = create_trial(state=TrialState.RUNNING, user_attrs={NEEDED: 300.0})
    had = {"a": spending([_trial("COMPLETE")] * 9), "b": spending([given_up])}

    assert had["b"] == Spending(1, 300.0, is_hopeless=False)
    assert next_objective(had, {"b": 1.0}, seconds_left=299.0) == "a"
    assert next_objective(had, {"b": 1.0}, seconds_left=301.0) == "a"
    assert next_objective({**had, "a": _had(9_000)}, {"b": 1.0}, seconds_left=301.0) == "b"


@pytest.mark.parametrize(
    ("states", "hopeless"), [("FFF", True), ("FF", False), ("FFFC", False), ("PFFF", False)]
)
def test_who_does_nothing_but_fail_is_hopeless(states: str, hopeless: bool) -> None:
    """An objective without any result is given up after its third failure."""
    names = {"F": "FAIL", "C": "COMPLETE", "P": "PRUNED"}

    assert spending([_trial(names[state]) for state in states]).is_hopeless == hopeless


def test_the_untried_come_first() -> None:
    """Before any objective has its second trial each has its first, in order."""
    assert next_objective({"a": _had(1), "b": _had(0, math.nan), "c": _had(0, math.nan)}, {}) == "b"


def test_the_hopeless_get_nothing_more() -> None:
    """The time of an objective that only fails goes to the others, and where all fail the search says so itself."""
    bad = _had(3, math.nan, is_hopeless=True)

    assert next_objective({"a": _had(90), "b": bad}, {"b": 1.0}) == "a"
    assert next_objective({"a": bad, "b": bad}, {}) in {"a", "b"}


def test_who_would_not_be_through_in_time_is_not_begun() -> None:
    """Near the end of a search only trials are begun that can end, if there are any; an untried one may."""
    had = {"a": _had(9, 1.0), "b": _had(1, 8.0)}

    assert next_objective(had, {"b": 1.0}, seconds_left=9.0) == "b"
    assert next_objective(had, {"b": 1.0}, seconds_left=5.0) == "a"
    assert next_objective(had, {"b": 1.0}, seconds_left=0.5) == "b"
    assert next_objective({**had, "c": _had(0, math.nan)}, {}, seconds_left=0.5) == "c"


def test_shares_are_of_time_and_by_promise() -> None:
    """Who promises three quarters gets about that much of the time, counted in seconds."""
    had = _shared({"a": _had(1, 1.0), "b": _had(1, 4.0)}, 1e9)

    share = had["a"].trials / (had["a"].trials + 4 * had["b"].trials)
    assert share == pytest.approx(0.2 / 2 + 0.8 * 0.75, abs=0.02)


def test_without_a_time_limit_shares_are_of_trials() -> None:
    """Then the same seed asks for the same trials on any machine: what they take decides nothing."""
    fast, slow = (_shared({"a": _had(1, 1.0), "b": _had(1, cost)}, math.inf) for cost in (4.0, 400.0))

    assert fast["a"].trials == slow["a"].trials
    share = fast["a"].trials / (fast["a"].trials + fast["b"].trials)
    assert share == pytest.approx(0.2 / 2 + 0.8 * 0.75, abs=0.02)


def _shared(had: dict[str, Spending], seconds_left: float) -> dict[str, Spending]:
    """After four hundred trials more."""
    for _ in range(400):
        name = next_objective(had, {"a": 0.75, "b": 0.25}, seconds_left)
        had[name] = had[name]._replace(trials=had[name].trials + 1)
    return had


def test_nobody_is_left_without_a_share() -> None:
    """An objective that promises nothing is tried now and then all the same: it may yet find something."""
    had = {"a": _had(1), "b": _had(1)}
    for _ in range(100):
        name = next_objective(had, {"a": 1.0, "b": 0.0})
        had[name] = had[name]._replace(trials=had[name].trials + 1)

    assert 8 <= had["b"].trials <= 12


def test_a_cost_nobody_knows_is_the_dearest() -> None:
    """An objective whose first trial still runs gets no second one before others have had as much."""
    had = {"a": _had(3, 1.0), "b": _had(1, 8.0), "c": _had(1, math.nan)}
    assert next_objective(had, {}, seconds_left=1e9) == "a"


def test_a_late_trial_in_the_blend_promises_more() -> None:
    """A weight counts by how late among its objective's own trials the trial came."""
    assert late_share({4: 0.5}, [1, 2, 3, 4]) == 0.5
    assert late_share({1: 0.5}, [1, 2, 3, 4]) == 0.125
    assert late_share({9: 0.5}, [1, 2]) == 0.0
    assert late_share({}, []) == 0.0
