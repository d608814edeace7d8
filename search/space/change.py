"""A study's space changed under its trials: what is carried over, what lies outside, and when it cannot be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    json_to_distribution,
)
from optuna.trial import TrialState

from search.space.combined import UNPREFIXED
from search.space.conditional import WHEN, carried, conditions, space_json
from search.space.view import CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

SPACE = "space"
"""Study attribute: its space as plain values, where it has conditions or was ever changed."""
OUTSIDE = "outside_space"
"""Study attribute: by trial number, whether it lies outside the space; only of trials that ever did."""


@dataclass(frozen=True)
class Change:
    """How a study's space differs from that of its trials.

    Attributes:
        space: The new space.
        was: The part of the study's question on the space, as it was.
        now: The same, as it is.
        inside: Numbers of the finished trials that lie in the new space and guide the sampler.
        outside: Numbers of those that do not.
        lines: For people: one for each parameter that changed, and what became of the trials.
    """

    space: Mapping[str, BaseDistribution]
    was: str
    now: str
    inside: tuple[int, ...]
    outside: tuple[int, ...]
    lines: tuple[str, ...]

    def note(self, study: Study) -> None:
        """Writes into the ledger what changed; the marks first, so that a kill in between is mended by the next."""
        marks: dict[str, bool] = dict.fromkeys(study.user_attrs.get(OUTSIDE, {}), False)
        marks |= {str(number): True for number in self.outside}
        study.set_user_attr(OUTSIDE, dict(sorted(marks.items(), key=lambda one: int(one[0]))))
        note_space(study, self.space, always=True)
        history = study.user_attrs.get(CHANGES, [])
        count = len(study.get_trials(deepcopy=False))
        study.set_user_attr(CHANGES, [*history, {"from_trial": count, "was": self.was, "now": self.now}])


def note_space(study: Study, space: Mapping[str, BaseDistribution], *, always: bool = False) -> None:
    """Writes a study's space into the ledger where its trials do not tell it: conditions are in no distribution."""
    if always or conditions(space):
        study.set_user_attr(SPACE, _plain(space))


def find_change(study: Study, space: Mapping[str, BaseDistribution], was: str, now: str) -> Change | None:
    """How the space of a study that is there is to be changed; None if it is the same.

    Args:
        study: The study.
        space: The space that is asked for.
        was: The study's question on the space.
        now: The question that is asked.
    """
    if was == now and study.user_attrs.get(SPACE, _plain(space)) == _plain(space):
        return None
    trials = [
        t for t in study.get_trials(deepcopy=False) if t.state in {TrialState.COMPLETE, TrialState.PRUNED}
    ]
    inside = [t.number for t in trials if carried(space, t.params) is not None]
    outside = sorted({t.number for t in trials} - {*inside})
    return Change(
        space=space,
        was=was,
        now=now,
        inside=tuple(inside),
        outside=tuple(outside),
        lines=(*_differences(study, trials, space), _trials_line(len(inside), len(outside))),
    )


def space_fault(name: str, was: str, now: str, *, others: bool) -> str | None:
    """Why the space of a study cannot be changed, if it cannot.

    Args:
        name: The study's.
        was: Its question on the space.
        now: The question that is asked.
        others: Whether other coordinators work on it.
    """
    if was == now:
        return None
    (objective_then, _, space_then), (objective_now, _, space_now) = was.partition(" "), now.partition(" ")
    if objective_then != objective_now and not _takes_in(objective_then, objective_now):
        further = ", or further ones beside it" if _grows(objective_then) else ""
        return (
            f"study {name}: got objective {objective_now!r}, it was begun with {objective_then!r}; allowed: the "
            f"same{further}; do: choose another --study for a new question"
        )
    if others:
        return (
            f"study {name}: got space {space_now}, those who work on it now have {space_then}; allowed: the same "
            "[space] for all; do: give the same, or change it when they have ended"
        )
    return None


def _takes_in(then: str, now: str) -> bool:
    """Whether a study goes on with further objectives."""
    return _grows(then) and {*then.split(",")} < {*now.split(",")}


def _grows(then: str) -> bool:
    """Whether the parameters of a study have the same names when there are further objectives."""
    return "," in then or then == UNPREFIXED


def outside_trials(study: Study) -> frozenset[int]:
    """Numbers of the trials that lie outside the study's space since it was changed."""
    marks: dict[str, bool] = study.user_attrs.get(OUTSIDE, {})
    return frozenset(int(number) for number, is_outside in marks.items() if is_outside)


def _trials_line(inside: int, outside: int) -> str:
    line = f"Space changed: {inside} of {inside + outside} earlier trials lie in it and guide the sampler"
    return f"{line}; {outside} outside are marked, count and stay valid scores" if outside else line


def _differences(
    study: Study, trials: list[FrozenTrial], space: Mapping[str, BaseDistribution]
) -> Iterable[str]:
    noted: dict[str, Any] = study.user_attrs.get(SPACE, {})
    before = _distributions(noted) if noted else _last_distributions(trials)
    conditions_before = noted.get(WHEN, {})
    conditions_now = _plain(space).get(WHEN, {})
    for name in dict.fromkeys([*before, *space]):
        old, new = before.get(name), space.get(name)
        then, now = conditions_before.get(name), conditions_now.get(name)
        if (old, then) != (new, now):
            yield f"Space: {name} was {said(old)}{_condition(then)}, is {said(new)}{_condition(now)}"


def _plain(space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """A space as the ledger gives it back."""
    plain: dict[str, Any] = json.loads(json.dumps(space_json(space)))
    return plain


def _condition(when: Mapping[str, Any] | None) -> str:
    parts = [f"{name} is {' or '.join(map(str, values))}" for name, values in (when or {}).items()]
    return f" when {' and '.join(parts)}" if parts else ""


def _distributions(noted: Mapping[str, Any]) -> dict[str, BaseDistribution]:
    return {name: json_to_distribution(text) for name, text in noted.items() if name != WHEN}


def _last_distributions(trials: list[FrozenTrial]) -> dict[str, BaseDistribution]:
    """Of each parameter, that of the last trial that had it."""
    found: dict[str, BaseDistribution] = {}
    for trial in trials:
        found |= trial.distributions
    return found


def said(distribution: BaseDistribution | None) -> str:
    """A distribution for people."""
    if distribution is None:
        return "not searched"
    if isinstance(distribution, CategoricalDistribution):
        values = " or ".join(map(str, distribution.choices))
        return values if len(distribution.choices) > 1 else f"fixed at {values}"
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    if distribution.single():
        return f"fixed at {distribution.low:g}"
    scale = " (log)" if distribution.log else ""
    return f"{distribution.low:g} to {distribution.high:g}{scale}"
