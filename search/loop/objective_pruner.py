"""A pruner for several objectives: each configuration is compared with others of its objective only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optuna.pruners import BasePruner

from search.loop.pruner import LadderPruner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.space.combined import CombinedObjective


class ObjectivePruner(BasePruner):
    """Prunes as `LadderPruner` does where each objective is alone.

    An objective that is worse than another one may yet bring something to the blend, and steps and costs of
    different objectives say nothing of each other.

    Args:
        objective: What is searched.
        seed: As for one objective.
    """

    def __init__(self, objective: CombinedObjective, *, seed: int) -> None:
        self._objective = objective
        self._pruners = {
            name: LadderPruner(
                work=objective.work,
                tryout_step=objective.tryout_step_of(name),
                is_kin=_kin(objective, name),
                seed=seed,
            )
            for name in objective.names
        }

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether the trial has hardly a chance to end among the best of its objective."""
        pruner = self._pruners.get(self._objective.name_of(trial.params))
        return pruner is not None and pruner.prune(study, trial)


def _kin(objective: CombinedObjective, name: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda params: objective.name_of(params) == name
