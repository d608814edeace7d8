"""A run that is begun with its trial and ended with it.

The mark `synced` comes with the end. So a run whose process died is like one that was cut short: it is written
anew, as the ledger has it. And so is one that cannot be ended as it was begun.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from storage.record.bulk_runs import can_write_bulk, end_bulk, write_bulk
from storage.record.mlflow_limits import LONGEST_PARAM, legal_keys, text
from storage.record.run_record import SYNCED, RunRecord, create_run, first_tags, log_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.record.tracking import Tracking


class RunningRun(NamedTuple):
    """A run that this process has begun.

    Attributes:
        run_id: Its id.
        begun: What it was begun with.
    """

    run_id: str
    begun: RunRecord


def begin_run(tracking: Tracking, experiment_id: str, record: RunRecord) -> RunningRun:
    """Writes a run in status RUNNING, with the parameters and tags known so far."""
    if can_write_bulk(tracking):
        (run_id,) = write_bulk(tracking, experiment_id, [record])
    else:
        run_id = create_run(tracking, experiment_id, record)
        log_values(tracking, run_id, record, {})
    return RunningRun(run_id, record)


def end_run(tracking: Tracking, running: RunningRun, ended: RunRecord) -> bool:
    """Ends a run that was begun; false if it has to be written anew, because what it has cannot be changed.

    Args:
        tracking: The open record.
        running: The run.
        ended: All it is to have.

    Raises:
        mlflow.exceptions.MlflowException: If the server refuses, such as for a run that was deleted.
    """
    run_id, begun = running
    params, known = _params(ended), _params(begun)
    if not known.items() <= params.items() or (begun.name, begun.start_ms) != (ended.name, ended.start_ms):
        return False
    old = first_tags(begun)
    tags = {key: value for key, value in first_tags(ended).items() if old.get(key) != value}
    rest = replace(ended, params={key: value for key, value in params.items() if key not in known}, tags=tags)
    if can_write_bulk(tracking):
        return end_bulk(tracking, run_id, rest)
    tracking.client.set_terminated(run_id, status=rest.status, end_time=rest.end_ms)
    log_values(tracking, run_id, rest, {**tags, SYNCED: "true"})
    return True


def _params(record: RunRecord) -> Mapping[str, str]:
    return {key: text(value, LONGEST_PARAM) for key, value in legal_keys(record.params).items()}
