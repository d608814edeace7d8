"""Asks, submits, listens, prunes, tells: the one place that drives a study."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from search.config import MOST_FAILURES_IN_A_ROW
from search.loop.engine import Broken, Engine, Evaluated, Outcome
from search.loop.study import interrupt, is_counted

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from objectives.base import CVResult, Objective, Progress

TrialClosed = Callable[["FrozenTrial"], None]


@dataclass
class _Running:
    trial: Trial
    last: Progress | None = None
    pruned: bool = False


@dataclass
class Coordinator:
    """Drives one study to a number of finished trials.

    It alone reads and writes the study, in one thread, so `trials` is exact and the sampler sees every
    pending trial. With one slot the same seed gives the same trials, whatever the timing: a trial is
    pruned at the report that decided it, and the next is asked for only when it has ended.

    Attributes:
        study: The study; its lock is held by the caller.
        objective: What is searched.
        engine: Where configurations are evaluated.
        describe: Metrics to keep with a complete trial.
        keep: Called with each complete result before it is told, so that nothing told is without its files.
        trial_closed: Called after each trial is told.
    """

    study: Study
    objective: Objective
    engine: Engine
    describe: Callable[[CVResult], dict[str, float]]
    keep: Callable[[int, CVResult], None]
    trial_closed: TrialClosed
    _running: dict[int, _Running] = field(default_factory=dict)
    _finished: int = 0
    _failures: list[str] = field(default_factory=list)

    def run(self, trials: int, deadline: float) -> str | None:
        """Runs until the study has `trials` finished trials.

        Args:
            trials: The study's total, earlier ones included.
            deadline: `time.monotonic()` at which to stop; what runs then is closed and queued again.

        Returns:
            None when all trials are there, else why it stopped.

        Raises:
            KeyboardInterrupt: After the running trials are closed and queued again.
        """
        self._finished = sum(is_counted(t) for t in self.study.get_trials(deepcopy=False))
        try:
            return self._loop(trials, deadline)
        except BaseException:
            self._close_running("interrupted")
            raise
        finally:
            self.engine.close()

    def _loop(self, trials: int, deadline: float) -> str | None:
        while self._finished < trials:
            while self._finished + len(self._running) < trials and len(self._running) < self.engine.slots:
                self._start_next()
            outcome = self.engine.next_outcome(self._on_report, deadline)
            if outcome is None or time.monotonic() > deadline:
                if outcome is not None:
                    self._close(outcome)
                if self._finished >= trials:
                    break
                self._close_running("the time was up")
                return "the time was up"
            self._close(outcome)
            if len(self._failures) >= MOST_FAILURES_IN_A_ROW:
                self._close_running("the search was stopped")
                return f"{len(self._failures)} trials failed in a row, the last with: {self._failures[-1]}"
        return None

    def _start_next(self) -> None:
        trial = self.study.ask(fixed_distributions=self.objective.space())
        self._running[trial.number] = _Running(trial)
        self.engine.submit(trial.number, trial.params)

    def _on_report(self, number: int, progress: Progress) -> bool:
        running = self._running[number]
        if not running.pruned:
            running.last = progress
            running.trial.report(progress.value, progress.step)
            running.pruned = running.trial.should_prune()
        return running.pruned

    def _close(self, outcome: Outcome) -> None:
        running = self._running[outcome.number]
        trial = running.trial
        metrics: dict[str, float] = {"seconds": outcome.seconds}
        if isinstance(outcome, Broken):
            self._failures.append(outcome.reason)
            trial.set_user_attr("reason", outcome.reason)
            trial.set_user_attr("metrics", metrics)
            self._tell(trial, "FAIL")
            return
        self._failures.clear()
        if running.pruned and running.last is not None:
            last = running.last
            metrics |= {
                "pruned_step": last.step,
                "pruned_fold": last.fold,
                "pruned_iteration": last.iteration,
            }
            trial.set_user_attr("metrics", metrics)
            self._tell(trial, "PRUNED")
        elif isinstance(outcome, Evaluated):
            self.keep(trial.number, outcome.result)
            trial.set_user_attr("metrics", metrics | self.describe(outcome.result))
            self._tell(trial, "COMPLETE", outcome.result.mean)

    def _tell(self, trial: Trial, state: str, value: float | None = None) -> None:
        from optuna.trial import TrialState

        frozen = self.study.tell(trial, value, state=TrialState[state])
        del self._running[trial.number]
        self._finished += 1
        self.trial_closed(frozen)

    def _close_running(self, reason: str) -> None:
        from optuna.trial import TrialState

        self.engine.close()
        # A signal may have come while a trial was being asked for, which is then known to the study only.
        asked = {t.number for t in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))}
        for number in sorted({*self._running, *asked}):
            self._running.pop(number, None)
            interrupt(self.study, self.study.trials[number], reason)
            self.trial_closed(self.study.trials[number])
