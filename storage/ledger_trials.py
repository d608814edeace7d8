"""Finished trials read from the ledger in portions.

Optuna's own reading takes 1.5 ms and 50 kB a trial, and keeps every trial it has ever read. A comparison of
10,000 trials with their runs needs each of them once.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial
    from sqlalchemy import Connection, Row

PORTION = 500


class Score(NamedTuple):
    """What a trial that ran to its end adds to the curve of the best."""

    number: int
    value: float | None
    datetime_complete: datetime | None


def finished_trials(
    study: Study, portion: int = PORTION, *, afresh: bool = True
) -> Iterator[list[FrozenTrial]]:
    """Yields a study's finished trials, in portions, in the order they were made.

    Args:
        study: The study; only read.
        portion: Most trials at once.
        afresh: Whether to pass by what Optuna has read already in this process.
    """
    from optuna.trial import TrialState

    backend = tables_of(study)
    if backend is not None and afresh:
        yield from stored_trials(backend, study._study_id, portion)  # noqa: SLF001
        return
    states = tuple(state for state in TrialState if state.is_finished())
    trials = study.get_trials(deepcopy=False, states=states)
    for start in range(0, len(trials), portion):
        yield trials[start : start + portion]


def scores(study: Study) -> list[Score]:
    """Returns the scores of all trials of a single objective that ran to their end."""
    from optuna.trial import TrialState

    backend = tables_of(study)
    if backend is not None:
        return _scores_from_tables(backend, study._study_id)  # noqa: SLF001
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return [Score(trial.number, trial.value, trial.datetime_complete) for trial in trials]


def running_numbers(study: Study) -> set[int]:
    """Returns the numbers of the trials that the ledger says are running."""
    from optuna.storages._rdb.models import TrialModel
    from optuna.trial import TrialState
    from sqlalchemy import select

    backend = tables_of(study)
    if backend is None:
        return {trial.number for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))}
    table = TrialModel.__table__
    mine = (table.c.study_id == study._study_id, table.c.state == TrialState.RUNNING)  # noqa: SLF001
    with backend.engine.connect() as connection:
        return set(connection.execute(select(table.c.number).where(*mine)).scalars())


def count_trials(study: Study) -> int:
    """Counts a study's trials, of whatever state, without reading them."""
    from optuna.storages._rdb.models import TrialModel
    from sqlalchemy import func, select

    backend = tables_of(study)
    if backend is None:
        return len(study.get_trials(deepcopy=False))
    table = TrialModel.__table__
    query = select(func.count()).select_from(table).where(table.c.study_id == study._study_id)  # noqa: SLF001
    with backend.engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def find_trial(study: Study, number: int) -> FrozenTrial:
    """Reads one trial.

    Raises:
        KeyError: If there is none of that number.
    """
    storage = study._storage  # noqa: SLF001 - Study has no way but reading all trials
    trial_id = storage.get_trial_id_from_study_id_trial_number(study._study_id, number)  # noqa: SLF001
    return storage.get_trial(trial_id)


def tables_of(study: Study) -> Any:
    """Returns the storage with the tables behind a study; None where it is kept otherwise."""
    from optuna.storages import RDBStorage

    backend = getattr(study._storage, "_backend", study._storage)  # noqa: SLF001 - there is no public way
    return backend if isinstance(backend, RDBStorage) else None


def _scores_from_tables(backend: Any, study_id: int) -> list[Score]:
    from optuna.storages._rdb.models import TrialModel, TrialValueModel
    from optuna.trial import TrialState
    from sqlalchemy import select

    trial, value = TrialModel.__table__, TrialValueModel.__table__
    query = (
        select(trial.c.number, trial.c.datetime_complete, value.c.value, value.c.value_type)
        .join(value, value.c.trial_id == trial.c.trial_id)
        .where(trial.c.study_id == study_id, trial.c.state == TrialState.COMPLETE, value.c.objective == 0)
    )
    with backend.engine.connect() as connection:
        rows = connection.execute(query).all()
    number_of = TrialValueModel.stored_repr_to_value
    return [
        Score(r.number, number_of(r.value, r.value_type), local_moment(r.datetime_complete)) for r in rows
    ]


def trial_ids(backend: Any, study_id: int) -> set[int]:
    """Returns the ids of all trials of a study, of whatever state."""
    from optuna.storages._rdb.models import TrialModel
    from sqlalchemy import select

    table = TrialModel.__table__
    with backend.engine.connect() as connection:
        return set(connection.execute(select(table.c.trial_id).where(table.c.study_id == study_id)).scalars())


def stored_trials(backend: Any, study_id: int, portion: int) -> Iterator[list[FrozenTrial]]:
    """Yields the finished trials of one of Optuna's databases, in portions, by their ids."""
    from optuna.storages._rdb.models import TrialModel
    from optuna.trial import TrialState
    from sqlalchemy import select

    table = TrialModel.__table__
    states = [state for state in TrialState if state.is_finished()]
    last = -1
    while True:
        query = (
            select(table)
            .where(table.c.study_id == study_id, table.c.trial_id > last, table.c.state.in_(states))
            .order_by(table.c.trial_id)
            .limit(portion)
        )
        with backend.engine.connect() as connection:
            trials = connection.execute(query).all()
            if not trials:
                return
            last = trials[-1].trial_id
            found = _with_details(connection, trials)
        yield found


def _with_details(connection: Connection, trials: Sequence[Row[Any]]) -> list[FrozenTrial]:
    from optuna.storages._rdb import models

    ids = [trial.trial_id for trial in trials]
    tables = {
        "params": (models.TrialParamModel, "param_id"),
        "values": (models.TrialValueModel, "objective"),
        "reports": (models.TrialIntermediateValueModel, "trial_intermediate_value_id"),
        "user_attrs": (models.TrialUserAttributeModel, "trial_user_attribute_id"),
        "system_attrs": (models.TrialSystemAttributeModel, "trial_system_attribute_id"),
    }
    details = {name: detail_rows(connection, model, key, ids) for name, (model, key) in tables.items()}
    return [frozen(trial, {name: rows[trial.trial_id] for name, rows in details.items()}) for trial in trials]


def detail_rows(
    connection: Connection, model: Any, key: str, ids: list[int], keys: Collection[str] | None = None
) -> dict[int, list[Row[Any]]]:
    """Reads the rows that one of Optuna's tables has of some trials.

    Args:
        connection: To the database.
        model: The table.
        key: The column that they come in the order of.
        ids: The trials' ids.
        keys: Names of the attributes that are read; None: all.

    Returns:
        The rows by the trial's id.
    """
    from sqlalchemy import select

    table = model.__table__
    query = select(table).where(table.c.trial_id.in_(ids)).order_by(table.c[key])
    if keys is not None:
        query = query.where(table.c.key.in_(keys))
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.trial_id].append(row)
    return found


def frozen(
    trial: Row[Any], details: Mapping[str, list[Row[Any]]], loads: Callable[[str], Any] = json.loads
) -> FrozenTrial:
    """Builds a trial as Optuna does.

    Args:
        trial: Its row.
        details: Its rows of the other tables: params, values, reports, user_attrs, system_attrs.
        loads: Reads an attribute's JSON.
    """
    from optuna.storages._rdb.models import TrialIntermediateValueModel, TrialValueModel
    from optuna.trial import FrozenTrial

    distributions = {row.param_name: _distribution(row.distribution_json) for row in details["params"]}
    value = TrialValueModel.stored_repr_to_value
    report = TrialIntermediateValueModel.stored_repr_to_intermediate_value
    return FrozenTrial(
        number=trial.number,
        trial_id=trial.trial_id,
        state=trial.state,
        value=None,
        values=[value(row.value, row.value_type) for row in details["values"]] or None,
        datetime_start=local_moment(trial.datetime_start),
        datetime_complete=local_moment(trial.datetime_complete),
        params={
            row.param_name: distributions[row.param_name].to_external_repr(row.param_value)
            for row in details["params"]
        },
        distributions=distributions,
        user_attrs={row.key: loads(row.value_json) for row in details["user_attrs"]},
        system_attrs={row.key: json.loads(row.value_json) for row in details["system_attrs"]},
        intermediate_values={
            row.step: report(row.intermediate_value, row.intermediate_value_type)
            for row in details["reports"]
        },
    )


@cache
def _distribution(text: str) -> BaseDistribution:
    from optuna.distributions import json_to_distribution

    return json_to_distribution(text)


def local_moment(moment: datetime | None) -> datetime | None:
    """Returns a moment of Optuna's tables as Optuna's trials have it."""
    # The tables hold naive UTC, a trial naive local time.
    return None if moment is None else moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
