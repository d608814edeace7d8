"""The sampler: Optuna's TPE, made affordable on long studies, that suggests nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.samplers import TPESampler

from search.config import MOST_MODELLED_TRIALS, STARTUP_TRIALS
from search.loop.fresh import FreshSampler
from search.loop.in_time import Deadline, Lateness, no_deadline
from search.loop.objective_sampler import ObjectiveSampler

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import Objective
    from search.loop.objective_sampler import Promise
    from search.space.combined import CombinedObjective


class ThinnedTPESampler(TPESampler):
    """TPE whose model of the trials that are not good is built from a bounded number of them.

    TPE compares the density of its few best trials with that of all others, and its cost grows with their
    number: 131 ms a suggestion at 10,000 trials. Evenly thinned, the others have the same density but for
    noise. The best ones are always all there.

    Args:
        n_modelled: Most trials to build a density from.
        **settings: As for `TPESampler`.
    """

    def __init__(self, n_modelled: int = MOST_MODELLED_TRIALS, **settings: Any) -> None:
        super().__init__(**settings)
        self._n_modelled = n_modelled

    def _build_parzen_estimator(
        self,
        study: Study,
        search_space: dict[str, BaseDistribution],
        trials: list[FrozenTrial],
        handle_below: bool,
    ) -> Any:
        return super()._build_parzen_estimator(
            study, search_space, thinned(trials, self._n_modelled), handle_below
        )


def thinned(trials: list[FrozenTrial], most: int) -> list[FrozenTrial]:
    """Every so many-th trial, in order, the first and the last included."""
    if len(trials) <= most:
        return trials
    return [trials[i] for i in np.linspace(0, len(trials) - 1, most).round().astype(int)]


def make_sampler(
    objective: Objective, *, trials: int, seed: int, deadline: Deadline = no_deadline
) -> BaseSampler:
    """The sampler of a study.

    Args:
        objective: What is searched.
        trials: The study's total; a tenth of it is drawn at random first.
        seed: Fixes all draws; to be another for each command that goes on with a study.
        deadline: When the search ends, for what would not be through by then.
    """
    lateness = Lateness(objective, deadline)
    return FreshSampler(_tpe(trials, seed), objective.space(), seed, lateness)


def make_objective_sampler(
    objective: CombinedObjective,
    promise: Promise,
    *,
    trials: int,
    seed: int,
    deadline: Deadline = no_deadline,
) -> BaseSampler:
    """The sampler of a study of several objectives.

    Args:
        objective: What is searched.
        promise: Says from all trials what share of the time each objective is worth.
        trials: The study's total.
        seed: As for one objective.
        deadline: As for one objective.
    """
    each = trials // len(objective.names)
    samplers = {name: _tpe(each, seed + k) for k, name in enumerate(objective.names)}
    shared = ObjectiveSampler(objective, samplers, promise, deadline)
    return FreshSampler(shared, objective.space(), seed, Lateness(objective, deadline))


def _tpe(trials: int, seed: int) -> ThinnedTPESampler:
    n_startup = int(min(max(trials // 10, STARTUP_TRIALS[0]), STARTUP_TRIALS[1]))
    return ThinnedTPESampler(n_startup_trials=n_startup, seed=seed)
