"""One study's place in MLflow.

Every method writes what the ledger says and may be repeated; all of them raise what MLflow raises. Nothing is
remembered that a second process could make stale, but for the ids of runs met before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from storage.attached_files import attach_files, copy_artifacts, file_differences
from storage.compare_runs import expected_run, found_run, users_tags, wrong_tags
from storage.curve import best_curve
from storage.ledger_trials import find_trial, scores
from storage.mirror import MetricName, trial_record
from storage.mlflow_limits import legal_key
from storage.parent_run import best_number, ending, expected_parent, lasting_differences
from storage.reconcile import PARENT, Survey, SyncReport, reserved_metrics, sort_runs
from storage.study_best import best_metric, known_points, log_best, log_points, mend_best, set_tags
from storage.study_runs import ensure_parent, find_runs, of_trial
from storage.study_sync import TrialSync, run_source, write_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from storage.run_record import RunRecord
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

    def metric(self, study: Study) -> str | None:
        """The single objective's name; None where there are several and so no best."""
        if len(study.directions) > 1:
            return None
        return self.metric_name if isinstance(self.metric_name, str) else self.metric_name[0]

    def records(self, study: Study, parent_run_id: str) -> Callable[[FrozenTrial], RunRecord]:
        """Returns what makes the run that a finished trial should have under the study's run."""
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
        leaders: Best scores as they were met, so that most trials need no look at the others.
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
    leaders: list[float] = field(default_factory=list)

    @property
    def metric(self) -> str | None:
        """The single objective's name; None where there are several and so no best."""
        return self.mapping.metric(self.study)

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

    def with_right_parent(self) -> StudyRecord:
        """Returns this record, bound to a new run of the study if the old one cannot be put right."""
        tracking, old, metric = self.tracking, self.parent_run_id, self.metric
        curves = {}
        if metric:
            key = legal_key(best_metric(metric))
            curves[key] = sorted(known_points(tracking, old, metric))
        found = found_run(tracking.client.get_run(old), curves)
        if next(lasting_differences(self.study, self.mapping.tags, metric, found), None) is None:
            return self
        tracking.client.delete_run(old)
        attributes = self.study.user_attrs
        new = ensure_parent(
            tracking, self.experiment_id, self.study.study_name, attributes, self.mapping.tags
        )
        copy_artifacts(tracking, old, new)
        set_tags(tracking, new, users_tags(expected_parent(self.study, self.mapping.tags), found))
        return replace(self, parent_run_id=new)

    def sync(
        self,
        *,
        deep: bool = False,
        idle: bool = False,
        restored: Mapping[int, Mapping[str, str]] | None = None,
    ) -> SyncReport:
        """Makes MLflow equal to the ledger, and says what that took.

        Args:
            deep: Whether to compare curves even on a server, at a request for each, and to read the ledger
                afresh and in portions.
            idle: Whether no search drives the study, so that its run must have ended.
            restored: Tags by trial number for runs that are written anew.
        """
        source = run_source(self.tracking, self.experiment_id, self.uid)
        records = self.mapping.records(self.study, self.parent_run_id)
        survey = Survey(self.study, source, self.mapping.metric_name, records)
        work = TrialSync(self.tracking, self.experiment_id, self.parent_run_id, restored or {})
        report = work.run(survey, deep=deep)
        self.run_ids.clear()
        self.run_ids.update(work.run_ids)
        self._mend_parent()
        self.mend_best()
        if idle:
            status = self.tracking.client.get_run(self.parent_run_id).info.status
            told = ending(self.study, status)
            if told["status"] != status:
                self.end(str(told["status"]), told["note"])
        return report

    def mend_best(self) -> None:
        """Corrects the study's best and its curve."""
        if self.metric:
            mend_best(
                self.tracking,
                self.parent_run_id,
                self.metric,
                scores(self.study),
                maximize=self.maximize,
                run_id=self.run_id,
                find_trial=lambda number: find_trial(self.study, number),
            )

    def begin(self) -> None:
        """Marks the study's run as running."""
        self.tracking.client.update_run(self.parent_run_id, status="RUNNING")
        set_tags(self.tracking, self.parent_run_id, {"status": "running"})

    def end(self, status: str, note: str | None) -> None:
        """Ends the study's run, unless it has ended that way already."""
        tags = {"status": STUDY_STATUS_TAG[status]} | {STOPPED_BY: note or ""}
        run = self.tracking.client.get_run(self.parent_run_id)
        if run.info.status == status and tags.items() <= run.data.tags.items():
            return
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
        """Stores files and folders with a trial's run, and with the study's if it is the best."""
        attach_files(self.tracking, self.run_id(number), number, files)
        if not self.metric or best_number(self.study) in {None, number}:
            attach_files(self.tracking, self.parent_run_id, number, files)

    def file_differences(self, number: int) -> list[str]:
        """Says what is wrong with the files of the best trial, on its run and on the study's."""
        runs = {f"trial {number}": self.run_id(number), "the study": self.parent_run_id}
        return [
            f"{whose}: run {run_id}: {line}"
            for whose, run_id in runs.items()
            for line in file_differences(self.tracking, run_id, number)
        ]

    def _earlier_run(self, trial: FrozenTrial) -> str | None:
        # A search costs as much as half the writing; a trial begun after this process looked has no past.
        if trial.number >= self.n_before and trial.number not in self.attempted:
            return None
        runs = find_runs(self.tracking, self.experiment_id, of_trial(self.uid, trial.number))
        if not runs:
            return None
        reserved = reserved_metrics(self.mapping.metric_name, len(self.study.directions))
        expected = expected_run(self.mapping.records(self.study, self.parent_run_id)(trial), reserved)
        right, wrong = sort_runs(expected, [found_run(run) for run in runs])
        for run_id, _why in wrong:
            self.tracking.client.delete_run(run_id)
        if right is None:
            return None
        tags = wrong_tags(expected, right)
        if tags:
            set_tags(self.tracking, right.run_id, tags)
        self.run_ids[trial.number] = right.run_id
        return right.run_id

    def _write(self, trial: FrozenTrial) -> str:
        record = self.mapping.records(self.study, self.parent_run_id)(trial)
        (run_id,) = write_runs(self.tracking, self.experiment_id, [record])
        self.run_ids[trial.number] = run_id
        return run_id

    def _extend_curve(self, metric: str, trial: FrozenTrial, run_id: str) -> None:
        # Only improvements while the search runs; the flat stretches between them are added at its end.
        if self.leaders and not self._is_better(trial, self.leaders[-1]):
            return
        curve = best_curve(scores(self.study), maximize=self.maximize)
        point = next(point for point in curve if point.trial.number == trial.number)
        if point.best is point.trial:
            log_points(self.tracking, self.parent_run_id, metric, [point])
            log_best(self.tracking, self.parent_run_id, trial, run_id)
        assert point.best.value is not None
        self.leaders.append(point.best.value)

    def _is_better(self, trial: FrozenTrial, value: float) -> bool:
        assert trial.value is not None
        return trial.value > value if self.maximize else trial.value < value

    def _mend_parent(self) -> None:
        expected = expected_parent(self.study, self.mapping.tags)
        found = found_run(self.tracking.client.get_run(self.parent_run_id))
        tags = wrong_tags(expected, found)
        if tags:
            set_tags(self.tracking, self.parent_run_id, tags)
