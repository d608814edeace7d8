"""The runs of a study's trials, written while the search goes on."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from storage.record.compare_runs import expected_run, found_run, wrong_tags
from storage.record.reconcile import reserved_metrics, sort_runs
from storage.record.run_record import SYNCED
from storage.record.running_runs import RunningRun, begin_run, end_run
from storage.record.study_best import set_tags
from storage.record.study_runs import find_runs, of_trial
from storage.record.study_sync import write_runs

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from storage.record.run_record import RunRecord
    from storage.record.tracking import Tracking
    from storage.record.trial_mapping import TrialMapping

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrialRuns:
    """The runs below a study's own.

    Attributes:
        study: The study; only read.
        tracking: The open record.
        experiment_id: Where they are.
        parent_run_id: The study's run.
        uid: The study's lasting identity.
        mapping: How trials become runs.
        n_before: Trials with lower numbers may have been recorded, in whole or in part, by another process.
        ids: Whole runs met so far, by trial number.
        running: Runs that this process began and has yet to end, by trial number.
        attempted: Trials whose run this process began to write.
    """

    study: Study
    tracking: Tracking
    experiment_id: str
    parent_run_id: str
    uid: str
    mapping: TrialMapping
    n_before: int
    ids: dict[int, str] = field(default_factory=dict)
    running: dict[int, RunningRun] = field(default_factory=dict)
    attempted: set[int] = field(default_factory=set)

    def begin(self, trial: FrozenTrial) -> str:
        """Writes a running trial's run in status RUNNING; returns its id."""
        known = self.running.get(trial.number)
        if known is not None:
            return known.run_id
        if trial.number in self.attempted:
            # The answer was lost, or half of it was written.
            self._delete_unfinished(trial.number)
        self.attempted.add(trial.number)
        begun = begin_run(self.tracking, self.experiment_id, self._record(trial))
        self.running[trial.number] = begun
        return begun.run_id

    def find(self, trial: FrozenTrial) -> str | None:
        """Returns the id of a finished trial's whole run, if it has one; half a run is deleted."""
        return self.ids.get(trial.number) or self._earlier(trial)

    def write(self, trial: FrozenTrial) -> str:
        """Writes a finished trial's run from its beginning to its end; returns its id."""
        self.attempted.add(trial.number)
        record = self._record(trial)
        (run_id,) = write_runs(self.tracking, self.experiment_id, [record])
        self.ids[trial.number] = run_id
        return run_id

    def end(self, trial: FrozenTrial) -> str | None:
        """Ends the run that was begun with a trial; None if there is none, or none that can be ended."""
        running = self.running.pop(trial.number, None)
        if running is None or trial.number in self.ids:
            return None
        try:
            if not end_run(self.tracking, running, self._record(trial)):
                return None
        except Exception as error:  # noqa: BLE001 - whatever was in the way, what follows finds out and says
            LOGGER.debug("trial %d: run %s could not be ended: %s", trial.number, running.run_id, error)
            return None
        self.ids[trial.number] = running.run_id
        return running.run_id

    def run_id(self, number: int) -> str:
        """Returns the id of a trial's run, of a whole one if there is.

        Raises:
            LookupError: If the trial is not recorded.
        """
        if number not in self.ids:
            runs = find_runs(self.tracking, [self.experiment_id], of_trial(self.uid, number))
            if not runs:
                raise LookupError(
                    f"got trial {number} of study {self.study.study_name!r}, which has no run; "
                    "allowed: a recorded trial; do: sync the study first"
                )
            whole = next((run for run in runs if run.data.tags.get(SYNCED) == "true"), None)
            if whole is None:
                return str(runs[0].info.run_id)
            self.ids[number] = whole.info.run_id
        return self.ids[number]

    def _earlier(self, trial: FrozenTrial) -> str | None:
        # A search costs as much as half the writing; a trial begun after this process looked has no past.
        if trial.number >= self.n_before and trial.number not in self.attempted:
            return None
        runs = find_runs(self.tracking, [self.experiment_id], of_trial(self.uid, trial.number))
        if not runs:
            return None
        reserved = reserved_metrics(self.mapping.metric_name, len(self.study.directions))
        expected = expected_run(self._record(trial), reserved)
        right, wrong = sort_runs(expected, [found_run(run) for run in runs])
        for run_id, _why in wrong:
            self.tracking.client.delete_run(run_id)
        if right is None:
            return None
        tags = wrong_tags(expected, right)
        if tags:
            set_tags(self.tracking, right.run_id, tags)
        self.ids[trial.number] = right.run_id
        return right.run_id

    def _delete_unfinished(self, number: int) -> None:
        for run in find_runs(self.tracking, [self.experiment_id], of_trial(self.uid, number)):
            if run.data.tags.get(SYNCED) != "true":
                self.tracking.client.delete_run(run.info.run_id)

    def _record(self, trial: FrozenTrial) -> RunRecord:
        return self.mapping.records(self.study, self.parent_run_id)(trial)
