"""One trial as people look at it: its score, its folds, its parameters beside the default configuration's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from search.loop.interruption import configuration
from search.loop.tally import RETRY_OF, complete_trials, is_interrupted, origin, trial_seconds, trial_std

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from optuna.study import Study
    from optuna.trial import FrozenTrial

_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
_FOLD = re.compile(r".+_fold_(\d+)")


class Parameter(NamedTuple):
    """One parameter of a trial beside the default configuration's.

    Attributes:
        name: Its name.
        value: The trial's; None: the trial has no such parameter.
        default: The default configuration's; None: that has no such parameter.
    """

    name: str
    value: Any
    default: Any

    @property
    def differs(self) -> bool:
        """Whether the trial has another value than the default configuration."""
        return bool(self.value != self.default)


class Pruning(NamedTuple):
    """Where a trial was stopped.

    Attributes:
        step: Its place on the ladder of folds and rounds.
        fold: The fold that was being fitted, from 0.
        iteration: The round of it.
        value: The score as of then, of the folds so far.
    """

    step: int
    fold: int
    iteration: int
    value: float


@dataclass(frozen=True, repr=False)
class TrialFacts:
    """What is known of a trial.

    Attributes:
        study: Name of its study.
        number: Its number.
        state: `complete`, `pruned`, `failed`, `interrupted`, `running` or `waiting`.
        metric: What the score measures, for people, such as `RMSE`.
        higher_is_better: Whether more of it is better.
        score: Mean over the folds; None if it did not run to its end.
        std: Standard deviation of the fold scores; None likewise.
        fold_scores: One a fold, in order; empty likewise.
        rank: Its place among the complete trials, from 1; None likewise.
        complete: How many complete trials there are.
        params: Its parameters, in the order of the default configuration's.
        default: Number of the trial of the default configuration; None if there is none.
        reports: Scores on the way, by step.
        pruning: Where it was stopped; None if it was not.
        seconds: What the evaluation took; None if that was not recorded.
        begun: When it began, in local time without a zone; None if it is waiting.
        ended: When it ended, likewise; None if it has not.
        reason: Why it failed or was interrupted; None if it did not or nobody knows.
        retry_of: Number of the interrupted trial that it is over again; None if it is none.
        retried_as: Number of the trial that is this one over again; None if there is none.
        environment: Versions, threads and machine that it was evaluated with.
    """

    study: str
    number: int
    state: str
    metric: str
    higher_is_better: bool
    score: float | None
    std: float | None
    fold_scores: tuple[float, ...]
    rank: int | None
    complete: int
    params: tuple[Parameter, ...]
    default: int | None
    reports: dict[int, float]
    pruning: Pruning | None
    seconds: float | None
    begun: datetime | None
    ended: datetime | None
    reason: str | None
    retry_of: int | None
    retried_as: int | None
    environment: dict[str, Any]

    @property
    def is_complete(self) -> bool:
        """Whether it ran to its end, so that it has a score."""
        return self.score is not None

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON has it; moments in ISO form."""
        return {
            **vars(self),
            "params": {one.name: one.value for one in self.params},
            "default_params": {one.name: one.default for one in self.params},
            "pruning": self.pruning and self.pruning._asdict(),
            "begun": self.begun and self.begun.isoformat(),
            "ended": self.ended and self.ended.isoformat(),
        }

    def __repr__(self) -> str:
        from search.facts.trial_lines import facts_lines

        return "\n".join(facts_lines(self))

    def _repr_html_(self) -> str:
        from search.notebook.page import trial_page

        return trial_page(self)


def trial_facts(study: Study, number: int) -> TrialFacts:
    """Gathers what is known of a trial.

    Args:
        study: The study.
        number: The trial's number, which exists.
    """
    trials = study.get_trials(deepcopy=False)
    trial = trials[number]
    first = next((one for one in trials if not origin(trials, one) and configuration(one)), None)
    ranked = [one.number for one in complete_trials(study)]
    is_complete = trial.state.name == "COMPLETE"
    metrics: dict[str, float] = trial.user_attrs.get("metrics", {})
    return TrialFacts(
        study=study.study_name,
        number=number,
        state=state_word(trial),
        metric=metric_label(study),
        higher_is_better=study.direction.name == "MAXIMIZE",
        score=trial.value if is_complete else None,
        std=trial_std(trial) if is_complete else None,
        fold_scores=fold_scores(trial),
        rank=ranked.index(number) + 1 if number in ranked else None,
        complete=len(ranked),
        params=_beside(configuration(trial), configuration(first) if first else {}),
        default=first.number if first else None,
        reports=dict(sorted(trial.intermediate_values.items())),
        pruning=_pruning(trial, metrics),
        seconds=trial_seconds(trial),
        begun=trial.datetime_start,
        ended=trial.datetime_complete,
        reason=trial.user_attrs.get("reason"),
        retry_of=trial.user_attrs.get(RETRY_OF),
        retried_as=next((one.number for one in trials if one.user_attrs.get(RETRY_OF) == number), None),
        environment=trial.user_attrs.get("environment", {}),
    )


def state_word(trial: FrozenTrial) -> str:
    """A trial's state for people."""
    return "interrupted" if is_interrupted(trial) else _STATES.get(trial.state.name, trial.state.name.lower())


def metric_label(study: Study) -> str:
    """What a study's score measures, for people."""
    return str(study.user_attrs.get("question", {}).get("metric", "score")).upper()


def better_text(higher_is_better: bool) -> str:
    """Which way a score is better, in words."""
    return f"{'higher' if higher_is_better else 'lower'} is better"


def fold_scores(trial: FrozenTrial) -> tuple[float, ...]:
    """A complete trial's score on each fold, in order; empty where it has none."""
    metrics: dict[str, float] = trial.user_attrs.get("metrics", {})
    found = {int(match[1]): value for name, value in metrics.items() if (match := _FOLD.fullmatch(name))}
    # A pruned trial has `pruned_fold`, the number of a fold, and no scores.
    return tuple(found[fold] for fold in sorted(found))


def _beside(own: Mapping[str, Any], default: Mapping[str, Any]) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, own.get(name), default.get(name)) for name in {**default, **own})


def _pruning(trial: FrozenTrial, metrics: Mapping[str, float]) -> Pruning | None:
    if trial.state.name != "PRUNED" or trial.last_step is None:
        return None
    return Pruning(
        trial.last_step,
        int(metrics.get("pruned_fold", 0)),
        int(metrics.get("pruned_iteration", 0)),
        trial.intermediate_values[trial.last_step],
    )
