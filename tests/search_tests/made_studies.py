"""Studies that look as search.run left them, made in milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from storage.ledger import open_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

BEGUN = datetime(2026, 5, 1, 12, 0, 0)  # noqa: DTZ001 - as Optuna keeps it
SPACE: dict[str, BaseDistribution] = {
    "rate": FloatDistribution(0.01, 1.0, log=True),
    "leaves": IntDistribution(2, 64),
    "kind": CategoricalDistribution(["a", "b"]),
}


def empty_study(home: Path, name: str = "rents", *, maximize: bool = False, metric: str = "rmse") -> Study:
    """A study of ours without a trial, on a real SQLite file; its data are gone."""
    study = optuna.create_study(
        study_name=name,
        storage=open_ledger(f"sqlite:///{home / 'mlruns' / 'optuna.db'}"),
        direction="maximize" if maximize else "minimize",
    )
    gone = {"train": "gone.csv", "test": "gone.csv", "target": "rent"}
    study.set_user_attr("settings", {"study": name, **gone, "folds": 3, "group": "house"})
    study.set_user_attr("question", {"data": "f1ngerpr1nt", "metric": metric, "split": "group, 3 folds"})
    study.set_user_attr(
        "run_params", {"seed": 7, "n_features": 2, "feature_cols": "area,age", "task": "regression"}
    )
    study.set_user_attr("run_tags", {"target": "rent"})
    study.set_user_attr("uid", "0123456789abcdef")
    return study


def trial(number: int, score: float | None, state: str = "COMPLETE", **params: Any) -> FrozenTrial:
    """A trial that took a second, begun ten seconds after the one before it."""
    params = {"rate": 0.1, "leaves": 8, "kind": "a", **params}
    begun = BEGUN + timedelta(seconds=10 * number)
    folds = (
        {} if score is None else {f"cv_rmse_fold_{k}": score + k - 1 for k in range(3)} | {"cv_rmse_std": 0.8}
    )
    is_over = state in {"COMPLETE", "PRUNED", "FAIL"}
    made = create_trial(
        state=TrialState[state],
        value=score if state == "COMPLETE" else None,
        params=params if state != "WAITING" else {},
        distributions={name: SPACE[name] for name in params if name in SPACE} if state != "WAITING" else {},
        user_attrs={"metrics": {"seconds": 1.0, **folds}, "environment": {"python": "3.11.7"}}
        if is_over
        else {},
        intermediate_values={}
        if score is None
        else {0: score + 2, 1: score + 1} | ({2: score} if state == "COMPLETE" else {}),
    )
    if state != "WAITING":
        made.datetime_start = begun
    made.datetime_complete = begun + timedelta(seconds=1) if is_over else None
    return made


def filled_study(home: Path, **settings: Any) -> Study:
    """Twelve complete trials, of which number 7 is the best, and one each pruned, failed, running and waiting."""
    study = empty_study(home, **settings)
    sign = -1 if settings.get("maximize") else 1
    scores = [20.0, 22.0, 19.0, 19.5, 18.0, 21.0, 18.5, 15.0, 17.0, 16.5, 16.0, 900.0]
    study.add_trials(
        trial(k, sign * score, rate=0.01 + 0.05 * k, leaves=2 + 5 * k, kind="ab"[k % 2])
        for k, score in enumerate(scores)
    )
    study.add_trials(
        [
            trial(12, sign * 25.0, "PRUNED"),
            trial(13, None, "FAIL"),
            trial(14, None, "RUNNING"),
            trial(15, None, "WAITING"),
        ]
    )
    return study
