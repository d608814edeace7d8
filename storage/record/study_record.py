"""One study's place in MLflow.

Every method writes what the ledger says and may be repeated; all of them raise what MLflow raises. Nothing is
remembered that a second process could make stale, but for the ids of runs met before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from storage.ledger_trials import find_trial, scores
from storage.record.attached_files import attach_files, copy_artifacts, file_differences
from storage.record.compare_runs import found_run, users_tags, wrong_tags
from storage.record.curve import best_curve
from storage.record.mlflow_limits import legal_key
from storage.record.parent_run import best_number, ending, expected_parent, lasting_differences
from storage.record.reconcile import Survey, SyncReport
from storage.record.run_record import log_path
from storage.record.study_best import best_metric, known_points, log_best, log_points, mend_best, set_tags
from storage.record.study_runs import ensure_parent
from storage.record.study_sync import TrialSync, run_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from storage.record.tracking import Tracking
    from storage.record.trial_mapping import TrialMapping
    from storage.record.trial_runs import TrialRuns

# Not `note`: that one is the user's, who may have written into it.
STOPPED_BY = "stopped_by"
STUDY_STATUS_TAG = {"FINISHED": "completed", "KILLED": "interrupted", "FAILED": "failed"}


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
        runs: The runs below it.
        leaders: Best scores as they were met, so that most trials need no look at the others.
    """

    study: Study
    tracking: Tracking
    experiment_id: str
    parent_run_id: str
    uid: str
    mapping: TrialMapping
    runs: TrialRuns
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
        run_id = self.runs.end(trial)
        if run_id is None:
            found = self.runs.find(trial)
            if found:
                return found
            run_id = self.runs.write(trial)
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
        record = replace(self, parent_run_id=new, runs=replace(self.runs, parent_run_id=new))
        record.inherit(old)
        return record

    def inherit(self, old: str) -> str:
        """Takes files and the user's tags over from another run of the study, unless this one has files already.

        Returns:
            The other run's status.
        """
        tracking, new = self.tracking, self.parent_run_id
        found = found_run(tracking.client.get_run(old))
        if not tracking.client.list_artifacts(new):
            copy_artifacts(tracking, old, new)
            set_tags(tracking, new, users_tags(expected_parent(self.study, self.mapping.tags), found))
        return found.status

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
            idle: Whether no search drives the study, so that its run must have ended, and no trial runs.
            restored: Tags by trial number for runs that are written anew.
        """
        source = run_source(self.tracking, self.experiment_id, self.uid)
        records = self.mapping.records(self.study, self.parent_run_id)
        survey = Survey(self.study, source, self.mapping.metric_name, records, is_running=not idle)
        inherited = [self.inherit(run_id) for run_id in survey.parents_elsewhere]
        work = TrialSync(self.tracking, self.experiment_id, self.parent_run_id, restored or {})
        report = work.run(survey, deep=deep)
        self.runs.ids.clear()
        self.runs.ids.update(work.run_ids)
        self._mend_parent()
        try:
            self.mend_best()
        except LookupError:
            # The best has ended since the survey began, and is recorded next.
            if idle:
                raise
        if idle:
            status = self.tracking.client.get_run(self.parent_run_id).info.status
            told = ending(self.study, inherited[-1] if inherited and status == "RUNNING" else status)
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
                run_id=self.runs.run_id,
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

    def attach(self, number: int, files: Mapping[str, Path]) -> None:
        """Stores files and folders with a trial's run, and with the study's if it is the best."""
        attach_files(self.tracking, self.runs.run_id(number), number, files)
        if not self.metric or best_number(self.study) in {None, number}:
            attach_files(self.tracking, self.parent_run_id, number, files)

    def attach_to_study(self, files: Mapping[str, Path]) -> str:
        """Stores files and folders with the study's run only; returns its id."""
        for name, path in files.items():
            log_path(self.tracking, self.parent_run_id, name, path)
        return self.parent_run_id

    def file_differences(self, number: int) -> list[str]:
        """Says what is wrong with the files of the best trial, on its run and on the study's."""
        runs = {f"trial {number}": self.runs.run_id(number), "the study": self.parent_run_id}
        return [
            f"{whose}: run {run_id}: {line}"
            for whose, run_id in runs.items()
            for line in file_differences(self.tracking, run_id, number)
        ]

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
