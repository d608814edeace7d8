"""A trial between its start and its end: what it reports, why it is to stop, and how the study is told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.loop.tally import NEEDED, RETRY_OF, origin

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from objectives.base import Progress


@dataclass
class RunningTrial:
    """One of a coordinator's own.

    Attributes:
        trial: It.
        last: Its last report.
        pruned: Whether the pruner has stopped it.
        fault: What was wrong with a report; None: nothing.
        is_lost: Closed by another coordinator, which took this one for dead, and queued again: its result is not
            wanted.
        is_late: It would not end in time, and has been told to stop for another one.
    """

    trial: Trial
    last: Progress | None = None
    pruned: bool = False
    fault: str | None = None
    is_lost: bool = False
    is_late: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it is to stop."""
        return self.pruned or self.is_lost or self.is_late or self.fault is not None

    def report(self, progress: Progress) -> None:
        """Passes a report on, and asks the pruner."""
        from optuna.exceptions import UpdateFinishedTrialError

        try:
            self.trial.report(progress.value, progress.step)
        except UpdateFinishedTrialError:
            self.is_lost = True
        except (TypeError, ValueError) as error:
            # An objective of one's own may report anything; the search must outlive it.
            self.fault = f"{type(error).__name__}: a report was refused: {error}"
        else:
            self.last = progress
            self.pruned = self.trial.should_prune()

    def known_to_need(self, study: Study) -> float:
        """Seconds that it takes, if it is one over again that was given up for the time; 0 of any other."""
        before = self.trial.user_attrs.get(RETRY_OF)
        if before is None:
            return 0.0
        return float(study.get_trials(deepcopy=False)[before].user_attrs.get(NEEDED, 0.0))

    def give_up(self, study: Study, seconds: float) -> None:
        """Stops it for the time, and notes what it would take; the default configuration, a study's first, goes on.

        Args:
            study: It is a trial of.
            seconds: That its whole evaluation seems to take at least.
        """
        from optuna.exceptions import UpdateFinishedTrialError

        if not origin(study.get_trials(deepcopy=False), self.trial):
            return
        # Where another coordinator has closed it, it is soon found lost.
        with suppress(UpdateFinishedTrialError):
            self.trial.set_user_attr(NEEDED, seconds)
        self.is_late = True

    def where(self) -> dict[str, float]:
        """The place of its last report, for one that was pruned there."""
        assert self.last is not None
        step, _, fold, iteration = self.last[:4]
        return {"pruned_step": step, "pruned_fold": fold, "pruned_iteration": iteration}


def finish(
    study: Study, trial: Trial, state: str, attributes: dict[str, Any], value: float | None
) -> FrozenTrial:
    """Ends a trial; one that has ended already stays as it is: by an earlier attempt, or another coordinator."""
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    try:
        for name, content in attributes.items():
            trial.set_user_attr(name, content)
        return study.tell(trial, value, state=TrialState[state])
    except (UpdateFinishedTrialError, ValueError):
        frozen = study._storage.get_trial(trial._trial_id)  # noqa: SLF001 - `Study.trials` would copy all
        if not frozen.state.is_finished():
            raise
        return frozen
