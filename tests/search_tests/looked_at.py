"""Studies to look at, made without a search: trials of each kind with the figures that a test needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from storage.layout import Layout
from storage.ledger import open_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.study import Study

DEFAULT = {"learning_rate": 0.1, "num_leaves": 31}
_SPACE = {"learning_rate": FloatDistribution(0.01, 0.3), "num_leaves": IntDistribution(2, 255)}


def complete(folds: Sequence[float], seconds: float = 2.0, **params: Any) -> FrozenTrial:
    """A trial that ran to its end, with these fold scores."""
    scores = {f"cv_rmse_fold_{k}": score for k, score in enumerate(folds)}
    metrics = {"seconds": seconds, "cv_rmse_std": float(np.std(folds)), **scores}
    return _trial("COMPLETE", params, value=float(np.mean(folds)), user_attrs={"metrics": metrics})


def pruned(**params: Any) -> FrozenTrial:
    """A trial that was stopped in its second fold."""
    metrics = {"seconds": 0.5, "pruned_step": 3, "pruned_fold": 1, "pruned_iteration": 40}
    reports = {0: 9.0, 1: 8.0, 3: 7.5}
    return _trial("PRUNED", params, intermediate_values=reports, user_attrs={"metrics": metrics})


def failed(reason: str, **attributes: Any) -> FrozenTrial:
    """A trial that failed or was interrupted."""
    return _trial("FAIL", {}, user_attrs={"reason": reason, **attributes})


def new_study(
    name: str,
    *trials: FrozenTrial,
    direction: str = "minimize",
    repeats: int = 1,
    layout: Layout | None = None,
) -> Study:
    """A study that `search.run` might have made, in the ledger of the current folder."""
    layout = layout or Layout()
    layout.create()
    study = optuna.create_study(study_name=name, storage=open_ledger(layout.ledger_url), direction=direction)
    study.set_user_attr("settings", {"repeats": repeats, "train": "train.csv", "objective": ["lightgbm"]})
    study.set_user_attr("question", {"metric": "rmse", "data": "f00d", "split": "kfold, 5 folds, seed 42"})
    study.set_user_attr("run_tags", {"target": "rent"})
    study.add_trials(trials)
    return study


def _trial(state: str, params: dict[str, Any], **what: Any) -> FrozenTrial:
    known = {**DEFAULT, **params}
    return create_trial(state=TrialState[state], params=known, distributions=_SPACE, **what)
