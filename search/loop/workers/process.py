"""What runs inside a worker process: it holds the objective, evaluates and reports. It opens no database."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from search.loop.engine import Evaluated, Limits, OverLimitError, Threshold
from search.loop.ground import without_models
from search.loop.limits import over_memory, over_time, resident_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from objectives.base import Params, Progress
    from search.loop.engine import Outcome
    from search.loop.ground import Elsewhere, Ground
    from search.loop.workers.objective_file import ObjectiveFile

LOOK_SECONDS = 0.02

STARTED, REPORTED = "started", "reported"
"""First words of what a worker says while a trial runs."""


class Assignment(NamedTuple):
    """One trial for a worker.

    Attributes:
        key: Identifies this attempt at the trial.
        number: The trial's number.
        params: Its configuration.
        objective: What evaluates it.
        topic: Where to report.
        limits: What it may use.
        models_from: When to send its models; None: always.
        elsewhere: Where it is evaluated; None: on the study's folds. It says itself whether models are wanted.
    """

    key: str
    number: int
    params: Params
    objective: ObjectiveFile
    topic: str
    limits: Limits
    models_from: Threshold | None
    elsewhere: Elsewhere | None = None


class TrialEnd(NamedTuple):
    """How a trial ended on its worker.

    Attributes:
        outcome: The outcome.
        reports: All its reports: those sent on the way may come later than the end itself.
        resident_bytes: Memory of the worker process afterwards.
    """

    outcome: Outcome
    reports: Sequence[Progress]
    resident_bytes: int


_LOADED: dict[str, Ground] = {}
_RUNNING: dict[str, _WorkerLine] = {}
# A Dask worker with several threads would otherwise run as many trials in one process at once.
_ONE_AT_A_TIME = threading.Lock()


def evaluate_trial(assignment: Assignment) -> TrialEnd:
    """Evaluates a trial; the whole of a Dask task.

    Raises:
        ObjectiveMissingError: If the objective did not reach this worker.
    """
    with _ONE_AT_A_TIME:
        ground = _load(assignment.objective)
        line = _RUNNING[assignment.key] = _WorkerLine(assignment)
        try:
            line.say(STARTED)
            outcome = ground.evaluate(assignment.number, assignment.params, line, assignment.elsewhere)
        finally:
            del _RUNNING[assignment.key]
    threshold = None if assignment.elsewhere else assignment.models_from
    if threshold and isinstance(outcome, Evaluated) and not threshold.is_met(outcome.result.mean):
        outcome = without_models(outcome)
    return TrialEnd(outcome, tuple(line.reports), resident_bytes())


def stop_trial(key: str) -> None:
    """Tells a running trial to stop; does nothing if it has ended."""
    line = _RUNNING.get(key)
    if line is not None:
        line.stop.set()


class _WorkerLine:
    def __init__(self, assignment: Assignment) -> None:
        from distributed import get_worker

        self._worker = get_worker()
        self._topic, self._key, self._limits = assignment.topic, assignment.key, assignment.limits
        self._start = self._looked = time.monotonic()
        self.reports: list[Progress] = []
        self.stop = threading.Event()

    def __call__(self, progress: Progress) -> bool:
        # Numbers of numpy would be pickled one by one on their way.
        value = getattr(progress.value, "item", lambda: progress.value)()
        plain = progress._replace(value=value, seconds=time.monotonic() - self._start)
        self.reports.append(plain)
        self.say(REPORTED, *plain)
        return self.stopped()

    def stopped(self) -> bool:
        now = time.monotonic()
        excess = over_time(self._limits, now - self._start)
        if now - self._looked > LOOK_SECONDS:
            self._looked = now
            excess = excess or over_memory(self._limits)
            if not self._is_wanted():
                self.stop.set()
        if excess:
            raise OverLimitError(excess)
        return self.stop.is_set()

    def _is_wanted(self) -> bool:
        # A coordinator that was killed tells nobody to stop, but its scheduler lets go of what it asked for.
        task = self._worker.state.tasks.get(self._key)
        return task is None or task.state not in {"cancelled", "resumed"}

    def say(self, *words: object) -> None:
        self._worker.log_event(self._topic, (self._key, resident_bytes(), *words))


def _load(file: ObjectiveFile) -> Ground:
    if file.digest not in _LOADED:
        from distributed import get_worker

        ground = file.load(Path(get_worker().local_directory))
        # One at a time: the data of an earlier study would stay in memory for nothing.
        _LOADED.clear()
        _LOADED[file.digest] = ground
    return _LOADED[file.digest]
