"""No configuration twice and none in vain: what a study has seen, and a sampler that passes over it."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import TrialState

from search.config import REDRAWN
from search.space.conditional import carried, is_active, only_value, space_size
from search.space.drawing import QUEUED
from search.space.view import SpaceView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    Lateness = Callable[[Sequence[FrozenTrial], Mapping[str, Any]], float]

Space = dict[str, "BaseDistribution"]
Key = tuple[float | None, ...]


def searched(space: Space) -> Space:
    """The parameters that have more than one value."""
    return {name: one for name, one in space.items() if not one.single()}


def is_exhausted(study: Study, space: Space) -> bool:
    """Whether each configuration has its trial, and none is queued."""
    size = space_size(space)
    if math.isinf(size):
        return False
    trials = study.get_trials(deepcopy=False)
    # A retry makes more trials than configurations.
    if size > len(trials) or any(trial.state == TrialState.WAITING for trial in trials):
        return False
    seen = SeenConfigurations(space)
    seen.look(trials)
    return len(seen) >= size


class SeenConfigurations:
    """The configurations of a study's trials, whatever became of them: queued, running or ended.

    One that was drawn from another space counts where it lies in this one.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._searched = searched(space)
        self._keys: set[Key] = set()
        self._settled = 0
        self._ahead: set[int] = set()

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, params: Mapping[str, Any]) -> bool:
        return self._key(params) in self._keys

    def look(self, trials: Sequence[FrozenTrial]) -> None:
        """Takes in what is new among all trials; those seen before cost nothing again."""
        all_known = True
        for trial in trials[self._settled :]:
            is_known = trial.number in self._ahead or self._take(trial)
            all_known = all_known and is_known
            if all_known:
                self._settled += 1
                self._ahead.discard(trial.number)
            elif is_known:
                self._ahead.add(trial.number)

    def _take(self, trial: FrozenTrial) -> bool:
        """Takes a trial's configuration in; false for one that has not got it all yet."""
        params = carried(self._space, {**trial.system_attrs.get(QUEUED, {}), **trial.params})
        key = None if params is None else self._key(params)
        if key is not None:
            self._keys.add(key)
        return key is not None or trial.state.is_finished()

    def _key(self, params: Mapping[str, Any]) -> Key | None:
        """The parameters as the ledger keeps them; None for a trial that has not got them all yet."""
        if any(name not in params and is_active(self._space, name, params) for name in self._searched):
            return None
        return tuple(
            space.to_internal_repr(params[name]) if name in params else None
            for name, space in self._searched.items()
        )


class FreshSampler(BaseSampler):
    """Suggests what another sampler does, unless the study has had it: then a random new configuration.

    So a duplicate never becomes a trial, and nobody has to discard one. Nor does one that would not be through
    before the search's end while others would: it would be closed for nothing. A trial that was queued with its
    parameters, as a retry is, takes those. Where nothing new is left, the suggestion stays as it is.

    Args:
        sampler: Suggests first.
        space: All parameters, the same for each trial.
        seed: Fixes the random configurations.
        lateness: Seconds by which a configuration would end too late, from all trials and its parameters.
    """

    def __init__(
        self, sampler: BaseSampler, space: Space, seed: int, lateness: Lateness | None = None
    ) -> None:
        self._sampler = sampler
        self._space = space
        self._random = RandomSampler(seed)
        self._seen = SeenConfigurations(space)
        self._size = space_size(space)
        self._view = SpaceView(space)
        self._lateness = lateness

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> Space:  # noqa: ARG002
        """The whole space: a configuration can be judged only as a whole."""
        return searched(self._space)

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: Space) -> dict[str, Any]:
        """A whole configuration."""
        suggested = partial(self._suggested, self._view.of(study), trial, search_space)
        random = partial(self._at_random, study, trial, search_space)
        params = suggested()
        # As samplers do: the list that was read for this very trial, which takes milliseconds to read again.
        trials = study._get_trials(deepcopy=False, use_cache=True)  # noqa: SLF001
        self._seen.look(trials)
        if QUEUED in trial.system_attrs or len(self._seen) >= self._size:
            return params
        others = (self._new(random() if k % 2 else suggested(), random) for k in range(REDRAWN))
        return self._in_time(self._new(params, random), others, trials)

    def _suggested(self, view: Study, trial: FrozenTrial, space: Space) -> dict[str, Any]:
        together = self._sampler.infer_relative_search_space(view, trial)
        params = self._sampler.sample_relative(view, trial, together)
        return self._whole(params, _drawn_by(self._sampler, view, trial, space))

    def _at_random(self, study: Study, trial: FrozenTrial, space: Space) -> dict[str, Any]:
        return self._whole({}, _drawn_by(self._random, study, trial, space))

    def _new(self, params: dict[str, Any], random: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        while params in self._seen:
            params = random()
        return params

    def _in_time(
        self, params: dict[str, Any], others: Iterable[dict[str, Any]], trials: Sequence[FrozenTrial]
    ) -> dict[str, Any]:
        """The first that is in time; of those that all are late, the one that is so by the least."""
        if self._lateness is None:
            return params
        least = self._lateness(trials, params)
        for other in others if least > 0 else ():
            late = self._lateness(trials, other)
            if late < least:
                params, least = other, late
            if least <= 0:
                break
        return params

    def _whole(self, params: dict[str, Any], draw: Callable[[str], Any]) -> dict[str, Any]:
        """The parameters of a configuration and no others, those drawn that are missing."""
        found: dict[str, Any] = {}
        for name, distribution in self._space.items():
            if not is_active(self._space, name, found):
                continue
            if distribution.single():
                found[name] = only_value(distribution)
            else:
                found[name] = params[name] if name in params else draw(name)
        return found

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """As the other sampler: only for a parameter outside the space."""
        return self._sampler.sample_independent(self._view.of(study), trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """As the other sampler."""
        self._sampler.before_trial(study, trial)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """As the other sampler."""
        self._sampler.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """As the other sampler."""
        self._sampler.reseed_rng()
        self._random.reseed_rng()


def _drawn_by(sampler: BaseSampler, study: Study, trial: FrozenTrial, space: Space) -> Callable[[str], Any]:
    """What gives a parameter by its name, one at a time."""
    return lambda name: sampler.sample_independent(study, trial, name, space[name])
