"""What a study amounts to: states counted, best trial, score and spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.loop.study import is_counted

if TYPE_CHECKING:
    from datetime import datetime

    from optuna.study import Study
    from optuna.trial import FrozenTrial


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


def tally(study: Study) -> Tally:
    """Counts a study's trials."""
    trials = study.get_trials(deepcopy=False)
    names = [t.state.name if is_counted(t) or not t.state.is_finished() else "INTERRUPTED" for t in trials]
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
    from optuna.study import StudyDirection
    from optuna.trial import TrialState

    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted(done, key=lambda t: (sign * (t.value if t.value is not None else 0.0), t.number))


def best_trial(study: Study) -> FrozenTrial | None:
    """The best trial that ran to its end."""
    done = complete_trials(study)
    return done[0] if done else None


def trial_std(trial: FrozenTrial) -> float:
    """Standard deviation of a complete trial's fold scores."""
    metrics: dict[str, float] = trial.user_attrs.get("metrics", {})
    return next((value for name, value in metrics.items() if name.endswith("_std")), float("nan"))


def score_text(trial: FrozenTrial) -> str:
    """Mean ± standard deviation over the folds."""
    return f"{trial.value:.4f} ± {trial_std(trial):.4f}"


def seconds_saved(study: Study) -> float:
    """Estimate of what pruning saved: each pruned trial against the mean complete one, in seconds."""
    from optuna.trial import TrialState

    def seconds(state: TrialState) -> list[float]:
        trials = study.get_trials(deepcopy=False, states=(state,))
        return [t.user_attrs.get("metrics", {}).get("seconds", 0.0) for t in trials]

    complete, pruned = seconds(TrialState.COMPLETE), seconds(TrialState.PRUNED)
    if not complete:
        return 0.0
    mean = sum(complete) / len(complete)
    return sum(max(0.0, mean - cost) for cost in pruned)


def last_activity(study: Study) -> datetime | None:
    """When a trial was last begun or ended (naive local time, as Optuna 5 keeps it)."""
    moments = [
        moment
        for t in study.get_trials(deepcopy=False)
        for moment in (t.datetime_start, t.datetime_complete)
        if moment is not None
    ]
    return max(moments, default=None)
