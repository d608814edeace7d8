"""A trial's parameters drawn from a space: the parents first, and only what its conditions allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.space.conditional import fitted, is_active

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

QUEUED = "fixed_params"
"""System attribute of a trial that was queued with its parameters."""


def draw(trial: Trial, space: Mapping[str, BaseDistribution]) -> Trial:
    """Draws all parameters of a trial that was just asked for, and returns it.

    One that was queued with parameters outside the space, which has changed since, takes the nearest inside.
    """
    _move_inside(trial, space)
    params = dict(trial.params)
    for name, distribution in space.items():
        if is_active(space, name, params):
            params[name] = trial._suggest(name, distribution)  # noqa: SLF001 - as `ask` does
    return trial


def _move_inside(trial: Trial, space: Mapping[str, BaseDistribution]) -> None:
    queued = trial._fixed_params  # noqa: SLF001 - Optuna reads it once, when the trial is made
    if not queued:
        return
    inside = {name: value for name, value in fitted(space, queued).items() if name in queued}
    if inside != queued:
        trial.storage.set_trial_system_attr(trial._trial_id, QUEUED, inside)  # noqa: SLF001
        trial._fixed_params = inside  # noqa: SLF001
