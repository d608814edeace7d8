"""A study's best trial so far, on the study's own run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from storage.record.curve import best_curve
from storage.record.mirror import milliseconds
from storage.record.mlflow_limits import LONGEST_TAG, legal_key, stored, text
from storage.record.run_record import HistoryPoint, RunRecord, log_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from optuna.trial import FrozenTrial

    from storage.record.curve import Completed, CurvePoint
    from storage.record.tracking import Tracking


def best_metric(metric: str) -> str:
    """Name of the curve; never the metric's own, by which the user sorts runs."""
    return f"best_{metric}"


def log_points(tracking: Tracking, parent_run_id: str, metric: str, points: Iterable[CurvePoint]) -> None:
    """Adds points to the curve."""
    history = [
        HistoryPoint(best_metric(metric), step, _score(point), _completed(point.trial))
        for point in points
        for step in point.steps
    ]
    log_values(tracking, parent_run_id, RunRecord(name="", history=history), {})


def log_best(tracking: Tracking, parent_run_id: str, best: FrozenTrial, run_id: str) -> None:
    """Writes which trial is the best, with its run, score and parameters."""
    # The tags say that it is all there, so they come last.
    params = json.dumps(best.params, ensure_ascii=False, indent=2)
    tracking.client.log_text(parent_run_id, params + "\n", "best_params.json")
    tags = {"best_params": text(best.params, LONGEST_TAG), **best_tags(best, run_id)}
    log_values(tracking, parent_run_id, RunRecord(name=""), tags)


def mend_best(
    tracking: Tracking,
    parent_run_id: str,
    metric: str,
    completed: Iterable[Completed],
    *,
    maximize: bool,
    run_id: Callable[[int], str],
    find_trial: Callable[[int], FrozenTrial],
) -> None:
    """Adds what is missing of the curve and corrects the best; writes nothing where both are right.

    Args:
        tracking: The open record.
        parent_run_id: The study's run.
        metric: The objective's name.
        completed: All trials that ran to their end.
        maximize: Whether more is better.
        run_id: Finds a trial's run.
        find_trial: Finds a trial.
    """
    curve = list(best_curve(completed, maximize=maximize))
    if not curve:
        return
    known = known_points(tracking, parent_run_id, metric)
    missing = [p for p in curve if not points_of(p) <= known]
    if missing:
        log_points(tracking, parent_run_id, metric, missing)
    best = curve[-1].best
    tags = tracking.client.get_run(parent_run_id).data.tags
    if any(tags.get(key) != value for key, value in best_tags(best, run_id(best.number)).items()):
        log_best(tracking, parent_run_id, find_trial(best.number), run_id(best.number))


def best_tags(best: Completed, run_id: str) -> dict[str, str]:
    """Returns the tags that name the best trial."""
    return {"best_score": repr(best.value), "best_run_id": run_id, "best_trial": str(best.number)}


def points_of(point: CurvePoint) -> set[tuple[int, float]]:
    """Returns the (step, value) that a completed trial adds to the curve."""
    return {(step, _score(point)) for step in point.steps}


def known_points(tracking: Tracking, parent_run_id: str, metric: str) -> set[tuple[int, float]]:
    """Returns the (step, value) of the curve on the study's run."""
    history = tracking.client.get_metric_history(parent_run_id, legal_key(best_metric(metric)))
    return {(point.step, point.value) for point in history}


def set_tags(tracking: Tracking, run_id: str, tags: dict[str, str]) -> None:
    """Sets tags on a run in one call."""
    log_values(tracking, run_id, RunRecord(name=""), tags)


def _score(point: CurvePoint) -> float:
    assert point.best.value is not None
    return stored(point.best.value)


def _completed(trial: Completed) -> int:
    return milliseconds(trial.datetime_complete) or 0
