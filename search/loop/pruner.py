"""Stops configurations that are behind at the same point of the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from optuna.pruners import BasePruner
from optuna.study import StudyDirection
from optuna.trial import TrialState

from search.config import PRUNER_STARTUP_TRIALS, PRUNER_WARMUP_STEPS

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


class LadderPruner(BasePruner):
    """Prunes a trial that is worse than the median of all finished trials at the same step.

    A step is the same fold and the same learning_rate x rounds for every trial, so curves are compared
    like with like. The median is over complete and pruned trials alike: over complete ones only it would
    rise with every pruning until almost nothing passed.

    Args:
        n_startup_trials: Complete trials before the first pruning.
        n_warmup_steps: Steps of the first fold that are too early to judge by.
    """

    def __init__(
        self, n_startup_trials: int = PRUNER_STARTUP_TRIALS, n_warmup_steps: int = PRUNER_WARMUP_STEPS
    ) -> None:
        self._n_startup_trials = n_startup_trials
        self._n_warmup_steps = n_warmup_steps

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether the trial's last report is behind."""
        step = trial.last_step
        if step is None or step < self._n_warmup_steps:
            return False
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        complete = sum(other.state == TrialState.COMPLETE for other in finished)
        values = [other.intermediate_values[step] for other in finished if step in other.intermediate_values]
        if complete < self._n_startup_trials or not values:
            return False
        mine, median = trial.intermediate_values[step], float(np.nanmedian(values))
        return bool(mine < median if study.direction == StudyDirection.MAXIMIZE else mine > median)
