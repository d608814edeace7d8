"""One search from settings to written submission: the place where the parts are wired together."""

from __future__ import annotations

import math
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from search import STARTED
from search.competition import Competition, open_competition
from search.config import CLOSING_SECONDS, SearchConfig
from search.faults import InputFaults
from search.loop.best import KeptResults, open_results
from search.loop.coordinator import Coordinator
from search.loop.cores import available_cores
from search.loop.engine import open_engine
from search.loop.progress import SearchProgress
from search.loop.record import BackgroundRecord, run_params, run_tags
from search.loop.study import open_study, study_faults
from search.loop.tally import best_trial, tally
from search.results.package import run_files, study_submission, write_checked_submission
from storage.parent_run import ENDED

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult, Objective
    from storage.layout import Layout

RECORD_SECONDS = 60.0
"""How long a finished search without `--timeout` waits for the rest of its record."""


@dataclass(frozen=True)
class SearchResult:
    """What a search came to.

    Attributes:
        study: The study.
        competition: What was searched.
        run_id: The study's parent run in MLflow; None if MLflow did not answer.
        submission: The best trial's submission; None if no trial ran to its end.
        stopped_by: Why it ended early; None if all trials are there.
        already_finished: Whether there was nothing left to do.
        unrecorded: Pieces of the record that MLflow does not have yet.
    """

    study: Study
    competition: Competition
    run_id: str | None
    submission: Path | None
    stopped_by: str | None
    already_finished: bool
    unrecorded: int


def run_search(config: SearchConfig, layout: Layout) -> SearchResult:
    """Runs a study to its number of trials, or on from where it was left.

    Raises:
        InputFaults: If something is wrong with the input; nothing is changed then.
        KeyboardInterrupt: After everything is closed in order.
    """
    competition = open_competition(config, layout)
    workers = available_cores() if config.workers is None else config.workers
    objective = competition.objective(workers)
    for note in competition.notes:
        print(note)
    with ExitStack() as stack:
        _hold(stack, competition, layout)
        study = _open(competition, objective, config, layout)
        return _Search(config, layout, competition, objective, study, workers).run()


def _hold(stack: ExitStack, competition: Competition, layout: Layout) -> None:
    from storage.study_lock import StudyLockedError, study_lock

    layout.create()
    try:
        stack.enter_context(study_lock(layout, competition.study))
    except StudyLockedError as error:
        raise InputFaults([str(error)]) from None


def _open(competition: Competition, objective: Objective, config: SearchConfig, layout: Layout) -> Study:
    from storage.ledger import open_ledger

    ledger = open_ledger(layout.ledger_url)
    question = competition.question(objective)
    faults = study_faults(ledger, competition.study, question)
    if faults:
        raise InputFaults(faults)
    study = open_study(
        ledger,
        competition.study,
        objective,
        maximize=competition.dataset.metric.greater_is_better,
        trials=config.trials,
        seed=config.seed,
    )
    attributes = {
        "question": question,
        "settings": config.model_dump(mode="json", exclude={"trials", "timeout", "workers"}),
        "run_params": run_params(competition),
        "run_tags": run_tags(competition),
    }
    for name, value in attributes.items():
        if study.user_attrs.get(name) != value:
            study.set_user_attr(name, value)
    return study


@dataclass
class _Search:
    config: SearchConfig
    layout: Layout
    competition: Competition
    objective: Objective
    study: Study
    workers: int

    def run(self) -> SearchResult:
        timeout = math.inf if self.config.timeout is None else self.config.timeout
        deadline = STARTED + timeout - (CLOSING_SECONDS if timeout < math.inf else 0)
        record = BackgroundRecord(self.layout, self.competition, _warn)
        before = tally(self.study).finished
        is_finished = before >= self.config.trials
        if not is_finished:
            self._note_ending(None)
        record.open(self.study, is_finished=is_finished)
        results = open_results(self.competition, self.objective, self.layout)
        print(f"Study {self.competition.study}: {before} of {self.config.trials} trials finished", flush=True)
        try:
            stopped_by = self._coordinate(record, results, deadline)
        except KeyboardInterrupt:
            self._close(record, results, "KILLED", "interrupted", STARTED + timeout)
            raise
        status = "FINISHED" if stopped_by is None else "KILLED"
        submission, unrecorded = self._close(record, results, status, stopped_by, STARTED + timeout)
        return SearchResult(
            study=self.study,
            competition=self.competition,
            run_id=record.parent_run_id,
            submission=submission,
            stopped_by=stopped_by,
            already_finished=is_finished,
            unrecorded=unrecorded,
        )

    def _coordinate(self, record: BackgroundRecord, results: KeptResults, deadline: float) -> str | None:
        progress = SearchProgress(self.study, self.config.trials, deadline)

        def trial_closed(trial: FrozenTrial) -> None:
            record.trial_closed(self.study, trial)
            progress.trial_closed(trial)

        coordinator = Coordinator(
            self.study,
            self.objective,
            open_engine(self.objective, self.workers),
            partial(describe, self.competition),
            partial(results.keep, self.study),
            trial_closed,
        )
        with progress.shown():
            return coordinator.run(self.config.trials, deadline)

    def _close(
        self, record: BackgroundRecord, results: KeptResults, status: str, note: str | None, deadline: float
    ) -> tuple[Path | None, int]:
        self._note_ending({"status": status, "note": note})
        best = best_trial(self.study)
        submission = None
        if best is not None:
            submission = study_submission(self.layout, self.competition.study, best.number)
            prediction = results.store.load(best.number).test
            write_checked_submission(self.competition, prediction, submission)
            model = results.model_folder(best.number)
            files = partial(run_files, self.competition, prediction, model, submission)
            record.attach_best(self.study, best.number, files)
        patience = min(RECORD_SECONDS, max(0.0, deadline - time.monotonic()))
        return submission, record.close(self.study, status, note, patience)

    def _note_ending(self, ending: dict[str, str | None] | None) -> None:
        # In the ledger, so that a record made anew ends its run in the same way.
        if self.study.user_attrs.get(ENDED) != ending:
            self.study.set_user_attr(ENDED, ending)


def describe(competition: Competition, result: CVResult) -> dict[str, float]:
    """A complete result as the metrics of its run, without the mean, which is the trial's value."""
    name = competition.metric_name
    return {
        f"{name}_std": result.std,
        **{f"{name}_fold_{k}": score for k, score in enumerate(result.scores)},
        "best_iteration_mean": sum(result.best_iterations) / len(result.best_iterations),
        "train_size": len(competition.dataset.target),
    }


def _warn(text: str) -> None:
    print(f"Warning: {text}", file=sys.stderr, flush=True)
