from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from storage.record.bulk_runs import TABLES, can_write_bulk, write_bulk
from storage.record.run_record import HistoryPoint, RunRecord, write_run
from storage.record.running_runs import begin_run, end_run
from storage.record.tracking import ensure_experiment, open_tracking

if TYPE_CHECKING:
    from pathlib import Path

    from storage.layout import Layout

RECORDS = [
    RunRecord(
        name="trial_00012",
        status="KILLED",
        start_ms=1_700_000_000_000,
        end_ms=1_700_000_060_000,
        params={"rate": 0.1, "layers": [1, 2], "駅 徒歩": "5分", "odd(name)": None, "long": "x" * 7_000},
        metrics={"cv_rmse_std": 0.5, "nan": math.nan, "inf": math.inf, "minus": -math.inf, "whole": 3},
        history=[
            HistoryPoint("cv_rmse_running", 20, 1.5, 1_700_000_060_000),
            HistoryPoint("cv_rmse_running", 10, 2.5, 1_700_000_060_000),
            HistoryPoint("cv_rmse_running", 20, 1.25, 1_700_000_060_000),
            HistoryPoint("cv_rmse_running", 20, 1.25, 1_700_000_060_000),
        ],
        tags={
            "status": "pruned",
            "note": "ümlaut",
            "mlflow.runName": "other",
            "long": "y" * 9_000,
            "bad[": "z",
        },
    ),
    RunRecord(name="bare", start_ms=1, end_ms=2),
    RunRecord(
        name="wide" * 100,
        start_ms=1,
        end_ms=2,
        params={f"p{i}": i for i in range(150)},
        history=[HistoryPoint("curve", i, float(-i), 2) for i in range(1_000)],
    ),
]


def _rows(database: Path, run_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that has to do with a run, the run's own id replaced."""
    with closing(sqlite3.connect(database)) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        found = {}
        for name in names:
            columns = [column for _, column, *_ in connection.execute(f"PRAGMA table_info({name})")]
            where = " OR ".join(f"instr(CAST({column} AS TEXT), '{run_id}')" for column in columns)
            rows = connection.execute(f"SELECT * FROM {name} WHERE {where}").fetchall()  # noqa: S608
            found[name] = sorted(
                (
                    tuple(value.replace(run_id, "ID") if isinstance(value, str) else value for value in row)
                    for row in rows
                ),
                key=repr,
            )
    return found


def test_a_run_in_bulk_is_the_clients_run(layout: Layout) -> None:
    """Row by row, in every table of MLflow's, both ways of writing leave the same behind."""
    tracking = open_tracking(layout)
    experiment = ensure_experiment(tracking, "rents")
    by_client = [write_run(tracking, experiment, record) for record in RECORDS]
    in_bulk = write_bulk(tracking, experiment, RECORDS)

    for one, other in zip(by_client, in_bulk, strict=True):
        expected = _rows(layout.mlflow_db, one)
        assert _rows(layout.mlflow_db, other) == expected
        assert {name for name, rows in expected.items() if rows} <= TABLES.keys()


def test_a_run_begun_and_ended_in_bulk_is_the_clients(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row by row, begun and ended by both ways, a run is the same as one written in one go."""
    tracking = open_tracking(layout)
    experiment = ensure_experiment(tracking, "rents")
    for record in RECORDS:
        begun = replace(
            record,
            status="RUNNING",
            end_ms=None,
            params=dict(list(record.params.items())[:2]),
            metrics={},
            history=(),
            tags={"status": "running"},
        )
        ended = replace(record, tags={"status": "completed", **record.tags})
        in_bulk = begin_run(tracking, experiment, begun)
        with monkeypatch.context() as other:
            other.setattr("storage.record.running_runs.can_write_bulk", lambda _: False)
            by_client = begin_run(tracking, experiment, begun)
            expected = _rows(layout.mlflow_db, by_client.run_id)
            assert end_run(tracking, by_client, ended)
        assert _rows(layout.mlflow_db, in_bulk.run_id) == expected

        assert end_run(tracking, in_bulk, ended)
        whole = _rows(layout.mlflow_db, write_run(tracking, experiment, ended))
        assert _rows(layout.mlflow_db, in_bulk.run_id) == whole
        assert _rows(layout.mlflow_db, by_client.run_id) == whole


def test_the_tables_are_those_we_know(layout: Layout) -> None:
    """Where MLflow has changed its tables, this fails, and the client is used."""
    assert can_write_bulk(open_tracking(layout))


def test_only_our_own_record_is_written_in_bulk(
    layout: Layout, tmp_path: Path, mlflow_template: Path
) -> None:
    """Another database, or a server, is left to its client."""
    other = tmp_path / "own.db"
    other.write_bytes(mlflow_template.read_bytes())

    assert not can_write_bulk(open_tracking(layout, f"sqlite:///{other}"))
    assert not can_write_bulk(open_tracking(layout, "http://127.0.0.1:9"))


def test_a_portion_is_written_whole_or_not_at_all(layout: Layout) -> None:
    """What fails in the middle leaves nothing behind."""
    tracking = open_tracking(layout)
    experiment = ensure_experiment(tracking, "rents")
    impossible = RunRecord(name="bad", status="NO SUCH STATUS", start_ms=1, end_ms=2)
    with pytest.raises(Exception, match="CHECK constraint"):
        write_bulk(tracking, experiment, [RECORDS[0], impossible])

    with closing(sqlite3.connect(layout.mlflow_db)) as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES]  # noqa: S608
    assert counts == [0] * len(TABLES)


def test_a_deleted_experiment_takes_no_runs(layout: Layout) -> None:
    """As by the client: nothing is written where nobody would see it."""
    tracking = open_tracking(layout)
    experiment = ensure_experiment(tracking, "rents")
    tracking.client.delete_experiment(experiment)

    with pytest.raises(ValueError, match="is deleted"):
        write_bulk(tracking, experiment, RECORDS)
