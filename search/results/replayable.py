"""The trial that a replay is asked for, if it can be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.faults import InputFaults
from search.loop.tally import is_counted
from search.results.known_studies import our_study

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.config import ReplayConfig
    from storage.layout import Layout


def find_trial(config: ReplayConfig, layout: Layout) -> tuple[Study, FrozenTrial]:
    """Finds a trial that has ended by itself, and its study.

    Raises:
        InputFaults: If there is none.
    """
    study = our_study(layout, config.study, "STUDY")
    trials = study.get_trials(deepcopy=False)
    if config.trial >= len(trials):
        known = f"0 to {len(trials) - 1}" if trials else "none yet"
        raise InputFaults([f"TRIAL: got {config.trial}; allowed: {known}; do: choose one"])
    trial = trials[config.trial]
    if not is_counted(trial):
        raise InputFaults(
            [
                (
                    f"TRIAL: got {config.trial}, {_unfinished(trial)}; allowed: one that is complete, pruned or "
                    f"failed; do: {_instead(trial, trials)}"
                )
            ]
        )
    return study, trial


def _unfinished(trial: FrozenTrial) -> str:
    return "which was interrupted" if trial.state.is_finished() else f"which is {trial.state.name.lower()}"


def _instead(trial: FrozenTrial, trials: list[FrozenTrial]) -> str:
    """Its retry, if there is one."""
    retries = [one.number for one in trials if one.user_attrs.get("retry_of") == trial.number]
    return f"replay its retry, trial {retries[-1]}" if retries else "wait until it has ended"
