"""All trials of a study in outline: what a picture of 10,000 of them needs, at 3 kB a trial and not 80."""

from __future__ import annotations

import json
from sys import intern
from typing import TYPE_CHECKING, Any

from storage.ledger_trials import PORTION, detail_rows, frozen, tables_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from optuna.study import Study
    from optuna.trial import FrozenTrial


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
    found = _outlines(backend, study._study_id, kept)  # noqa: SLF001 - nowhere public
    return sorted(found, key=lambda trial: trial.number)


def _outlines(backend: Any, study_id: int, kept: Collection[str]) -> Iterator[FrozenTrial]:
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
            details = {
                "values": detail_rows(connection, models.TrialValueModel, "objective", ids),
                "reports": detail_rows(connection, models.TrialIntermediateValueModel, "step", ids),
                "user_attrs": detail_rows(connection, models.TrialUserAttributeModel, "key", ids, kept),
            }
        for one in trials:
            rows = {name: found[one.trial_id] for name, found in details.items()}
            yield frozen(one, {**rows, "params": [], "system_attrs": []}, _with_shared_names)


def _with_shared_names(text: str) -> Any:
    # Each reading of JSON makes its names anew; the same twenty in 10,000 trials are as much as all their numbers.
    return json.loads(text, object_pairs_hook=lambda pairs: {intern(name): value for name, value in pairs})
