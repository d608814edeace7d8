"""One study's place in MLflow.

Every method writes what the ledger says and may be repeated; all of them raise what MLflow raises. Nothing is
remembered that a second process could make stale, but for the ids of runs met before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from storage.curve import best_curve
from storage.mirror import MetricName, trial_record
from storage.reconcile import PARENT, Plan, SyncReport, is_right, plan_sync
from storage.run_record import log_path, write_run
from storage.study_best import log_best, log_points, mend_best, set_tags
from storage.study_runs import find_runs, of_study, of_trial

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from storage.tracking import Tracking

# Not `note`: that one is the user's, who may have written into it.
STOPPED_BY = "stopped_by"
STUDY_STATUS_TAG = {"FINISHED": "completed", "KILLED": "interrupted", "FAILED": "failed"}


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


@dataclass(frozen=True)
class StudyRecord:
    """A study bound to its run.

    Attributes:
        study: The study; only read.
        tracking: The open record.
        experiment_id: Where all its runs are.
        parent_run_id: The study's own run.
        uid: The study's lasting identity.
        mapping: How its trials become runs.
        n_before: Trials with lower numbers may have been recorded, in whole or in part, by another process.
        run_ids: Whole runs met so far, by trial number.
        attempted: Trials whose run this process began to write.
    """

    study: Study
    tracking: Tracking
    experiment_id: str
    parent_run_id: str
    uid: str
    mapping: TrialMapping
    n_before: int
    run_ids: dict[int, str] = field(default_factory=dict)
    attempted: set[int] = field(default_factory=set)

    @property
    def metric(self) -> str | None:
        """The single objective's name; None where there are several and so no best."""
        if len(self.study.directions) > 1:
            return None
        name = self.mapping.metric_name
        return name if isinstance(name, str) else name[0]

    @property
    def maximize(self) -> bool:
        """Whether more is better, for a single objective."""
        return self.study.directions[0].name == "MAXIMIZE"

    def record(self, trial: FrozenTrial) -> str:
        """Writes a finished trial's run and the best so far; returns the run's id."""
        found = self.run_ids.get(trial.number) or self._earlier_run(trial)
        if found:
            return found
        self.attempted.add(trial.number)
        run_id = self._write(trial)
        if self.metric and trial.state.name == "COMPLETE":
            self._extend_curve(self.metric, trial, run_id)
        return run_id

    def sync(self) -> SyncReport:
        """Makes MLflow equal to the ledger, and says what that took."""
        trials = [trial for trial in self.study.get_trials(deepcopy=False) if trial.state.is_finished()]
        runs = find_runs(self.tracking, self.experiment_id, of_study(self.uid))
        plan = plan_sync(trials, runs, self.parent_run_id, self.metric)
        self._apply(plan)
        self.mend_best()
        return SyncReport(
            written=tuple(trial.number for trial in plan.write),
            deleted=len(plan.delete),
            adopted=len(plan.adopt),
            kept=len(plan.keep) - len(plan.adopt),
        )

    def mend_best(self) -> None:
        """Corrects the study's best and its curve."""
        if self.metric:
            mend_best(
                self.tracking,
                self.parent_run_id,
                self.metric,
                self._completed(),
                maximize=self.maximize,
                run_id=self.run_id,
            )

    def begin(self) -> None:
        """Marks the study's run as running."""
        self.tracking.client.update_run(self.parent_run_id, status="RUNNING")
        set_tags(self.tracking, self.parent_run_id, {"status": "running"})

    def end(self, status: str, note: str | None) -> None:
        """Ends the study's run, even where its best cannot be mended."""
        tags = {"status": STUDY_STATUS_TAG[status]} | {STOPPED_BY: note or ""}
        set_tags(self.tracking, self.parent_run_id, tags)
        self.tracking.client.set_terminated(self.parent_run_id, status=status)

    def run_id(self, number: int) -> str:
        """Returns the id of a trial's run.

        Raises:
            LookupError: If the trial is not recorded.
        """
        if number not in self.run_ids:
            runs = find_runs(self.tracking, self.experiment_id, of_trial(self.uid, number))
            if not runs:
                raise LookupError(
                    f"got trial {number} of study {self.study.study_name!r}, which has no run; "
                    "allowed: a recorded trial; do: sync the study first"
                )
            self.run_ids[number] = runs[0].info.run_id
        return self.run_ids[number]

    def attach(self, number: int, files: Mapping[str, Path]) -> None:
        """Stores files and folders with a trial's run and the study's."""
        for run_id in (self.run_id(number), self.parent_run_id):
            for name, path in files.items():
                log_path(self.tracking, run_id, name, path)

    def _earlier_run(self, trial: FrozenTrial) -> str | None:
        # A search costs as much as half the writing; a trial begun after this process looked has no past.
        if trial.number >= self.n_before and trial.number not in self.attempted:
            return None
        for run in find_runs(self.tracking, self.experiment_id, of_trial(self.uid, trial.number)):
            if is_right(trial, run, self.metric):
                self.run_ids[trial.number] = run.info.run_id
                return self.run_ids[trial.number]
            self.tracking.client.delete_run(run.info.run_id)
        return None

    def _write(self, trial: FrozenTrial) -> str:
        record = trial_record(
            self.study.study_name,
            self.study.user_attrs,
            trial,
            self.mapping.metric_name,
            directions=[direction.name for direction in self.study.directions],
            tag_trial_user_attrs=self.mapping.tag_trial_user_attrs,
            tag_study_user_attrs=self.mapping.tag_study_user_attrs,
        )
        tags = {**self.mapping.tags, **record.tags, PARENT: self.parent_run_id}
        run_id = write_run(self.tracking, self.experiment_id, replace(record, tags=tags))
        self.run_ids[trial.number] = run_id
        return run_id

    def _extend_curve(self, metric: str, trial: FrozenTrial, run_id: str) -> None:
        # Only improvements while the search runs; the flat stretches between them are added at its end.
        curve = best_curve(self._completed(), maximize=self.maximize)
        point = next(point for point in curve if point.trial.number == trial.number)
        if point.best is point.trial:
            log_points(self.tracking, self.parent_run_id, metric, [point])
            log_best(self.tracking, self.parent_run_id, trial, run_id)

    def _completed(self) -> list[FrozenTrial]:
        trials = self.study.get_trials(deepcopy=False)
        return [trial for trial in trials if trial.state.name == "COMPLETE"]

    def _apply(self, plan: Plan) -> None:
        self.run_ids.clear()
        self.run_ids.update(plan.keep)
        for run_id in plan.delete:
            self.tracking.client.delete_run(run_id)
        for run_id in plan.adopt:
            self.tracking.client.set_tag(run_id, PARENT, self.parent_run_id)
        for trial in plan.write:
            self._write(trial)
