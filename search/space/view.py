"""A study's trials as a sampler of the present space should see them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import copy
from typing import TYPE_CHECKING, Any, cast

from search.space.conditional import carried

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial, TrialState

CHANGES = "space_changes"
"""Study attribute: how its space was changed under its trials, oldest first."""


class SpaceView:
    """Shows each trial as if it had been drawn from one space, and leaves out those that lie outside.

    A study whose space never changed is shown as it is, at no cost.

    Args:
        space: The space.
    """

    def __init__(self, space: dict[str, BaseDistribution]) -> None:
        self._space = space
        self._view: Study | None = None
        self._shown: dict[int, FrozenTrial | None] = {}
        self._since = 0

    def of(self, study: Study) -> Study:
        """The study to show to a sampler."""
        if self._view is None:
            changes = study.user_attrs.get(CHANGES)
            self._since = changes[-1]["from_trial"] if changes else 0
            self._view = shown_study(study, self.among) if changes else study
        return self._view

    def among(self, trials: Collection[FrozenTrial]) -> list[FrozenTrial]:
        """Those of some trials that lie in the space, as of it."""
        return [shown for trial in trials if (shown := self._as_of_space(trial)) is not None]

    def _as_of_space(self, trial: FrozenTrial) -> FrozenTrial | None:
        if trial.number in self._shown:
            return self._shown[trial.number]
        if not trial.state.is_finished():
            # An earlier one is a dead coordinator's, half drawn from another space, or was queued.
            return trial if trial.number >= self._since else None
        shown = self._shown[trial.number] = self._shifted(trial)
        return shown

    def _shifted(self, trial: FrozenTrial) -> FrozenTrial | None:
        params = carried(self._space, trial.params)
        if params is None:
            return None
        distributions = {name: self._space[name] for name in params}
        if trial.params == params and trial.distributions == distributions:
            return trial
        shown = copy(trial)
        # Both at once: each setter compares with the other.
        shown._params, shown._distributions = params, distributions  # noqa: SLF001
        return shown


Show = Callable[[Collection["FrozenTrial"]], "list[FrozenTrial]"]


def shown_study(study: Study, show: Show) -> Study:
    """The study with other trials for a sampler to see; all else is the study's.

    Args:
        study: The study.
        show: Makes those to be seen of all that there are.
    """
    return cast("Study", _ShownStudy(study, show))


class _ShownStudy:
    def __init__(self, study: Study, show: Show) -> None:
        self._study, self._show = study, show

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    @property
    def trials(self) -> list[FrozenTrial]:
        return self.get_trials()

    def get_trials(
        self, deepcopy: bool = True, states: Collection[TrialState] | None = None
    ) -> list[FrozenTrial]:
        return self._get_trials(deepcopy=deepcopy, states=states)

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Collection[TrialState] | None = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        trials = self._study._get_trials(deepcopy=deepcopy, states=states, use_cache=use_cache)  # noqa: SLF001
        return self._show(trials)
