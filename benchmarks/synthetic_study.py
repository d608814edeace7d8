"""A study of any size in a ledger, made in seconds: what benchmarks read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import optuna
    from optuna.storages import BaseStorage

METRIC = "cv_rmse_mean"
PARAMS, METRICS, STEPS, TAGS = 15, 10, 10, 15
"""What each trial has; the study adds its own parameters and tags."""

_START = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_BATCH = 500


def make_study(ledger: BaseStorage, name: str, n_trials: int) -> optuna.Study:
    """Makes a study of complete trials, straight into Optuna's tables: asking for them would take minutes.

    Args:
        ledger: An SQLite ledger of `open_ledger`.
        name: The new study's name.
        n_trials: Its trials.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name=name, storage=ledger)
    # Data that are not there: nothing can be made of it but the record.
    gone = {"train": "gone.csv", "test": "gone.csv", "target": "gone"}
    study.set_user_attr("settings", {"study": name, "experiment": name, **gone})
    study.set_user_attr("question", {"data": "synthetic", "metric": "rmse"})
    study.set_user_attr("run_params", {"seed": 42, "n_features": 30, "n_splits": 5})
    study.set_user_attr("run_tags", {"data_fingerprint": "synthetic", "target": "rent"})
    study.set_user_attr("ended", "FINISHED")
    add_trials(study, 0, n_trials)
    return study


def add_trials(study: optuna.Study, first: int, last: int) -> None:
    """Adds complete trials numbered from `first` to before `last`."""
    from optuna.storages._rdb import models

    backend = study._storage._backend  # type: ignore[attr-defined]  # noqa: SLF001 - no public bulk insert
    for start in range(first, last, _BATCH):
        rows: dict[Any, list[dict[str, Any]]] = {}
        for number in range(start, min(start + _BATCH, last)):
            for model, row in _rows(models, study._study_id, number):  # noqa: SLF001
                rows.setdefault(model, []).append(row)
        with backend.engine.begin() as connection:
            for model, some in rows.items():
                connection.execute(model.__table__.insert(), some)


def _rows(models: Any, study_id: int, number: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    from optuna.distributions import FloatDistribution, distribution_to_json
    from optuna.trial import TrialState

    random, trial_id = Random(number), study_id * 1_000_000 + number  # noqa: S311 - no secret
    begun = _START + timedelta(seconds=2 * number)
    score = random.uniform(10, 20)
    distribution = distribution_to_json(FloatDistribution(0.0, 1.0))
    yield (
        models.TrialModel,
        {
            "trial_id": trial_id,
            "number": number,
            "study_id": study_id,
            "state": TrialState.COMPLETE,
            "datetime_start": begun,
            "datetime_complete": begun + timedelta(seconds=1),
        },
    )
    yield (
        models.TrialValueModel,
        {"trial_id": trial_id, "objective": 0, "value": score, "value_type": "FINITE"},
    )
    for i in range(PARAMS):
        yield (
            models.TrialParamModel,
            {
                "trial_id": trial_id,
                "param_name": f"param_{i:02d}",
                "param_value": random.random(),
                "distribution_json": distribution,
            },
        )
    for step in range(STEPS):
        yield (
            models.TrialIntermediateValueModel,
            {
                "trial_id": trial_id,
                "step": step,
                "intermediate_value": score + 1 / (1 + step),
                "intermediate_value_type": "FINITE",
            },
        )
    attributes: dict[str, Any] = {f"tag_{i:02d}": f"value {i} of {number}" for i in range(TAGS)}
    attributes["metrics"] = {f"cv_rmse_fold_{i}": score + i for i in range(METRICS - 1)}
    for key, value in attributes.items():
        yield (
            models.TrialUserAttributeModel,
            {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)},
        )
