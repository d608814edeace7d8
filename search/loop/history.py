"""A study's finished trials, each handed out once: what is counted over all of them costs only the new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


def trials_as_asked(study: Study) -> list[FrozenTrial]:
    """All trials as they were when this thread last asked for one or told one.

    Reading them anew takes milliseconds in a study of some thousands, too many for each report.
    """
    return study._get_trials(deepcopy=False, use_cache=True)  # noqa: SLF001 - samplers read it so too


class NewlyFinished:
    """Goes through a study's trials as they finish, in whatever order that is."""

    def __init__(self) -> None:
        self._settled = 0
        self._ahead: set[int] = set()

    def among(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        """Returns the finished ones that were not returned before.

        Args:
            trials: All trials of the study, by number; another time the same and more.
        """
        new = [
            trial
            for trial in trials[self._settled :]
            if trial.state.is_finished() and trial.number not in self._ahead
        ]
        self._ahead.update(trial.number for trial in new)
        while self._settled in self._ahead:
            self._ahead.remove(self._settled)
            self._settled += 1
        return new
