"""The end of a command: what is submitted, the study's run closed, and the record waited for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from objectives.base import EvaluationStopped
from search.conclusion.stopgap import make_stopgap
from search.config import RECORD_SECONDS, REPORT_LEAST_SECONDS
from search.loop.ending import INTERRUPTED, TIME_UP
from search.loop.tally import best_trial
from search.results.chosen_submission import write_chosen, write_stopgap
from search.results.trial_files import TrialFiles
from storage.record.parent_run import ENDED

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.study import Study

    from objectives.base import Objective
    from search.competition import Competition
    from search.conclusion.conclude import Concluded
    from search.conclusion.stopgap import Stopgap
    from search.loop.ending import Ending
    from search.loop.record import BackgroundRecord
    from search.loop.time_plan import TimePlan
    from storage.coordination.seat import Seat
    from storage.layout import Layout


class Submitted(NamedTuple):
    """What there is to submit.

    Attributes:
        path: The written file; None where there is nothing to submit, or no time to make it.
        stopgap: What it was made from for want of a trial; None: of the study's trials.
        best: The best trial's files, which its run gets.
    """

    path: Path | None
    stopgap: Stopgap | None
    best: TrialFiles | None


class Closed(NamedTuple):
    """How a command was closed.

    Attributes:
        is_last: Whether no other coordinator is at the study.
        unrecorded: Pieces of the record that MLflow does not have yet.
    """

    is_last: bool
    unrecorded: int


@dataclass(frozen=True)
class Closing:
    """Closes a study for this command.

    Attributes:
        competition: What was searched.
        study: The study.
        objective: Of it.
        layout: The project.
        seat: This coordinator's place at it.
        record: Its way into MLflow.
        plan: When the command has to be over.
    """

    competition: Competition
    study: Study
    objective: Objective
    layout: Layout
    seat: Seat
    record: BackgroundRecord
    plan: TimePlan

    def submit(self, ending: Ending, concluded: Concluded | None, *, give_up: bool = False) -> Submitted:
        """Writes what is to be submitted.

        Args:
            ending: How the search ended.
            concluded: What the study came to; None: nobody knows, and the best trial is submitted.
            give_up: Whether to make nothing that is not there.
        """
        stopgap = self._stopgap(ending)
        if stopgap is not None:
            return Submitted(write_stopgap(self.competition, stopgap, self.layout), stopgap, None)
        chosen = None if concluded is None else write_chosen(self.competition, concluded, self.layout)
        best = self._best_files(0.0 if give_up else self.plan.end)
        return Submitted(chosen or (best.submission if best else None), None, best)

    def leave(self, ending: Ending, submitted: Submitted) -> Closed:
        """Gives the place at the study up, and has the rest recorded while there is time."""
        with self.seat.leaving() as is_last:
            if is_last:
                self._note_ending(ending)
        if is_last:
            self._record(ending, submitted.best, submitted.path)
        patience = min(RECORD_SECONDS, max(0.0, self.plan.end - time.monotonic()))
        return Closed(is_last, self.record.wait(patience))

    def _record(self, ending: Ending, files: TrialFiles | None, submission: Path | None) -> None:
        self.record.mend(self.study)
        if files is not None:
            self.record.attach_best(self.study, files.trial.number, files.artifacts)
        if submission is not None and (files is None or submission != files.submission):
            self.record.attach_to_study(self.study, submission)
        self.record.close(self.study, ending.status, ending.reason)
        # Whoever presses Ctrl-C wants to be gone; the search that goes on makes it.
        if ending is not INTERRUPTED and self.plan.end - time.monotonic() > REPORT_LEAST_SECONDS:
            self.record.publish(self.study)

    def _note_ending(self, ending: Ending) -> None:
        note = {"status": ending.status, "note": ending.reason}
        # In the ledger, so that a record made anew has it too.
        if self.study.user_attrs.get(ENDED) != note:
            self.study.set_user_attr(ENDED, note)

    def _best_files(self, deadline: float) -> TrialFiles | None:
        """The best trial's files, its submission written; None if there is none, or no time to make them."""
        best = best_trial(self.study)
        if best is None:
            return None
        files = TrialFiles(self.competition, best, self.layout, deadline)
        try:
            files.write_submission(files.submission)
        except EvaluationStopped:
            return None
        return files

    def _stopgap(self, ending: Ending) -> Stopgap | None:
        """What to submit where the time was up before a trial ran to its end."""
        if ending is not TIME_UP or best_trial(self.study) is not None:
            return None
        config = self.competition.config
        return make_stopgap(self.competition.dataset, self.objective, config.seed, self.plan.closing)
