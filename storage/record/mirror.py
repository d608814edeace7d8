"""What a trial looks like in MLflow: the mapping, without a database in sight.

The search tells the record what the ledger has no field for through user attributes. All are optional.

On the study:
    run_params: mapping; parameters of the study's run and of every trial's (seed, feature list, ...).
    run_tags: mapping; tags of the study's run and of every trial's.
    uid: text; identifies the study for ever, whatever it is named. Set by the callback if absent.
    outside_space: mapping of trial numbers, as text, to whether the trial lies outside the study's space, which
        has changed since; a tag of those trials' runs.
    figures: mapping of trial numbers, as text, and of `study` to mappings; tags of that run, such as the honest score
        that was found after the search.
    conclusion: mapping; what these figures come from. In no run.
On the trial:
    metrics: mapping of name to number; further metrics of the trial's run.
    reason: text; why it ended as it did. A tag, and `note` too, which the user may change.
    interrupted: true where it was stopped from outside rather than failing by itself.
    anything else: a tag.

The objective's value is logged under its metric name for trials that ran to their end and for no other run,
so that sorting by that metric never puts half a cross-validation first. A pruned trial's last report goes to
`<base>_partial`, reports to `<base>_running`; the base is the metric name without `_mean` at its end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from storage.record.mlflow_limits import LONGEST_TAG, text
from storage.record.run_record import HistoryPoint, RunRecord, write_run

if TYPE_CHECKING:
    from datetime import datetime

    from optuna.trial import FrozenTrial

__all__ = [
    "RunRecord",
    "base_name",
    "metric_names",
    "milliseconds",
    "run_status",
    "trial_record",
    "write_run",
]

STUDY_RUN = "optuna_study"
TRIAL_RUN = "optuna_trial"
UID = "uid"
OUTSIDE = "outside_space"
FIGURES = "figures"
CONCLUSION = "conclusion"
STUDY_ATTRIBUTES = frozenset({"run_params", "run_tags", OUTSIDE, FIGURES, CONCLUSION, UID})
TRIAL_ATTRIBUTES = frozenset({"metrics", "interrupted"})

MetricName = str | Sequence[str]


def trial_record(
    study_name: str,
    study_user_attrs: Mapping[str, Any],
    trial: FrozenTrial,
    metric_name: MetricName = "value",
    *,
    directions: Sequence[str] = (),
    tag_trial_user_attrs: bool = True,
    tag_study_user_attrs: bool = False,
) -> RunRecord:
    """Maps a trial to its run: a finished one to all there is, a running one to what is known at its start.

    Args:
        study_name: The study's name, for the tags.
        study_user_attrs: See the module's text.
        trial: A trial in state COMPLETE, PRUNED, FAIL or RUNNING.
        metric_name: The objective's name; one per value, or one for all, which is then numbered.
        directions: MINIMIZE or MAXIMIZE for each value, for the tags.
        tag_trial_user_attrs: Whether the trial's free attributes become tags.
        tag_study_user_attrs: Whether the study's do.

    Raises:
        ValueError: If there are other numbers of metric names and values.
    """
    tags = dict(trial.user_attrs) if tag_trial_user_attrs else {}
    tags |= dict(study_user_attrs) if tag_study_user_attrs else {}
    tags = {key: value for key, value in tags.items() if key not in STUDY_ATTRIBUTES | TRIAL_ATTRIBUTES}
    tags |= _mapping(study_user_attrs, "run_tags")
    tags |= figure_tags(study_user_attrs, str(trial.number))
    tags |= _trial_tags(study_name, study_user_attrs, trial, directions)
    is_outside = _mapping(study_user_attrs, OUTSIDE).get(str(trial.number))
    if is_outside is not None:
        tags[OUTSIDE] = str(is_outside).lower()
    return RunRecord(
        name=f"trial_{trial.number:05d}",
        status=run_status(trial),
        start_ms=milliseconds(trial.datetime_start),
        end_ms=milliseconds(trial.datetime_complete),
        params=_mapping(study_user_attrs, "run_params") | trial.params,
        metrics=_metrics(trial, metric_name),
        history=_history(trial, metric_name) if trial.state.is_finished() else (),
        tags={key: text(value, LONGEST_TAG) for key, value in tags.items()},
    )


def figure_tags(study_user_attrs: Mapping[str, Any], run: str) -> dict[str, str]:
    """Returns the tags with what was found about a run after its end.

    Args:
        study_user_attrs: See the module's text.
        run: The trial's number, or `study`.
    """
    tags = _mapping(_mapping(study_user_attrs, FIGURES), run)
    return {key: text(value, LONGEST_TAG) for key, value in tags.items()}


def run_status(trial: FrozenTrial) -> str:
    """Returns MLflow's status of a trial's run."""
    if not trial.state.is_finished():
        return "RUNNING"
    if trial.state.name == "COMPLETE":
        return "FINISHED"
    is_stopped = trial.state.name == "PRUNED" or trial.user_attrs.get("interrupted")
    return "KILLED" if is_stopped else "FAILED"


def metric_names(metric_name: MetricName, n_values: int) -> list[str]:
    """Returns one name for each objective value.

    Raises:
        ValueError: If there are other numbers of names and values.
    """
    if isinstance(metric_name, str):
        return [metric_name] if n_values <= 1 else [f"{metric_name}_{i}" for i in range(n_values)]
    if len(metric_name) != n_values:
        raise ValueError(
            f"got {len(metric_name)} metric names for {n_values} objective values; allowed: one name for "
            "each, or a single text; do: change metric_name"
        )
    return list(metric_name)


def base_name(metric_name: MetricName) -> str:
    """Returns the stem for partial and running scores: `cv_rmse` of `cv_rmse_mean`."""
    first = metric_name if isinstance(metric_name, str) else metric_name[0]
    return first.removesuffix("_mean")


def milliseconds(moment: datetime | None) -> int | None:
    """Returns milliseconds since 1970 UTC; Optuna's times are naive and local."""
    return None if moment is None else round(moment.timestamp() * 1000)


def _mapping(attributes: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = attributes.get(key)
    return dict(value) if isinstance(value, Mapping) else {}


def _trial_tags(
    study_name: str, study_user_attrs: Mapping[str, Any], trial: FrozenTrial, directions: Sequence[str]
) -> dict[str, Any]:
    tags: dict[str, Any] = {
        "experiment_type": TRIAL_RUN,
        "status": _status_tag(trial),
        "state": trial.state.name,
        "optuna_study": study_name,
        "optuna_study_uid": str(study_user_attrs.get(UID, "")),
        "optuna_trial": str(trial.number),
        "direction": directions[0] if len(directions) == 1 else list(directions),
    }
    # One tag, not one for each parameter: a dozen more tags cost a fifth of the whole run's writing.
    if trial.distributions:
        tags["distributions"] = {name: str(value) for name, value in sorted(trial.distributions.items())}
    if trial.user_attrs.get("reason"):
        tags["note"] = str(trial.user_attrs["reason"])
    return tags


def _status_tag(trial: FrozenTrial) -> str:
    if trial.state.name == "FAIL":
        return "interrupted" if trial.user_attrs.get("interrupted") else "failed"
    return {"COMPLETE": "completed", "PRUNED": "pruned"}.get(trial.state.name, trial.state.name.lower())


def _metrics(trial: FrozenTrial, metric_name: MetricName) -> dict[str, float]:
    metrics = {
        key: float(value)
        for key, value in _mapping(trial.user_attrs, "metrics").items()
        if isinstance(value, (int, float))
    }
    values = list(trial.values or [])
    if trial.state.name == "COMPLETE":
        return metrics | dict(zip(metric_names(metric_name, len(values)), values, strict=True))
    reserved = {metric_name} if isinstance(metric_name, str) else set(metric_name)
    metrics = {key: value for key, value in metrics.items() if key not in reserved}
    last = trial.intermediate_values.get(max(trial.intermediate_values, default=0))
    if trial.state.name == "PRUNED" and last is not None and not math.isnan(last):
        metrics[f"{base_name(metric_name)}_partial"] = last
    return metrics


def _history(trial: FrozenTrial, metric_name: MetricName) -> list[HistoryPoint]:
    # The ledger keeps no time for a report; the end of the trial is at least not made up.
    stamp = milliseconds(trial.datetime_complete) or 0
    key = f"{base_name(metric_name)}_running"
    return [
        HistoryPoint(key, step, value, stamp) for step, value in sorted(trial.intermediate_values.items())
    ]
