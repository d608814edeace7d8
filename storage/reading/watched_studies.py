"""The studies as a page shows them: numbers, states and scores, each look reading only what is new."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.ledger_trials import local_moment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from optuna.trial import FrozenTrial
    from sqlalchemy import Row, Select

    from storage.reading.read_ledger import ReadLedger

_AT_ONCE = 5_000
_KEPT = 200


class WatchedTrial(NamedTuple):
    """A trial at one look.

    Attributes:
        number: Its number in the study.
        state: `COMPLETE`, `PRUNED`, `FAIL`, `INTERRUPTED` (closed from outside), `RUNNING` or `WAITING`.
        value: Its score, or what a pruned one reported last.
        started: Naive local time.
        ended: Naive local time.
        trial_id: Its id in the database.
    """

    number: int
    state: str
    value: float | None
    started: datetime | None
    ended: datetime | None
    trial_id: int


@dataclass
class WatchedStudy:
    """A study at one look.

    Attributes:
        study_id: Its id in the database.
        name: Its name.
        maximize: Whether more is better; None where it has several objectives.
        attributes: Its user attributes.
        trials: By trial id.
    """

    study_id: int
    name: str
    maximize: bool | None
    attributes: dict[str, Any]
    trials: dict[int, WatchedTrial] = field(default_factory=dict)
    unfinished: set[int] = field(default_factory=set)


class WatchedStudies:
    """All studies of a ledger, read again and again.

    Each look costs as much as there is new, not as much as there is. Usable from any thread.

    Args:
        ledger: Where they are.
    """

    def __init__(self, ledger: ReadLedger) -> None:
        self._backend = ledger._backend  # noqa: SLF001 - Optuna has no way to read part of a trial
        self._known: dict[int, WatchedStudy] = {}
        self._whole: dict[int, FrozenTrial] = {}
        self._lock = threading.Lock()

    def look(self) -> list[WatchedStudy]:
        """Reads what is new; returns the studies, the latest first.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: If the database does not answer.
        """
        with self._lock:
            current: dict[int, WatchedStudy] = {}
            for one in self._backend.get_all_studies():
                study_id = one._study_id  # noqa: SLF001 - what the tables go by
                maximize = one.directions[0].name == "MAXIMIZE" if len(one.directions) == 1 else None
                known = self._known.get(study_id)
                study = WatchedStudy(study_id, one.study_name, maximize, one.user_attrs)
                if known is not None and known.name == one.study_name:
                    study.trials, study.unfinished = known.trials, known.unfinished
                self._read_new(study)
                current[study_id] = study
            self._known = current
            return sorted(current.values(), key=lambda study: -study.study_id)

    def whole(self, trial: WatchedTrial) -> FrozenTrial:
        """Reads all of one trial; a finished one is read once.

        Raises:
            KeyError: If it is gone.
        """
        found = self._whole.get(trial.trial_id)
        if found is None:
            found = self._backend.get_trial(trial.trial_id)
            if found.state.is_finished():
                while len(self._whole) >= _KEPT:
                    self._whole.pop(next(iter(self._whole)), None)
                self._whole[trial.trial_id] = found
        return found

    def _read_new(self, study: WatchedStudy) -> None:
        last = max(study.trials, default=-1)
        waiting = sorted(study.unfinished)
        for ids in [None, *(waiting[i : i + _AT_ONCE] for i in range(0, len(waiting), _AT_ONCE))]:
            with self._backend.engine.connect() as connection:
                rows = connection.execute(_query(study.study_id, last, ids)).all()
            _add(study, rows)


def _query(study_id: int, last: int, ids: list[int] | None) -> Select[Any]:
    from optuna.storages._rdb.models import TrialModel, TrialUserAttributeModel, TrialValueModel
    from sqlalchemy import and_, select

    trial, value, mark = TrialModel.__table__, TrialValueModel.__table__, TrialUserAttributeModel.__table__
    which = trial.c.trial_id > last if ids is None else trial.c.trial_id.in_(ids)
    return (
        select(
            trial.c.trial_id,
            trial.c.number,
            trial.c.state,
            trial.c.datetime_start,
            trial.c.datetime_complete,
            value.c.value,
            value.c.value_type,
            mark.c.value_json,
        )
        .outerjoin(value, and_(value.c.trial_id == trial.c.trial_id, value.c.objective == 0))
        .outerjoin(mark, and_(mark.c.trial_id == trial.c.trial_id, mark.c.key == "interrupted"))
        .where(trial.c.study_id == study_id, which)
    )


def _add(study: WatchedStudy, rows: Iterable[Row[Any]]) -> None:
    from optuna.storages._rdb.models import TrialValueModel

    for row in rows:
        state = row.state.name
        if state == "FAIL" and row.value_json == "true":
            state = "INTERRUPTED"
        value = (
            None
            if row.value_type is None
            else TrialValueModel.stored_repr_to_value(row.value, row.value_type)
        )
        started, ended = local_moment(row.datetime_start), local_moment(row.datetime_complete)
        study.trials[row.trial_id] = WatchedTrial(row.number, state, value, started, ended, row.trial_id)
        (study.unfinished.discard if row.state.is_finished() else study.unfinished.add)(row.trial_id)
