"""What a study amounts to: states counted, best trial, score and spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.score_text import spread_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial


NEEDED = "seconds_needed"
"""Attribute of a trial that was given up for the time: what its whole evaluation seems to take at least."""


@dataclass(frozen=True)
class Tally:
    """Trials by what became of them; an interrupted one is not finished: it is queued again."""

    complete: int
    pruned: int
    failed: int
    interrupted: int
    running: int
    waiting: int

    @property
    def finished(self) -> int:
        """Trials that count towards `--trials`."""
        return self.complete + self.pruned + self.failed

    def __str__(self) -> str:
        """All counts that are not zero by nature, for people."""
        text = (
            f"{self.finished} finished ({self.complete} complete, {self.pruned} pruned, {self.failed} failed)"
        )
        for word in ("interrupted", "running", "waiting"):
            if count := getattr(self, word):
                text += f", {count} {word}"
        return text


def is_counted(trial: FrozenTrial) -> bool:
    """Whether a trial counts towards `--trials`: finished, and not merely interrupted."""
    return trial.state.is_finished() and not is_interrupted(trial)


def is_worked_at(trial: FrozenTrial) -> bool:
    """Whether a trial runs, and has not been given up for the time."""
    return trial.state.name == "RUNNING" and NEEDED not in trial.user_attrs


def is_interrupted(trial: FrozenTrial) -> bool:
    """Whether a trial was closed from outside. One that ended at that very moment has the mark, and counts."""
    return trial.state.name == "FAIL" and bool(trial.user_attrs.get("interrupted", False))


def tally(study: Study) -> Tally:
    """Counts a study's trials."""
    return tally_trials(study.get_trials(deepcopy=False))


def tally_trials(trials: Sequence[FrozenTrial]) -> Tally:
    """Counts these."""
    return tally_of(
        [t.state.name if is_counted(t) or not t.state.is_finished() else "INTERRUPTED" for t in trials]
    )


def tally_of(names: Sequence[str]) -> Tally:
    """Counts trials by the names of their states, Optuna's or INTERRUPTED."""
    return Tally(
        complete=names.count("COMPLETE"),
        pruned=names.count("PRUNED"),
        failed=names.count("FAIL"),
        interrupted=names.count("INTERRUPTED"),
        running=names.count("RUNNING"),
        waiting=names.count("WAITING"),
    )


def complete_trials(study: Study) -> list[FrozenTrial]:
    """Trials that ran to their end, best first; of equals the earlier."""
    from optuna.trial import TrialState

    return sorted(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)), key=ranking_key(study))


def ranking_key(study: Study) -> Callable[[FrozenTrial], tuple[float, int]]:
    """Sorts complete trials: best first, of equals the earlier."""
    from optuna.study import StudyDirection

    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    return lambda trial: (sign * (trial.value if trial.value is not None else 0.0), trial.number)


def best_trial(study: Study) -> FrozenTrial | None:
    """The best trial that ran to its end."""
    done = complete_trials(study)
    return done[0] if done else None


RETRY_OF = "retry_of"
"""Attribute of a trial that is an interrupted one over again: that one's number."""


def origin(trials: Sequence[FrozenTrial], trial: FrozenTrial | Trial) -> int:
    """The number of the trial that this one is over again, as often as it was interrupted; else its own.

    Args:
        trials: The study's, by number.
        trial: One of them.
    """
    while RETRY_OF in trial.user_attrs:
        trial = trials[trial.user_attrs[RETRY_OF]]
    return trial.number


def default_trial(study: Study) -> FrozenTrial | None:
    """The complete trial of the default configuration: the first, or what it is over again."""
    return default_among(study.get_trials(deepcopy=False))


def default_among(trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """That of all trials of a study, by number."""
    found = (one for one in trials if one.state.name == "COMPLETE" and not origin(trials, one))
    return next(found, None)


def trial_std(trial: FrozenTrial) -> float:
    """Standard deviation of a complete trial's fold scores."""
    metrics: dict[str, float] = trial.user_attrs.get("metrics", {})
    return next((value for name, value in metrics.items() if name.endswith("_std")), float("nan"))


def trial_seconds(trial: FrozenTrial) -> float | None:
    """What a trial's evaluation took; None if that was not recorded."""
    seconds: float | None = trial.user_attrs.get("metrics", {}).get("seconds")
    return seconds


def percent_change(score: float | None, default: float | None) -> float | None:
    """By how much a score differs from the default configuration's; None where that is 0 or either is not known."""
    return None if score is None or not default else 100 * (score - default) / abs(default)


def trial_score(trial: FrozenTrial) -> str:
    """Mean ± standard deviation over the folds."""
    return spread_text(trial.value, trial_std(trial))


def last_activity(study: Study) -> datetime | None:
    """When a trial was last begun or ended (naive local time, as Optuna 5 keeps it)."""
    moments = [
        moment
        for t in study.get_trials(deepcopy=False)
        for moment in (t.datetime_start, t.datetime_complete)
        if moment is not None
    ]
    return max(moments, default=None)
