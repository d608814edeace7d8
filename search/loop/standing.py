"""Where a search stands, kept up to date at the cost of what is new: asked for after each trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from search.loop.history import NewlyFinished, trials_as_asked
from search.loop.tally import is_counted, ranking_key

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


@dataclass
class Standing:
    """Counts and best trial of a study, as of the last trial that this thread asked for or told.

    Attributes:
        study: The study.
        complete: Trials that ran to their end.
        pruned: Trials that were stopped.
        failed: Trials that failed, interrupted ones not among them.
        best: The best complete one, of equals the earlier.
        convergence: The best score as of each finished trial, from the first complete one on.
    """

    study: Study
    complete: int = 0
    pruned: int = 0
    failed: int = 0
    best: FrozenTrial | None = None
    convergence: list[float] = field(default_factory=list)
    _new: NewlyFinished = field(default_factory=NewlyFinished)

    @property
    def finished(self) -> int:
        """Trials that count towards `--trials`."""
        return self.complete + self.pruned + self.failed

    def look(self) -> None:
        """Takes in what has finished since the last look."""
        key = ranking_key(self.study)
        for trial in filter(is_counted, self._new.among(trials_as_asked(self.study))):
            state = trial.state.name
            self.complete += state == "COMPLETE"
            self.pruned += state == "PRUNED"
            self.failed += state == "FAIL"
            if state == "COMPLETE" and (self.best is None or key(trial) < key(self.best)):
                self.best = trial
            if self.best is not None and self.best.value is not None:
                self.convergence.append(self.best.value)
