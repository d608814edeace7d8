"""Trials closed from outside, and their configurations queued again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.loop.tally import RETRY_OF, is_interrupted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optuna.study import Study
    from optuna.trial import FrozenTrial

ORPHANED = "its process ended without closing it"


def interrupt(study: Study, trials: Iterable[FrozenTrial], reason: str) -> list[FrozenTrial]:
    """Closes running trials as FAIL (interrupted) and queues their configurations again.

    To be called where no other coordinator does the same. Leaves alone those that have ended: a trial may end
    between its reading and its closing.

    Returns:
        Those closed, as they are now.
    """
    closed = [frozen for trial in trials if (frozen := _close(study, trial, reason)) is not None]
    queue_again(study)
    return closed


def queue_again(study: Study) -> None:
    """Queues the configuration of each interrupted trial that waits for that still.

    Also of those whose coordinator died between closing and queueing, or no trial would be the default one.
    """
    trials = study.get_trials(deepcopy=False)
    queued = {trial.user_attrs.get(RETRY_OF) for trial in trials}
    for trial in trials:
        if is_interrupted(trial) and trial.number not in queued:
            _queue(study, trial)


def _close(study: Study, trial: FrozenTrial, reason: str) -> FrozenTrial | None:
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    storage, key = study._storage, trial._trial_id  # noqa: SLF001 - another process's trial has no live handle
    try:
        storage.set_trial_user_attr(key, "interrupted", True)
        storage.set_trial_user_attr(key, "reason", reason)
        storage.set_trial_state_values(key, TrialState.FAIL)
    except UpdateFinishedTrialError:
        return None
    return storage.get_trial(key)


def _queue(study: Study, trial: FrozenTrial) -> None:
    params = configuration(trial)
    if params:
        study.enqueue_trial(params, user_attrs={RETRY_OF: trial.number})


def configuration(trial: FrozenTrial) -> dict[str, Any]:
    """What a trial evaluates; of one that was stopped while it was asked for, what is known of that."""
    # A queued configuration is in `fixed_params` until it is suggested, parameter by parameter.
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


def running_trials(study: Study) -> list[FrozenTrial]:
    """All that run, whosever they are."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
