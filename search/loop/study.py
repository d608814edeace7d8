"""The Optuna study: create or resume it, and never mix two questions in one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from search.config import STARTUP_TRIALS

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import Objective


def space_fingerprint(space: dict[str, BaseDistribution]) -> str:
    """Short hash of a search space."""
    from optuna.distributions import distribution_to_json

    text = json.dumps({name: distribution_to_json(space[name]) for name in sorted(space)})
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def study_faults(ledger: BaseStorage, name: str, question: dict[str, Any]) -> list[str]:
    """One line for each part of the question that differs from the study already under the name."""
    import optuna
    from optuna.trial import TrialState

    try:
        study = optuna.load_study(study_name=name, storage=ledger)
    except KeyError:
        return []
    asked = study.user_attrs.get("question")
    if asked is None and not any(t.state != TrialState.WAITING for t in study.get_trials(deepcopy=False)):
        # Ours, killed while it was being made; or empty, and so anybody's.
        return []
    if asked is None:
        return [f"--study: got {name!r}, made by another program; allowed: a new name; do: choose another"]
    return [
        f"study {name}: got {part} {value!r}, it was begun with {asked.get(part)!r}; allowed: the same; "
        "do: choose another --study for a new question"
        for part, value in question.items()
        if asked.get(part) != value
    ]


def open_study(
    ledger: BaseStorage, name: str, objective: Objective, *, maximize: bool, trials: int, seed: int
) -> Study:
    """Creates the study with the default configuration as its first trial, or resumes it.

    Trials that a dead coordinator left running are closed as interrupted and queued again; the caller
    holds the study's lock, so no live one can own them.
    """
    import optuna

    from search.loop.pruner import LadderPruner

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=name,
        storage=ledger,
        direction="maximize" if maximize else "minimize",
        load_if_exists=True,
        pruner=LadderPruner(),
    )
    known = study.get_trials(deepcopy=False)
    # The sampler is not stored with a study: a resumed one must not draw the first trials' numbers again.
    study.sampler = optuna.samplers.TPESampler(
        n_startup_trials=int(min(max(trials // 10, STARTUP_TRIALS[0]), STARTUP_TRIALS[1])),
        seed=seed + len(known),
    )
    if not known:
        study.enqueue_trial(objective.default_params())
    for trial in known:
        if trial.state == optuna.trial.TrialState.RUNNING:
            interrupt(study, trial, "its process ended without closing it")
    return study


def interrupt(study: Study, trial: FrozenTrial, reason: str) -> None:
    """Closes a running trial as FAIL (interrupted) and queues its configuration again.

    Does nothing to one that has ended: a signal may have come between its end and our knowing of it.
    """
    import optuna

    storage = study._storage  # noqa: SLF001 - a trial of a dead process has no live handle
    if storage.get_trial(trial._trial_id).state.is_finished():  # noqa: SLF001
        return
    storage.set_trial_user_attr(trial._trial_id, "interrupted", True)  # noqa: SLF001
    storage.set_trial_user_attr(trial._trial_id, "reason", reason)  # noqa: SLF001
    study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    # A queued configuration is in `fixed_params` until it is suggested, parameter by parameter.
    params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    if params:
        study.enqueue_trial(params, user_attrs={"retry_of": trial.number})


def is_counted(trial: FrozenTrial) -> bool:
    """Whether a trial counts towards `--trials`: finished, and not merely interrupted."""
    return trial.state.is_finished() and not trial.user_attrs.get("interrupted", False)
