"""Makes a study's runs equal to its finished trials, or says where they are not.

Right runs are left as they are, whatever else the user has written into them. A wrong one cannot be corrected,
for MLflow overwrites neither parameters nor curves: it is written anew, with the user's tags and files, and
only then deleted. So wherever this is cut short, the next one ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from storage.record.attached_files import copy_artifacts, file_differences
from storage.record.bulk_runs import can_write_bulk, write_bulk
from storage.record.compare_runs import HALF_WRITTEN
from storage.record.mirror import STUDY_RUN, UID
from storage.record.parent_run import best_number, lasting_differences, passing_differences
from storage.record.reconcile import PARENT, Survey, SyncReport
from storage.record.run_record import write_run
from storage.record.run_source import FileRuns, NoRuns, ServerRuns
from storage.record.study_best import best_metric, set_tags
from storage.record.tracking import sqlite_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from optuna.study import Study

    from storage.record.reconcile import TrialFinding
    from storage.record.run_record import RunRecord
    from storage.record.run_source import RunSource
    from storage.record.tracking import Tracking
    from storage.record.trial_mapping import TrialMapping


def run_source(tracking: Tracking | None, experiment_id: str | None, uid: str) -> RunSource:
    """Returns where a study's runs are to be read."""
    if tracking is None or experiment_id is None or not uid:
        return NoRuns()
    database = sqlite_path(tracking.uri)
    if database is not None:
        return FileRuns(database, experiment_id, uid)
    return ServerRuns(tracking, experiment_id, uid)


def write_runs(tracking: Tracking, experiment_id: str, records: Sequence[RunRecord]) -> list[str]:
    """Writes runs that have ended, by the quickest way there is, and returns their ids."""
    if not records:
        return []
    if can_write_bulk(tracking):
        return write_bulk(tracking, experiment_id, records)
    return [write_run(tracking, experiment_id, record) for record in records]


@dataclass
class TrialSync:
    """The mending of the trials' runs.

    Attributes:
        tracking: The open record.
        experiment_id: Where the study's runs are.
        parent_run_id: The study's run.
        restored: Tags by trial number that a run gets when it is written anew, such as a promotion's.
        run_ids: The right run of each trial, as far as gone through.
        written: Trials whose run was written.
        deleted: Runs deleted.
        adopted: Runs put under the study's run.
        retagged: Runs of which other tags were corrected.
    """

    tracking: Tracking
    experiment_id: str
    parent_run_id: str
    restored: Mapping[int, Mapping[str, str]]
    run_ids: dict[int, str] = field(default_factory=dict)
    written: list[int] = field(default_factory=list)
    deleted: int = 0
    adopted: int = 0
    retagged: int = 0

    def run(self, survey: Survey, *, deep: bool) -> SyncReport:
        """Mends all; what a survey finds at once is one transaction where the record allows."""
        for findings in survey.portions(deep=deep):
            self._write([finding for finding in findings if finding.right is None])
            for finding in findings:
                self._correct(finding)
        for run_id in [*survey.orphans(), *survey.parents, *survey.parents_elsewhere]:
            if run_id != self.parent_run_id:
                self._delete(run_id)
        kept = len(self.run_ids) - len(self.written) - self.adopted
        return SyncReport(tuple(self.written), self.deleted, self.adopted, kept, self.retagged)

    def _write(self, findings: Sequence[TrialFinding]) -> None:
        records = [self._record(finding) for finding in findings]
        for finding, run_id in zip(
            findings, write_runs(self.tracking, self.experiment_id, records), strict=True
        ):
            self.run_ids[finding.trial.number] = run_id
            self.written.append(finding.trial.number)
            for wrong in finding.wrong:
                copy_artifacts(self.tracking, wrong.run_id, run_id)

    def _record(self, finding: TrialFinding) -> RunRecord:
        restored = self.restored.get(finding.trial.number, {})
        return replace(finding.record, tags={**finding.record.tags, **finding.inherited, **restored})

    def _correct(self, finding: TrialFinding) -> None:
        for wrong in finding.wrong:
            self._delete(wrong.run_id)
        if finding.right is None:
            return
        self.run_ids[finding.trial.number] = finding.right
        if finding.tags:
            set_tags(self.tracking, finding.right, finding.tags)
            self.adopted += PARENT in finding.tags
            self.retagged += finding.tags.keys() != {PARENT}

    def _delete(self, run_id: str) -> None:
        self.tracking.client.delete_run(run_id)
        self.deleted += 1


@dataclass(frozen=True)
class Audit:
    """A look at a study's runs that changes nothing; `differences` first.

    Attributes:
        study: The study.
        source: Its runs.
        mapping: How its trials become runs.
        is_running: Whether a search drives the study just now, so that what is only missing is on its way.
        run_ids: The right runs found so far, by trial number.
    """

    study: Study
    source: RunSource
    mapping: TrialMapping
    is_running: bool
    run_ids: dict[int, str] = field(default_factory=dict)

    def differences(self) -> Iterator[str]:
        """Yields a line for each difference from the ledger."""
        parent = self._parent()
        records = self.mapping.records(self.study, parent)
        survey = Survey(
            self.study, self.source, self.mapping.metric_name, records, is_running=self.is_running
        )
        for findings in survey.portions(deep=True):
            for finding in findings:
                if finding.right:
                    self.run_ids[finding.trial.number] = finding.right
                yield from self._trial_lines(finding)
        yield from (f"run {run_id}: of no finished trial" for run_id in survey.orphans())
        yield from (f"run {run_id}: a second run of the study" for run_id in survey.parents[1:])
        yield from (
            f"run {run_id}: the study's, in another experiment" for run_id in survey.parents_elsewhere
        )
        yield from self._of_parent(parent)

    def file_lines(self, tracking: Tracking) -> Iterator[str]:
        """Yields a line for each of the two runs that lacks the best trial's files."""
        best = best_number(self.study) if self.mapping.metric(self.study) else None
        if best is None:
            return
        runs = {f"trial {best}": self.run_ids.get(best), "the study": self._parent()}
        for whose, run_id in runs.items():
            if run_id:
                yield from (
                    f"{whose}: run {run_id}: {line}" for line in file_differences(tracking, run_id, best)
                )

    def _trial_lines(self, finding: TrialFinding) -> Iterator[str]:
        trial = f"trial {finding.trial.number}"
        if finding.right is None and not finding.wrong and not self.is_running:
            yield f"{trial}: no run"
        for wrong in finding.wrong:
            if not (self.is_running and wrong.why == HALF_WRITTEN):
                yield f"{trial}: run {wrong.run_id}: {wrong.why}"
        for key in finding.tags:
            what = "not under the study's run" if key == PARENT else f"tag {key} is wrong"
            yield f"{trial}: run {finding.right}: {what}"

    def _parent(self) -> str:
        runs = self.source.listed()
        return next((run.run_id for run in runs if run.kind == STUDY_RUN and not run.is_elsewhere), "")

    def _of_parent(self, parent: str) -> Iterator[str]:
        if not parent:
            yield from () if self.is_running else ("the study: no run",)
            return
        metric = self.mapping.metric(self.study)
        found = self.source.read([parent], [best_metric(metric)] if metric else [])[parent]
        tags: dict[str, Any] = dict(self.mapping.tags)
        lines = list(lasting_differences(self.study, tags, metric, found))
        if not self.is_running:
            lines += passing_differences(self.study, tags, metric, found, self.run_ids.get)
        yield from (f"the study: run {parent}: {line}" for line in lines)


def audit(
    study: Study, tracking: Tracking | None, experiment: str, mapping: TrialMapping, *, is_running: bool
) -> Iterator[str]:
    """Says where a study's record differs from the ledger, a line each, and changes nothing.

    Args:
        study: The study.
        tracking: Its record, from `look_at_tracking`.
        experiment: Name of its experiment.
        mapping: How its trials become runs.
        is_running: Whether a search drives the study just now. It writes what is missing, and closes its run,
            itself.
    """
    uid = str(study.user_attrs.get(UID, ""))
    found = tracking.client.get_experiment_by_name(experiment) if tracking else None
    is_there = found is not None and found.lifecycle_stage == "active"
    source = run_source(tracking, str(found.experiment_id) if found and is_there else None, uid)
    look = Audit(study, source, mapping, is_running)
    yield from look.differences()
    if tracking and not is_running:
        yield from look.file_lines(tracking)
