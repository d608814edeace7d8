"""The Optuna study: create or resume it, and never mix two questions in one."""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING, Any

from search.config import PORTFOLIO_SHARE
from search.loop.in_time import Deadline, no_deadline
from search.loop.interruption import ORPHANED, interrupt, running_trials
from search.space.change import find_change, note_space, space_fault

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage
    from optuna.study import Study

    from objectives.base import Objective
    from search.loop.objective_sampler import Promise

ASKED = "asked_trials"
"""Attribute of a study: how many finished trials the latest search of it shall come to."""


def study_faults(
    ledger: BaseStorage, name: str, question: dict[str, Any], *, others: bool = False
) -> list[str]:
    """One line for each part of the question that differs from the study already under the name.

    Another space is no fault where the study can go on with it; see `search.space.change`.

    Args:
        ledger: Where the study is.
        name: Its name.
        question: What is asked now.
        others: Whether other coordinators work on it.
    """
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
    faults = [
        f"study {name}: got {part} {question.get(part)!r}, it was begun with {asked.get(part)!r}; allowed: the same; "
        "do: choose another --study for a new question"
        for part in {**asked, **question}
        if part != "space" and asked.get(part) != question.get(part)
    ]
    fault = space_fault(name, str(asked.get("space")), str(question["space"]), others=others)
    return [*faults, fault] if fault else faults


def open_study(
    ledger: BaseStorage,
    name: str,
    objective: Objective,
    *,
    maximize: bool,
    trials: int,
    seed: int,
    token: int = 0,
    promise: Promise | None = None,
    deadline: Deadline = no_deadline,
) -> Study:
    """Creates the study with the default configuration as its first trial and some good ones next, or resumes it.

    Args:
        ledger: Where it is.
        name: Its name.
        objective: What is searched.
        maximize: Whether more is better.
        trials: How many there shall be, for the length of the random start.
        seed: Fixes the sampler.
        token: The coordinator's number where there may be several; the caller keeps the others waiting.
        promise: Where there are several objectives, says what share of the time each is worth; None: all the same.
        deadline: When the search ends, for what would not be through by then.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=name,
        storage=ledger,
        direction="maximize" if maximize else "minimize",
        load_if_exists=True,
        pruner=_pruner(objective, seed),
    )
    if study.user_attrs.get(ASKED) != trials:
        study.set_user_attr(ASKED, trials)
    known = len(study.get_trials(deepcopy=False))
    # The sampler is not stored with a study.
    seed = _sampler_seed(seed, known, token)
    study.sampler = _sampler(objective, promise, trials, seed, deadline)
    if not known:
        first = [objective.default_params(), *objective.portfolio()[: trials // PORTFOLIO_SHARE]]
        for params in first:
            study.enqueue_trial(params, skip_if_exists=True)
    # Whoever ran these held the study's lock, where there is only one coordinator, and is dead.
    interrupt(study, [] if token else running_trials(study), ORPHANED)
    return study


def _pruner(objective: Objective, seed: int) -> BasePruner:
    from search.loop.objective_pruner import ObjectivePruner
    from search.loop.pruner import LadderPruner
    from search.space.combined import CombinedObjective

    if isinstance(objective, CombinedObjective):
        return ObjectivePruner(objective, seed=seed)
    return LadderPruner(work=objective.work, tryout_step=objective.tryout_step(), seed=seed)


def _sampler(
    objective: Objective, promise: Promise | None, trials: int, seed: int, deadline: Deadline
) -> BaseSampler:
    from search.loop.objective_sampler import no_promise
    from search.loop.sampler import make_objective_sampler, make_sampler
    from search.space.combined import CombinedObjective

    if isinstance(objective, CombinedObjective):
        return make_objective_sampler(
            objective, promise or no_promise, trials=trials, seed=seed, deadline=deadline
        )
    return make_sampler(objective, trials=trials, seed=seed, deadline=deadline)


def _sampler_seed(seed: int, known: int, token: int) -> int:
    """Another one for each resumption and coordinator, or they would draw the same numbers again."""
    if not token:
        return seed + known
    text = f"{seed} {known} {token}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest())


def name_metric(study: Study, name: str) -> None:
    """Has dashboards call the trials' values by the metric's name, unless they have one."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        if study.metric_names is None:
            study.set_metric_names([name])


def change_space(study: Study, objective: Objective, question: dict[str, Any]) -> tuple[str, ...]:
    """Carries a study's trials over to another space, if it is another; to be called while nobody else is at it.

    Returns:
        Lines for people: what changed, and what became of the trials.
    """
    asked = study.user_attrs.get("question")
    if asked is None:
        note_space(study, objective.space())
        return ()
    change = find_change(study, objective.space(), str(asked["space"]), str(question["space"]))
    if change is None:
        return ()
    change.note(study)
    return change.lines
