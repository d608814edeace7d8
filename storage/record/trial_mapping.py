"""How trials become runs, as a callback was told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from storage.record.mirror import MetricName, trial_record
from storage.record.reconcile import PARENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from storage.record.run_record import RunRecord


@dataclass(frozen=True)
class TrialMapping:
    """How trials become runs, the same for all of a callback's studies.

    Attributes:
        metric_name: The objective's name, or one for each objective.
        tags: Tags of every run, under all others.
        tag_study_user_attrs: Whether the study's free attributes become tags of each trial's run.
        tag_trial_user_attrs: Whether the trial's do.
    """

    metric_name: MetricName
    tags: Mapping[str, Any]
    tag_study_user_attrs: bool
    tag_trial_user_attrs: bool

    def metric(self, study: Study) -> str | None:
        """The single objective's name; None where there are several and so no best."""
        if len(study.directions) > 1:
            return None
        return self.metric_name if isinstance(self.metric_name, str) else self.metric_name[0]

    def records(self, study: Study, parent_run_id: str) -> Callable[[FrozenTrial], RunRecord]:
        """Returns what makes the run that a trial should have under the study's run."""
        # Read once: each look at an attribute is a query.
        name, attributes = study.study_name, study.user_attrs
        directions = [direction.name for direction in study.directions]

        def record_of(trial: FrozenTrial) -> RunRecord:
            record = trial_record(
                name,
                attributes,
                trial,
                self.metric_name,
                directions=directions,
                tag_trial_user_attrs=self.tag_trial_user_attrs,
                tag_study_user_attrs=self.tag_study_user_attrs,
            )
            return replace(record, tags={**self.tags, **record.tags, PARENT: parent_run_id})

        return record_of
