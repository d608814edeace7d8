"""All trials of a study in outline: what a picture of 10,000 of them needs, at 3 kB a trial and not 80."""

from __future__ import annotations

import json
from sys import intern
from typing import TYPE_CHECKING, Any

from storage.ledger_trials import PORTION, detail_rows, local_moment, tables_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from optuna.study import Study
    from optuna.trial import FrozenTrial
    from sqlalchemy import Row


def trial_outlines(study: Study, kept: Collection[str]) -> list[FrozenTrial]:
    """Reads a study's trials, of whatever state, without their parameters and their other attributes.

    Args:
        study: The study, of a single objective; nothing of it stays in Optuna's cache.
        kept: Names of the trials' own attributes that are read.

    Returns:
        The trials by number.
    """
    backend = tables_of(study)
    if backend is None:
        return list(study.get_trials(deepcopy=False))
    found = _portions(backend, study._study_id, kept)  # noqa: SLF001 - nowhere public
    return sorted((trial for portion in found for trial in portion), key=lambda trial: trial.number)


def _portions(backend: Any, study_id: int, kept: Collection[str]) -> Iterator[list[FrozenTrial]]:
    from optuna.storages._rdb import models
    from sqlalchemy import select

    table, last = models.TrialModel.__table__, -1
    while True:
        query = select(table).where(table.c.study_id == study_id, table.c.trial_id > last)
        with backend.engine.connect() as connection:
            trials = connection.execute(query.order_by(table.c.trial_id).limit(PORTION)).all()
            if not trials:
                return
            last = trials[-1].trial_id
            ids = [trial.trial_id for trial in trials]
            values = detail_rows(connection, models.TrialValueModel, "objective", ids)
            reports = detail_rows(connection, models.TrialIntermediateValueModel, "step", ids)
            attributes = detail_rows(connection, models.TrialUserAttributeModel, "key", ids, kept)
        yield [
            _outline(one, values[one.trial_id], reports[one.trial_id], attributes[one.trial_id])
            for one in trials
        ]


def _outline(
    trial: Row[Any], values: list[Row[Any]], reports: list[Row[Any]], attributes: list[Row[Any]]
) -> FrozenTrial:
    from optuna.storages._rdb.models import TrialIntermediateValueModel, TrialValueModel
    from optuna.trial import FrozenTrial

    value = TrialValueModel.stored_repr_to_value
    report = TrialIntermediateValueModel.stored_repr_to_intermediate_value
    return FrozenTrial(
        number=trial.number,
        trial_id=trial.trial_id,
        state=trial.state,
        value=None,
        values=[value(row.value, row.value_type) for row in values] or None,
        datetime_start=local_moment(trial.datetime_start),
        datetime_complete=local_moment(trial.datetime_complete),
        params={},
        distributions={},
        user_attrs={intern(row.key): _with_shared_names(row.value_json) for row in attributes},
        system_attrs={},
        intermediate_values={
            row.step: report(row.intermediate_value, row.intermediate_value_type) for row in reports
        },
    )


def _with_shared_names(text: str) -> Any:
    # Each reading of JSON makes its names anew; the same twenty in 10,000 trials are as much as all their numbers.
    return json.loads(text, object_pairs_hook=lambda pairs: {intern(name): value for name, value in pairs})
