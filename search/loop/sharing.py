"""Which of several objectives the next trial is of: who has had least of the budget beside what it promises."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from search.config import EQUAL_SHARE, GIVEN_UP_AFTER, LEAST_SECONDS
from search.loop.tally import NEEDED, is_counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from optuna.trial import FrozenTrial


class Spending(NamedTuple):
    """What one objective has had so far.

    Attributes:
        trials: Its trials that have ended or run.
        seconds: Mean time of those that have ended other than by failing, or were given up because they would have
            taken so long. The longest is left out where there are more: it has prepared what the others found
            ready. NaN before there is one.
        is_hopeless: Whether its trials have done nothing but fail.
    """

    trials: int
    seconds: float
    is_hopeless: bool


def spending(trials: Sequence[FrozenTrial]) -> Spending:
    """Looks at the trials of one objective."""
    states = [trial.state.name for trial in trials if is_counted(trial)]
    ended = [_seconds(t) for t in trials if t.state.name in {"COMPLETE", "PRUNED"}]
    times = sorted(ended + [t.user_attrs[NEEDED] for t in trials if NEEDED in t.user_attrs])
    usual = times[:-1] or times
    return Spending(
        trials=len(states) + sum(trial.state.name == "RUNNING" for trial in trials),
        seconds=sum(usual) / len(usual) if usual else math.nan,
        is_hopeless=not times and states.count("FAIL") >= GIVEN_UP_AFTER,
    )


def next_objective(
    spent: Mapping[str, Spending], promise: Mapping[str, float], seconds_left: float = math.inf
) -> str:
    """The objective of the next trial.

    Each objective is to have its share of what the user gave, seconds or else trials: a part that is equal for
    all, and the rest by what it promises. So of two that promise the same each gets as many trials; where time is
    limited, the one whose trials take twice as long gets half as many. Who has had no trial yet comes first. Who
    does nothing but fail is left alone, and who would not be through in time, unless all are so.

    Args:
        spent: What each has had, in the order of precedence; at least one.
        promise: Shares that add up to 1; empty: equal ones.
        seconds_left: Until the end of the search; infinite: trials are counted, so that the same seed asks for the
            same ones however long they take here.
    """
    able = [name for name, one in spent.items() if not one.is_hopeless] or [*spent]
    # Before it has had a trial nobody knows how long one takes.
    open_ones = [name for name in able if not spent[name].seconds > seconds_left] or able
    for name in open_ones:
        if not spent[name].trials:
            return name
    costs = dict.fromkeys(spent, 1.0) if math.isinf(seconds_left) else _costs(spent)
    had = {name: spent[name].trials * costs[name] / _share(name, spent, promise) for name in open_ones}
    return min(open_ones, key=lambda name: had[name])


def _share(name: str, spent: Mapping[str, Spending], promise: Mapping[str, float]) -> float:
    equal = 1 / len(spent)
    return EQUAL_SHARE * equal + (1 - EQUAL_SHARE) * (promise.get(name, 0.0) if promise else equal)


def _costs(spent: Mapping[str, Spending]) -> dict[str, float]:
    """Of a trial, as a multiple of the cheapest objective's; nobody knows: that of the dearest.

    In powers of two, so that small differences in timing do not make another search.
    """
    known = {name: one.seconds for name, one in spent.items() if not math.isnan(one.seconds)}
    if not known:
        return dict.fromkeys(spent, 1.0)
    least = min(known.values())
    most = max(known.values())
    return {name: 2.0 ** round(math.log2(known.get(name, most) / least)) for name in spent}


def late_share(weights: Mapping[int, float], numbers: Iterable[int]) -> float:
    """What the trials of an objective have in the blend, each the more the later among its own it came.

    An objective whose first trial is in the blend and none of the twenty after it has a large weight there, and
    yet another trial of it promises little.

    Args:
        weights: In the blend, by trial number.
        numbers: All finished trials of the objective.
    """
    own = sorted(numbers)
    return sum(weights.get(number, 0.0) * (k + 1) / len(own) for k, number in enumerate(own))


def _seconds(trial: FrozenTrial) -> float:
    metrics = trial.user_attrs.get("metrics")
    seconds = metrics.get("seconds", 0.0) if isinstance(metrics, dict) else 0.0
    return max(LEAST_SECONDS, float(seconds))
