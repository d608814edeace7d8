"""Asks, submits, listens, prunes, tells: the one place that drives a study."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from objectives.result_faults import score_fault
from search import stopping
from search.config import WAIT_SECONDS
from search.loop.claims import Claims, open_claims
from search.loop.ending import ALL_THERE, EXHAUSTED, TIME_UP, Ending, too_many_failures
from search.loop.engine import Broken, Engine, EngineLostError, Evaluated, Outcome, Stopped
from search.loop.running import RunningTrial, finish
from search.loop.tally import is_counted
from storage.coordination.seat import Seat, SoleSeat

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult, Objective, Progress

UNASKED = "EvaluationStopped: it stopped without being told to"
TrialClosed = Callable[["FrozenTrial"], None]
TrialStarted = Callable[[int], None]


class Plan(Protocol):
    """What a search's time is for; see `search.loop.time_plan.TimePlan`."""

    def end_of_search(self, at_once: int) -> float:
        """When to stop, by `time.monotonic()`, as far as is known now."""
        ...

    def seconds_needed(self, progress: Progress) -> float:
        """What an evaluation that reports this needs yet, at least; 0: nobody knows."""
        ...

    def is_late(self, needed: float, until: float) -> bool:
        """Whether one that needs so long would end so late after a moment that another one had better begin."""
        ...

    def is_too_late(self, until: float) -> bool:
        """Whether none that begins now would be through by a moment."""
        ...


class NoPlan:
    """All the time is for the search, and every evaluation is ended."""

    def end_of_search(self, at_once: int) -> float:  # noqa: ARG002 - the plan's form
        """Never before it is told to."""
        return math.inf

    def seconds_needed(self, progress: Progress) -> float:  # noqa: ARG002
        """Nobody knows."""
        return 0.0

    def is_late(self, needed: float, until: float) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def is_too_late(self, until: float) -> bool:  # noqa: ARG002
        """Never."""
        return False


@dataclass
class Coordinator:
    """Drives one study to a number of finished trials, alone or together with others.

    It reads and writes the study in one thread, and counts and asks while no other does, so `trials` is exact
    and the sampler sees every pending trial. Alone and with one slot the same seed gives the same trials,
    whatever the timing: a trial is pruned at the report that decided it, and the next is asked for only when
    it has ended.

    Attributes:
        study: The study.
        objective: What is searched.
        engine: Where configurations are evaluated.
        describe: Metrics to keep with a complete trial.
        keep: Called with each complete result before it is told, so that nothing told is without its files.
        trial_closed: Called after each trial that this coordinator closed, its own or a dead one's.
        fault: Says what is wrong with a complete result, which then is a failure; None if nothing is.
        environment: Kept with each trial: what else its result may depend on.
        trial_started: Called with a trial's number after it was asked for.
        seat: Its place at the study, held by the caller.
        enough: Says that the study needs no more trials, though there are fewer than asked for.
        plan: What its time is for.
    """

    study: Study
    objective: Objective
    engine: Engine
    describe: Callable[[CVResult], dict[str, float]]
    keep: Callable[[int, CVResult], None]
    trial_closed: TrialClosed
    fault: Callable[[CVResult], str | None] = score_fault
    environment: dict[str, Any] = field(default_factory=dict)
    trial_started: TrialStarted | None = None
    seat: Seat = field(default_factory=SoleSeat)
    enough: Callable[[Study], Ending | None] | None = None
    plan: Plan = field(default_factory=NoPlan)
    _running: dict[int, RunningTrial] = field(default_factory=dict)
    _late: set[int] = field(default_factory=set)
    """Given up because they would not end in time. Running still to the study: at the end they are queued again."""
    _until: float = math.inf

    def run(self, trials: int, deadline: float) -> Ending:
        """Runs until the study has `trials` finished trials, or there is nothing new to try.

        The engine stays open, for what is made of the study with the same warm workers.

        Args:
            trials: The study's total, earlier ones and those of other coordinators included.
            deadline: `time.monotonic()` at which to stop; what runs here then is closed and queued again.

        Raises:
            KeyboardInterrupt: After the running trials are closed and queued again.
        """
        claims = open_claims(self.study, self.objective.space(), trials, self.seat)
        try:
            ending = self._loop(claims, trials, deadline)
        except EngineLostError as error:
            self._close_running(claims, "its workers were lost")
            return Ending(str(error), "KILLED")
        except BaseException:
            self._close_running(claims, "interrupted")
            raise
        else:
            if self._late:
                self._close_running(claims, "it would have ended too late")
            return ending

    def _loop(self, claims: Claims, trials: int, deadline: float) -> Ending:
        while self.seat.insist(claims.finished) < trials:
            stopping.insist()
            if self.enough and (ending := self.enough(self.study)):
                self._close_running(claims, "the search was stopped")
                return ending
            self._until = min(deadline, self.plan.end_of_search(self.engine.at_once))
            if not self.plan.is_too_late(self._until):
                self._start_what_is_due(claims)
            elif not self._running:
                return TIME_UP
            if not self._running and self.seat.insist(claims.is_exhausted):
                return TIME_UP if self._late else EXHAUSTED
            outcome = self._next_outcome(claims, self._until)
            state = None if outcome is None else self._close(claims, outcome)
            if time.monotonic() > self._until:
                if self.seat.insist(claims.finished) >= trials:
                    break
                self._close_running(claims, "the time was up")
                return TIME_UP
            if state == "FAIL" and (ending := too_many_failures(self.study)):
                self._close_running(claims, "the search was stopped")
                return ending
        return ALL_THERE

    def _start_what_is_due(self, claims: Claims) -> None:
        while len(self._running) < self.engine.slots:
            trial = claims.claim(self._running)
            if trial is None:
                return
            running = RunningTrial(trial)
            self._give_up_if_late(running, self.seat.insist(partial(running.known_to_need, self.study)))
            if running.is_late:
                self._late.add(trial.number)
                continue
            self._running[trial.number] = running
            if self.trial_started:
                self.trial_started(trial.number)
            self.engine.submit(trial.number, trial.params)

    def _next_outcome(self, claims: Claims, deadline: float) -> Outcome | None:
        if self._running:
            return self.engine.next_outcome(self._on_report, deadline, lambda: self._tend(claims))
        # The rest runs elsewhere. Should its coordinator die, it comes back to be claimed here.
        self._tend(claims)
        time.sleep(max(0.0, min(WAIT_SECONDS, deadline - time.monotonic())))
        return None

    def _tend(self, claims: Claims) -> None:
        stopping.insist()
        closed, lost = claims.tend({*self._running, *self._late})
        for trial in closed:
            self.trial_closed(trial)
        for number in lost - self._late:
            self._running[number].is_lost = True
        self._late -= lost

    def _on_report(self, number: int, progress: Progress) -> bool:
        running = self._running[number]
        if not running.is_over:
            self.seat.insist(lambda: running.report(progress))
            self._give_up_if_late(running, self.plan.seconds_needed(progress), progress.seconds)
        return running.is_over

    def _give_up_if_late(self, running: RunningTrial, needed: float, so_far: float = 0.0) -> None:
        if not running.is_over and self.plan.is_late(needed, self._until):
            self.seat.insist(lambda: running.give_up(self.study, so_far + needed))

    def _close(self, claims: Claims, outcome: Outcome) -> str | None:
        """Tells the study how a trial ended, and returns its state; None for one that is not its own any more."""
        running = self._running[outcome.number]
        if running.is_lost:
            del self._running[outcome.number]
            return None
        if running.is_late and isinstance(outcome, Stopped):
            self._late.add(outcome.number)
            del self._running[outcome.number]
            return None
        metrics: dict[str, float] = {"seconds": outcome.seconds}
        if running.pruned and running.last is not None and not isinstance(outcome, Broken):
            return self._tell(claims, running, "PRUNED", {"metrics": metrics | running.where()})
        reason = self._reason(outcome)
        if reason is not None or not isinstance(outcome, Evaluated):
            return self._tell(claims, running, "FAIL", {"reason": reason, "metrics": metrics})
        result = outcome.result
        self.keep(outcome.number, result)
        facts = {
            "oof_hash": result.oof_hash,
            "model_hash": result.model_hash,
            "metrics": metrics | self.describe(result),
        }
        return self._tell(claims, running, "COMPLETE", facts, result.mean)

    def _reason(self, outcome: Outcome) -> str | None:
        """Why the trial has failed, if it has."""
        fault = self._running[outcome.number].fault
        if fault is not None:
            return fault
        if isinstance(outcome, Broken):
            return outcome.reason
        if isinstance(outcome, Stopped):
            return UNASKED
        return self.fault(outcome.result)

    def _tell(
        self,
        claims: Claims,
        running: RunningTrial,
        state: str,
        facts: dict[str, Any],
        value: float | None = None,
    ) -> str | None:
        trial = running.trial
        facts = self.environment | facts
        frozen = self.seat.insist(lambda: finish(self.study, trial, state, facts, value))
        del self._running[trial.number]
        # Where another coordinator has closed it, that one records it too.
        if not is_counted(frozen):
            return None
        claims.told()
        self.trial_closed(frozen)
        return state

    def _close_running(self, claims: Claims, reason: str) -> None:
        self.engine.abandon()
        closed = claims.close_own(self._running, reason)
        self._running.clear()
        self._late.clear()
        for trial in closed:
            self.trial_closed(trial)
