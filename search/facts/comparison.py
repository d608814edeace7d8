"""Two trials beside each other: what each fold says of them, and whether that is more than noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from search.conclusion.paired import Gain, paired_gain
from search.config import HONEST_LEVEL
from search.facts.trial import Parameter, TrialFacts, trial_facts

if TYPE_CHECKING:
    from optuna.study import Study

Verdict = Literal["better", "worse", "maybe better", "maybe worse", "noise", "equal", "unknown"]


@dataclass(frozen=True)
class Comparison:
    """One trial beside another.

    Attributes:
        one: The first.
        other: The second.
        gains: By how much the first is better, one a fold, above 0 is better; empty unless both are complete.
        gain: Their mean and its standard error; None likewise.
        interval: Half the width of the interval that holds the true mean 95 % of the time, by Student's t; None
            likewise, infinite of one fold.
        verdict: Of the first, what that says; `maybe` where the difference is more than one standard error but 0
            is in the interval, `noise` where it is not even that.
        differing: Parameters in which they differ: value of the first and, as `default`, of the second.
        common_report: Last step that both have reported at and the two scores as of then; None if there is none.
    """

    one: TrialFacts
    other: TrialFacts
    gains: tuple[float, ...]
    gain: Gain | None
    interval: float | None
    verdict: Verdict
    differing: tuple[Parameter, ...]
    common_report: tuple[int, float, float] | None

    @property
    def wins(self) -> int:
        """Folds on which the first is better."""
        return sum(gain > 0 for gain in self.gains)

    @property
    def losses(self) -> int:
        """Folds on which the second is better."""
        return sum(gain < 0 for gain in self.gains)

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        known = self.interval is not None and math.isfinite(self.interval)
        return {
            "a": self.one.to_json(),
            "b": self.other.to_json(),
            "gains_of_a": list(self.gains),
            "gain_of_a": None if self.gain is None else self.gain.mean,
            "standard_error": None if self.gain is None else self.gain.known_error,
            "interval": self.interval if known else None,
            "wins_of_a": self.wins,
            "wins_of_b": self.losses,
            "verdict_on_a": self.verdict,
            "differing": {one.name: [one.value, one.default] for one in self.differing},
            "common_report": self.common_report,
        }


def compare(study: Study, one: int, other: int) -> Comparison:
    """Compares two trials of a study, by the numbers of trials that exist."""
    first, second = trial_facts(study, one), trial_facts(study, other)
    gains = _gains(first, second)
    gain = paired_gain(np.array(gains), _folds_a_split(study, len(gains))) if gains else None
    interval = None if gain is None else _interval(gain, _folds_a_split(study, len(gains)))
    seconds = {parameter.name: parameter.value for parameter in second.params}
    values = [Parameter(p.name, p.value, seconds.get(p.name)) for p in first.params]
    values += [
        Parameter(p.name, None, p.value) for p in second.params if p.name not in {v.name for v in values}
    ]
    common = sorted(first.reports.keys() & second.reports.keys())
    return Comparison(
        one=first,
        other=second,
        gains=gains,
        gain=gain,
        interval=interval,
        verdict=_verdict(gain, interval),
        differing=tuple(value for value in values if value.differs),
        common_report=(common[-1], first.reports[common[-1]], second.reports[common[-1]]) if common else None,
    )


def _gains(one: TrialFacts, other: TrialFacts) -> tuple[float, ...]:
    if len(one.fold_scores) != len(other.fold_scores):
        return ()
    sign = 1.0 if one.higher_is_better else -1.0
    return tuple(sign * (a - b) for a, b in zip(one.fold_scores, other.fold_scores, strict=True))


def _folds_a_split(study: Study, folds: int) -> int:
    repeats = int(study.user_attrs.get("settings", {}).get("repeats") or 1)
    return max(1, folds // repeats)


def _interval(gain: Gain, folds_a_split: int) -> float:
    independent = min(gain.folds, folds_a_split)
    if independent < 2 or math.isinf(gain.error):  # noqa: PLR2004 - one difference has no spread
        return math.inf
    from scipy.stats import t

    return gain.error * float(t.ppf((1 + HONEST_LEVEL) / 2, independent - 1))


def _verdict(gain: Gain | None, interval: float | None) -> Verdict:
    if gain is None or interval is None or (math.isinf(interval) and gain.mean):
        return "unknown"
    if not gain.mean and (not gain.error or math.isinf(gain.error)):
        return "equal"
    if abs(gain.mean) <= gain.error:
        return "noise"
    if abs(gain.mean) <= interval:
        return "maybe better" if gain.mean > 0 else "maybe worse"
    return "better" if gain.mean > 0 else "worse"
