"""A sampler for several objectives: first which of them, then a configuration by its own trials alone."""

from __future__ import annotations

import time
from copy import copy
from typing import TYPE_CHECKING, Any

from optuna.samplers import BaseSampler

from search.loop.in_time import Deadline, no_deadline
from search.loop.sharing import next_objective, spending
from search.space.combined import CHOICE
from search.space.conditional import space_size
from search.space.drawing import QUEUED
from search.space.view import shown_study

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial, TrialState

    from search.space.combined import CombinedObjective

    Promise = Callable[[Sequence[FrozenTrial]], Mapping[str, float]]


def no_promise(trials: Sequence[FrozenTrial]) -> Mapping[str, float]:  # noqa: ARG001 - the form of a promise
    """Nothing is known of what objectives bring: all are alike."""
    return {}


class ObjectiveSampler(BaseSampler):
    """Chooses the objective by what each has had and promises, and its parameters as if it were alone.

    An objective's first trials are its default and the configurations that are good on most data; then its own
    sampler suggests, which is shown that objective's trials and parameters only.

    Args:
        objective: What is searched.
        samplers: One for each objective, by name.
        promise: Says from all trials what share of the time each objective is worth.
        deadline: When the search ends.
    """

    def __init__(
        self,
        objective: CombinedObjective,
        samplers: Mapping[str, BaseSampler],
        promise: Promise = no_promise,
        deadline: Deadline = no_deadline,
    ) -> None:
        self._lanes = {name: _Lane(objective, name, samplers[name]) for name in objective.names}
        self._promise, self._deadline = promise, deadline

    def infer_relative_search_space(
        self,
        study: Study,  # noqa: ARG002 - the base class's form
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """Nothing: the objective comes first."""
        return {}

    def sample_relative(
        self,
        study: Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],  # noqa: ARG002 - the base class's form
    ) -> dict[str, Any]:
        """The objective, and what its sampler suggests."""
        queued = trial.system_attrs.get(QUEUED, {}).get(CHOICE)
        name = queued if queued in self._lanes else self._next(study)
        return {**self._lanes[name].suggest(study, trial), CHOICE: name}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """As the sampler of the objective that has the parameter."""
        lane = next(one for one in self._lanes.values() if param_name in one.space)
        return lane.sampler.sample_independent(lane.view(study), trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """As each of the samplers."""
        for lane in self._lanes.values():
            lane.sampler.before_trial(lane.view(study), trial)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """As each of the samplers."""
        for lane in self._lanes.values():
            lane.sampler.after_trial(lane.view(study), trial, state, values)

    def reseed_rng(self) -> None:
        """As each of the samplers."""
        for lane in self._lanes.values():
            lane.sampler.reseed_rng()

    def _next(self, study: Study) -> str:
        trials = study._get_trials(deepcopy=False, use_cache=True)  # noqa: SLF001 - as samplers do
        left = {
            name: own for name, lane in self._lanes.items() if not lane.is_exhausted(own := lane.of(trials))
        }
        left = left or {name: lane.of(trials) for name, lane in self._lanes.items()}
        spent = {name: spending(own) for name, own in left.items()}
        return next_objective(spent, self._promise(trials), self._deadline() - time.monotonic())


class _Lane:
    """One objective's own sampler, and what it is shown.

    Attributes:
        sampler: It.
        space: Its parameters, without the choice.
    """

    def __init__(self, objective: CombinedObjective, name: str, sampler: BaseSampler) -> None:
        self._name, self.sampler = name, sampler
        self.space = objective.space_of(name)
        self._size = space_size(self.space)
        self._starts = objective.starts_of(name)
        self._shown: dict[int, FrozenTrial] = {}

    def of(self, trials: Collection[FrozenTrial]) -> list[FrozenTrial]:
        """The objective's own among all trials."""
        # One that was just asked for has none yet.
        return [trial for trial in trials if _choice(trial) == self._name]

    def view(self, study: Study) -> Study:
        """The study as if the objective were alone."""
        return shown_study(study, lambda trials: [self._alone(trial) for trial in self.of(trials)])

    def is_exhausted(self, own: list[FrozenTrial]) -> bool:
        """Whether each of its configurations has its trial."""
        if len(own) < self._size:
            return False
        return len({tuple(sorted(configuration(trial).items())) for trial in own}) >= self._size

    def suggest(self, study: Study, trial: FrozenTrial) -> dict[str, Any]:
        """Its next start, or what its sampler suggests."""
        known = [configuration(one) for one in self.of(study._get_trials(deepcopy=False, use_cache=True))]  # noqa: SLF001
        for start in self._starts:
            if start not in known:
                return start
        view = self.view(study)
        space = self.sampler.infer_relative_search_space(view, trial)
        return self.sampler.sample_relative(view, trial, space)

    def _alone(self, trial: FrozenTrial) -> FrozenTrial:
        if trial.number in self._shown:
            return self._shown[trial.number]
        shown = copy(trial)
        # Both at once: each setter compares with the other.
        shown._params = {name: one for name, one in trial.params.items() if name in self.space}  # noqa: SLF001
        shown._distributions = {name: trial.distributions[name] for name in shown._params}  # noqa: SLF001
        if trial.state.is_finished():
            self._shown[trial.number] = shown
        return shown


def _choice(trial: FrozenTrial) -> Any:
    if CHOICE in trial.params:
        return trial.params[CHOICE]
    return trial.system_attrs.get(QUEUED, {}).get(CHOICE)


def configuration(trial: FrozenTrial) -> dict[str, Any]:
    """A trial's parameters, those that it was queued with as well."""
    return {**trial.system_attrs.get(QUEUED, {}), **trial.params}
