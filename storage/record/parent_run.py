"""A study's own run held against the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.ledger_trials import scores
from storage.record.compare_runs import expected_run, wrong_tags
from storage.record.curve import best_curve
from storage.record.mirror import UID
from storage.record.mlflow_limits import legal_key
from storage.record.study_best import best_metric, best_tags, points_of
from storage.record.study_runs import parent_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from optuna.study import Study

    from storage.record.compare_runs import ExpectedRun, FoundRun

ENDED = "ended"
"""Study attribute: how its last search ended, as {"status": ..., "note": ...}; None while one runs."""
INTERRUPTED = {"status": "KILLED", "note": "its process ended without closing it"}


def expected_parent(study: Study, tags: Mapping[str, Any]) -> ExpectedRun:
    """Returns what the study's run should have; its status is compared apart."""
    attributes = {UID: "", **study.user_attrs}
    return expected_run(parent_record(study.study_name, attributes, tags))


def lasting_differences(
    study: Study, tags: Mapping[str, Any], metric: str | None, found: FoundRun
) -> Iterator[str]:
    """Yields what cannot be changed within the run, which MLflow lets grow only."""
    for key, wanted in expected_parent(study, tags).params.items():
        if key in found.params and found.params[key] != wanted:
            yield f"parameter {key} is {found.params[key]!r}, in the ledger {wanted!r}"
    if metric:
        key = legal_key(best_metric(metric))
        strange = set(found.curves.get(key, ())) - _ledgers_points(study)
        if strange:
            yield f"{len(strange)} points of {key} are not in the ledger, one at step {min(strange)[0]}"


def passing_differences(
    study: Study,
    tags: Mapping[str, Any],
    metric: str | None,
    found: FoundRun,
    run_id: Callable[[int], str | None],
) -> Iterator[str]:
    """Yields what the end of a search, or a sync, still has to write into the run."""
    expected = expected_parent(study, tags)
    yield from (f"parameter {key} is missing" for key in expected.params if key not in found.params)
    yield from (f"tag {key} is {found.tags.get(key)!r}" for key in wrong_tags(expected, found))
    status = ending(study, found.status)["status"]
    if found.status != status:
        yield f"status is {found.status}, though no search runs; its last one ended as {status}"
    curve = list(best_curve(scores(study), maximize=_is_maximized(study))) if metric else []
    if not metric or not curve:
        return
    key = legal_key(best_metric(metric))
    missing = _ledgers_points(study) - set(found.curves.get(key, ()))
    if missing:
        yield f"{len(missing)} points of {key} are missing"
    last = curve[-1].best
    for tag, value in best_tags(last, run_id(last.number) or "").items():
        if found.tags.get(tag) != value:
            yield f"tag {tag} is {found.tags.get(tag)!r}, in the ledger {value!r}"


def ending(study: Study, status: str) -> Mapping[str, str | None]:
    """Returns how the study's last search ended.

    Args:
        study: The study.
        status: What its run says, which is believed where the ledger does not know.
    """
    told = study.user_attrs.get(ENDED)
    if isinstance(told, dict) and told.get("status"):
        return told
    return INTERRUPTED if status == "RUNNING" else {"status": status, "note": None}


def best_number(study: Study) -> int | None:
    """Returns the number of the best trial of a single objective; None if none ran to its end."""
    curve = list(best_curve(scores(study), maximize=_is_maximized(study)))
    return curve[-1].best.number if curve else None


def _ledgers_points(study: Study) -> set[tuple[int, float]]:
    curve = best_curve(scores(study), maximize=_is_maximized(study))
    return {point for one in curve for point in points_of(one)}


def _is_maximized(study: Study) -> bool:
    return study.directions[0].name == "MAXIMIZE"
