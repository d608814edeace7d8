"""What a run should hold, what it does hold, and where the two differ: no database in sight."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from storage.record.mlflow_limits import LONGEST_PARAM, clean_tags, legal_keys, stored, text
from storage.record.run_record import SYNCED, metric_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlflow.entities import Run

    from storage.record.run_record import RunRecord

Curve = list[tuple[int, float]]

OUR_STATUSES = frozenset({"completed", "pruned", "failed", "interrupted", "running"})
USERS_TAGS = frozenset({"status", "note", "stopped_by"})
"""Ours at first, and the user's or a promotion's to change."""
DESCRIPTION = "mlflow.note.content"
HALF_WRITTEN = "half written"
"""What is wrong with a run that was cut short, or whose trial runs."""
_SHOWN = 60


class FoundRun(NamedTuple):
    """A run as the record has it.

    Attributes:
        run_id: Its id.
        status: RUNNING, FINISHED, FAILED or KILLED.
        start_ms: Start in milliseconds since 1970 UTC.
        end_ms: End in the same unit.
        params: Texts.
        metrics: The last value of each.
        tags: Texts.
        curves: All (step, value) of each metric in order; those absent here were not looked at.
    """

    run_id: str
    status: str
    start_ms: int | None
    end_ms: int | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    curves: Mapping[str, Curve]


@dataclass(frozen=True)
class ExpectedRun:
    """A run as the ledger has it, in MLflow's own terms.

    Attributes:
        status: As in `FoundRun`, like all the others.
        start_ms: None: anything.
        end_ms: None: anything.
        params: Texts.
        metrics: The last value of each.
        tags: Texts.
        curves: All (step, value) of each metric, in order.
        absent: Metrics it must not have, for they would rank it.
    """

    status: str
    start_ms: int | None
    end_ms: int | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    curves: Mapping[str, Curve]
    absent: frozenset[str]


def found_run(run: Run, curves: Mapping[str, Curve] | None = None) -> FoundRun:
    """Takes from MLflow's own value what is compared."""
    info, data = run.info, run.data
    return FoundRun(
        info.run_id,
        info.status,
        info.start_time,
        info.end_time,
        data.params,
        data.metrics,
        data.tags,
        curves or {},
    )


def expected_run(record: RunRecord, reserved: Iterable[str] = ()) -> ExpectedRun:
    """Says what a record looks like once it is written.

    Args:
        record: The run to be.
        reserved: Metrics that a run has only if its record has them.
    """
    points: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for key, value, stamp, step in metric_points(record):
        points[key].append((step, stamp, value))
    return ExpectedRun(
        status=record.status,
        start_ms=record.start_ms,
        end_ms=record.end_ms,
        params={key: text(value, LONGEST_PARAM) for key, value in legal_keys(record.params).items()},
        # MLflow's own order of what is last.
        metrics={key: _kept(max(some, key=_order)[2]) for key, some in points.items()},
        tags=clean_tags(record.tags),
        curves={
            key: [(step, _kept(value)) for step, _, value in sorted(some, key=_order)]
            for key, some in points.items()
        },
        absent=frozenset(legal_keys(dict.fromkeys(reserved))) - points.keys(),
    )


def differences(expected: ExpectedRun, found: FoundRun) -> Iterator[str]:
    """Yields, in words, what cannot be put right within the run; none where it is whole and right."""
    if found.tags.get(SYNCED) != "true":
        yield HALF_WRITTEN
        return
    if found.status != expected.status:
        yield _says("status", found.status, expected.status)
    for name, moment, told in (
        ("start", found.start_ms, expected.start_ms),
        ("end", found.end_ms, expected.end_ms),
    ):
        if told is not None and moment != told:
            yield _says(name, moment, told)
    for key, wanted in expected.params.items():
        if found.params.get(key) != wanted:
            yield _says(f"parameter {key}", found.params.get(key), wanted)
    for key, value in expected.metrics.items():
        if not same_number(found.metrics.get(key), value):
            yield _says(f"metric {key}", found.metrics.get(key), value)
    for key in expected.absent & found.metrics.keys():
        yield _says(f"metric {key}", found.metrics[key], None)
    yield from _curve_differences(expected, found)


def wrong_tags(expected: ExpectedRun, found: FoundRun) -> dict[str, str]:
    """Returns the tags to set; what the user may change is right whatever it is."""
    return {
        key: value
        for key, value in expected.tags.items()
        if found.tags.get(key) != value
        and not key.startswith("mlflow.run")
        and not (key in USERS_TAGS and key in found.tags)
    }


def users_tags(expected: ExpectedRun, found: FoundRun) -> dict[str, str]:
    """Returns the tags of a run that are not from us, to be carried over to the run that replaces it."""
    tags = {key: value for key, value in found.tags.items() if key not in expected.tags and key != SYNCED}
    tags = {key: value for key, value in tags.items() if not key.startswith("mlflow.") or key == DESCRIPTION}
    if found.tags.get("status", "running") not in OUR_STATUSES:
        tags["status"] = found.tags["status"]
    return tags


def same_number(one: float | None, other: float | None) -> bool:
    """Whether two stored numbers are the same, not-a-number included."""
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))


def _curve_differences(expected: ExpectedRun, found: FoundRun) -> Iterator[str]:
    for key, wanted in expected.curves.items():
        got = found.curves.get(key)
        if got is None:
            continue
        if len(got) != len(wanted):
            yield _says(f"points of {key}", len(got), len(wanted))
        elif any(a != b or not same_number(x, y) for (a, x), (b, y) in zip(got, wanted, strict=True)):
            yield _says(f"curve {key}", got, wanted)


def _order(point: tuple[int, int, float]) -> tuple[int, int, float]:
    step, stamp, value = point
    return step, stamp, 0.0 if math.isnan(value) else value


def _kept(value: float) -> float:
    return value if math.isnan(value) else stored(value)


def _says(name: str, got: object, wanted: object) -> str:
    return f"{name} is {_short(got)}, in the ledger {_short(wanted)}"


def _short(value: object) -> str:
    whole = "missing" if value is None else repr(value)
    return whole if len(whole) <= _SHOWN else f"{whole[:_SHOWN]}..."
