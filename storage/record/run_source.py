"""Where a study's runs are read from for a comparison: our SQLite file, a server, or nowhere yet.

A SQLite file is read directly, 500 runs at a time; a server page by page.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from storage.record.compare_runs import FoundRun, found_run
from storage.record.study_runs import find_runs_anywhere, of_study

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from storage.record.compare_runs import Curve
    from storage.record.tracking import Tracking

BUSY_SECONDS = 60


class Listed(NamedTuple):
    """A run of a study as a list of them shows it.

    Attributes:
        run_id: Its id.
        kind: The tag `experiment_type`.
        trial: The tag `optuna_trial`.
        is_elsewhere: Whether it is in another experiment than the study's runs should be.
    """

    run_id: str
    kind: str
    trial: str
    is_elsewhere: bool


class RunSource(Protocol):
    """The active runs of one study, in its experiment and in others."""

    def listed(self) -> Sequence[Listed]:
        """Returns all of them, oldest first."""
        ...

    def read(self, run_ids: Sequence[str], curves: Iterable[str] = ()) -> dict[str, FoundRun]:
        """Reads some of them.

        Args:
            run_ids: Those listed.
            curves: Metrics whose whole curve is wanted; a source may give more.
        """
        ...


class NoRuns:
    """The runs where there is no record yet."""

    def listed(self) -> Sequence[Listed]:
        """Returns none."""
        return ()

    def read(self, run_ids: Sequence[str], curves: Iterable[str] = ()) -> dict[str, FoundRun]:  # noqa: ARG002
        """Returns none."""
        return {}


class ServerRuns:
    """The runs on a server, or in any other store that MLflow knows."""

    def __init__(self, tracking: Tracking, experiment_id: str, uid: str) -> None:
        self._tracking = tracking
        runs = find_runs_anywhere(tracking, of_study(uid))
        self._runs = {run.info.run_id: found_run(run) for run in runs}
        self._elsewhere = {run.info.run_id for run in runs if run.info.experiment_id != experiment_id}

    def listed(self) -> Sequence[Listed]:
        """Returns all, oldest first."""
        return [
            Listed(
                run_id,
                run.tags.get("experiment_type", ""),
                run.tags.get("optuna_trial", ""),
                run_id in self._elsewhere,
            )
            for run_id, run in self._runs.items()
        ]

    def read(self, run_ids: Sequence[str], curves: Iterable[str] = ()) -> dict[str, FoundRun]:
        """Returns those, with the curves that were asked for and are there: a request for each."""
        keys = list(curves)
        return {run_id: self._with_curves(self._runs[run_id], keys) for run_id in run_ids}

    def _with_curves(self, run: FoundRun, keys: Sequence[str]) -> FoundRun:
        return run._replace(
            curves={key: self._curve(run.run_id, key) for key in keys if key in run.metrics},
        )

    def _curve(self, run_id: str, key: str) -> Curve:
        points = self._tracking.client.get_metric_history(run_id, key)
        return [(p.step, p.value) for p in sorted(points, key=lambda p: (p.step, p.timestamp))]


class FileRuns:
    """The runs in a SQLite file.

    Args:
        database: The file, with MLflow's tables.
        experiment_id: The study's experiment.
        uid: The study's identity.
    """

    def __init__(self, database: Path, experiment_id: str, uid: str) -> None:
        self._database, self._experiment_id, self._uid = database, experiment_id, uid

    def listed(self) -> Sequence[Listed]:
        """Returns all, oldest first."""
        rows = self._rows(
            "SELECT r.run_uuid, coalesce(k.value, ''), coalesce(t.value, ''),"
            " r.experiment_id != ? FROM tags u"
            " JOIN runs r ON r.run_uuid = u.run_uuid"
            " LEFT JOIN tags k ON k.run_uuid = r.run_uuid AND k.key = 'experiment_type'"
            " LEFT JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'optuna_trial'"
            " WHERE u.key = 'optuna_study_uid' AND u.value = ?"
            " AND r.lifecycle_stage = 'active' ORDER BY r.start_time, r.run_uuid",
            (int(self._experiment_id), self._uid),
        )
        return [Listed(run_id, kind, trial, bool(is_elsewhere)) for run_id, kind, trial, is_elsewhere in rows]

    def read(self, run_ids: Sequence[str], curves: Iterable[str] = ()) -> dict[str, FoundRun]:  # noqa: ARG002
        """Returns those, with all their curves."""
        with closing(open_to_read(self._database)) as connection:
            # All tables as of one moment: a run may be ended just now.
            connection.execute("BEGIN")
            tables = {name: _by_run(connection, name, columns, run_ids) for name, columns in _COLUMNS.items()}
        return {run_id: _found(run_id, tables) for run_id in run_ids if run_id in tables["runs"]}

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with closing(open_to_read(self._database)) as connection:
            return connection.execute(query, values).fetchall()


_NAN = float("nan")
_VALUE = "CASE WHEN is_nan THEN NULL ELSE value END"
_COLUMNS = {
    "runs": "status, start_time, end_time",
    "params": "key, value",
    "tags": "key, value",
    "latest_metrics": f"key, {_VALUE}",
    "metrics": f"key, step, timestamp, {_VALUE}",
}
Rows = dict[str, list[tuple[Any, ...]]]


def open_to_read(database: Path) -> sqlite3.Connection:
    """Opens a SQLite file that exists, to read it."""
    # Not `mode=ro`: such a connection leaves the write-ahead log behind that it needs to read at all.
    return sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)


def _by_run(connection: sqlite3.Connection, table: str, columns: str, run_ids: Sequence[str]) -> Rows:
    groups: Rows = defaultdict(list)
    marks = ",".join("?" * len(run_ids))
    query = f"SELECT run_uuid, {columns} FROM {table} WHERE run_uuid IN ({marks})"  # noqa: S608 - our words
    for run_id, *rest in connection.execute(query, run_ids):
        groups[run_id].append(tuple(rest))
    return groups


def _found(run_id: str, tables: dict[str, Rows]) -> FoundRun:
    ((status, start, end),) = tables["runs"][run_id]
    points: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for key, step, stamp, value in tables["metrics"].get(run_id, ()):
        points[key].append((step, stamp, _NAN if value is None else value))
    latest = tables["latest_metrics"].get(run_id, ())
    return FoundRun(
        run_id,
        status,
        start,
        end,
        dict(tables["params"].get(run_id, ())),
        {key: _NAN if value is None else value for key, value in latest},
        dict(tables["tags"].get(run_id, ())),
        {
            key: [(step, value) for step, _, value in sorted(points[key])]
            for key in {**points, **dict(latest)}
        },
    )
