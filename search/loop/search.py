"""One search from settings to written submission: the place where the parts are wired together."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from objectives.data.split.schemes import Splittable
from objectives.environment import environment
from objectives.result_faults import result_fault
from search import STARTED
from search.competition import Competition, open_competition
from search.conclusion.conclude import Concluding, kept_conclusion
from search.conclusion.final_fit import FinalFitting
from search.faults import InputFaults
from search.loop.best import KeptResults, open_results
from search.loop.closing import Closing, Submitted
from search.loop.coordinator import Coordinator
from search.loop.cores import workers_for
from search.loop.ending import INTERRUPTED, Ending
from search.loop.engine import check_cluster, open_engine
from search.loop.ground import Ground
from search.loop.limits import trial_limits
from search.loop.opening import open_search
from search.loop.progress import SearchProgress, duration_text
from search.loop.record import BackgroundRecord, describe
from search.loop.stability import stable
from search.loop.standing import Standing
from search.loop.tally import best_trial, tally
from search.loop.time_left import TryoutPace
from search.loop.time_plan import TimePlan

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import Objective
    from search.conclusion.conclude import Concluded
    from search.conclusion.stopgap import Stopgap
    from search.config import SearchConfig
    from search.loop.coordinator import TrialClosed
    from search.loop.engine import Engine
    from storage.coordination.seat import Seat
    from storage.layout import Layout


@dataclass(frozen=True)
class SearchResult:
    """What a search came to.

    Attributes:
        study: The study.
        competition: What was searched.
        run_id: The study's parent run in MLflow; None if MLflow did not answer.
        submission: That of what was chosen; None if nothing was, or its prediction was not here and there was
            no time to make it again.
        concluded: What the study came to; None if no trial ran to its end, others go on, or there was no time.
        stopgap: What the submission was made from for want of a trial; None: from the study's trials.
        ending: Whether all trials are there, and if not, why.
        already_finished: Whether there was nothing left to do.
        others_go_on: Whether other coordinators still work on the study.
        unrecorded: Pieces of the record that MLflow does not have yet.
    """

    study: Study
    competition: Competition
    run_id: str | None
    submission: Path | None
    concluded: Concluded | None
    stopgap: Stopgap | None
    ending: Ending
    already_finished: bool
    others_go_on: bool
    unrecorded: int


def run_search(
    config: SearchConfig, layout: Layout, *, started: float = STARTED, brief: bool = False
) -> SearchResult:
    """Runs a study to its number of trials, or on from where it was left.

    Args:
        config: The settings.
        layout: The project.
        started: `time.monotonic()` that `--timeout` counts from.
        brief: As for `SearchProgress`.

    Raises:
        InputFaults: If something is wrong with the input; nothing is changed then.
        KeyboardInterrupt: After everything is closed in order.
    """
    competition = open_competition(config, layout)
    workers = config.workers
    if workers is None:
        workers = workers_for(config.trials, competition.dataset.nbytes)
    objective = competition.objective(workers, config.threads)
    if config.cluster:
        check_cluster(config.cluster)
    for note in competition.notes:
        print(note)
    with ExitStack() as stack:
        seat = _take_seat(stack, competition, layout)
        plan = TimePlan.of(competition, started, config.timeout)
        study = open_search(competition, objective, config, layout, seat, deadline=lambda: plan.search_end)
        return _Search(config, layout, competition, objective, study, workers, seat, plan, brief).run()


def _take_seat(stack: ExitStack, competition: Competition, layout: Layout) -> Seat:
    from storage.coordination.seat import take_seat
    from storage.study_lock import StudyLockedError

    layout.create()
    try:
        return stack.enter_context(take_seat(layout, competition.study))
    except StudyLockedError as error:
        raise InputFaults([str(error)]) from None


@dataclass
class _Search:
    config: SearchConfig
    layout: Layout
    competition: Competition
    objective: Objective
    study: Study
    workers: int
    seat: Seat
    plan: TimePlan
    brief: bool

    def run(self) -> SearchResult:
        record = BackgroundRecord(self.layout, self.competition, self.seat, _warn)
        before = tally(self.study).finished
        is_finished = before >= self.config.trials
        record.open(self.study, is_finished=is_finished)
        closing = Closing(
            self.competition, self.study, self.objective, self.layout, self.seat, record, self.plan
        )
        print(f"Study {self.competition.study}: {before} of {self.config.trials} trials finished", flush=True)
        try:
            ending, concluded, submitted = self._searched(record, closing, is_finished=is_finished)
        except KeyboardInterrupt:
            closing.leave(INTERRUPTED, closing.submit(INTERRUPTED, None, give_up=True))
            raise
        closed = closing.leave(ending, submitted)
        return SearchResult(
            study=self.study,
            competition=self.competition,
            run_id=record.parent_run_id,
            submission=submitted.path,
            concluded=concluded,
            stopgap=submitted.stopgap,
            ending=ending,
            already_finished=is_finished,
            others_go_on=not closed.is_last,
            unrecorded=closed.unrecorded,
        )

    @cached_property
    def _results(self) -> KeptResults:
        return open_results(self.competition, self.objective, self.layout)

    def _searched(
        self, record: BackgroundRecord, closing: Closing, *, is_finished: bool
    ) -> tuple[Ending, Concluded | None, Submitted]:
        """Searches, concludes with the same workers, and writes the submission before they take their leave."""
        plan, tryout_step = self.plan, self.objective.tryout_step()
        progress = SearchProgress(
            Standing(self.study),
            self.config.trials,
            plan.closing,
            brief=self.brief,
            time_left=None if tryout_step is None else TryoutPace(self.study, tryout_step),
        )
        for trial in self.study.get_trials(deepcopy=False):
            plan.learn(trial)

        def trial_closed(trial: FrozenTrial) -> None:
            plan.learn(trial)
            record.trial_closed(self.study, trial)
            record.show(self.study)
            progress.trial_closed(trial)

        with self._engine(is_finished=is_finished) as engine:
            coordinator = self._coordinator(engine, record, trial_closed, plan)
            with progress.shown():
                ending = coordinator.run(self.config.trials, plan.closing)
            concluded = self._concluded(engine, plan)
            return ending, concluded, closing.submit(ending, concluded)

    def _coordinator(
        self, engine: Engine, record: BackgroundRecord, trial_closed: TrialClosed, plan: TimePlan
    ) -> Coordinator:
        return Coordinator(
            self.study,
            self.objective,
            engine,
            partial(describe, self.competition),
            partial(self._results.keep, self.study),
            trial_closed,
            partial(result_fault, self.competition.dataset, self.competition.folds),
            {"environment": environment(self.objective.threads)},
            trial_started=partial(record.trial_started, self.study),
            seat=self.seat,
            enough=stable if self.config.until_stable else None,
            plan=plan,
        )

    def _concluded(self, engine: Engine, plan: TimePlan) -> Concluded | None:
        # Whoever leaves last concludes: a trial more makes another conclusion.
        if best_trial(self.study) is None or self.seat.has_others():
            return None
        deadline = plan.conclude_until(engine.at_once)
        if kept_conclusion(self.study) is None:
            print(f"Concluding, for {duration_text(deadline - time.monotonic())} at most", flush=True)
        results = self._results
        fits = FinalFitting(self.competition, self.objective, engine, results.keep_model)
        study, store, until = self.study, results.store, plan.closing
        return Concluding(
            study, self.competition, store, engine, self.layout, deadline, fits, restore_until=until
        ).run()

    def _engine(self, *, is_finished: bool) -> AbstractContextManager[Engine]:
        data = self.competition.dataset
        rows = Splittable(data.target, data.task, data.keys)
        # Processes are not started for nothing: a finished search is repeated to see its summary.
        return open_engine(
            Ground(self.objective, self.competition.folds, rows),
            0 if is_finished else self.workers,
            self.layout.workers,
            cluster=None if is_finished else self.config.cluster,
            limits=trial_limits(self.config.trial_timeout, self.config.memory_per_worker),
            models_from=self._results.models_from,
        )


def _warn(text: str) -> None:
    print(f"Warning: {text}", file=sys.stderr, flush=True)
