"""Where one coordinator saturates: `python -m benchmarks.scale [--workers 10 100 1000] [--seconds 60]`.

The workers are simulated, everything else is real: coordinator, sampler, pruner, SQLite ledger. Each simulated
worker holds one trial at work and one behind it, as the engine's do; a trial takes a lognormal time around
`--seconds` and reports eight times. The clock runs while the coordinator computes and jumps while it waits, so
an hour of a thousand workers takes a few minutes:

    busy          share of the workers' time in which they had a trial, from the first wave to the last submission
    coordinator   share of that time in which the coordinator computed; at 1 it is saturated
    late          median seconds between an event and its handling
"""

from __future__ import annotations

import argparse
import heapq
import math
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.trivial import TrivialObjective, curve, result
from search.config import QUEUED_PER_WORKER
from search.loop.engine import Evaluated, Stopped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from objectives.base import Params, Progress
    from search.loop.engine import OnReport, OnWait, Outcome

TRIALS_PER_WORKER = 4
FEWEST_TRIALS = 100
SPREAD = 0.5
"""Standard deviation of the logarithm of a trial's time."""


@dataclass(order=True)
class _Event:
    at: float
    order: int
    number: int = field(compare=False)
    progress: Progress | None = field(compare=False)


@dataclass
class _Trial:
    number: int
    params: Params
    worker: int = -1
    started: float = 0.0
    stopped: bool = False


class _Mark(NamedTuple):
    """The clock at a submission, how much of it was jumped, and how long workers had been idle in all."""

    elapsed: float
    jumped: float
    idle: float


class SimulatedEngine:
    """Workers that take their time on a clock that jumps.

    Args:
        workers: How many.
        seconds: Median time of a trial.
    """

    def __init__(self, workers: int, seconds: float) -> None:
        self.slots = workers * (1 + QUEUED_PER_WORKER)
        self._seconds, self._random = seconds, Random(0)  # noqa: S311 - no secret
        self._free, self._waiting = deque(range(workers)), deque[_Trial]()
        self._trials: dict[int, _Trial] = {}
        self._events: list[_Event] = []
        self._order = 0
        self._jumped, self._begun = 0.0, time.monotonic()
        self._workers = workers
        self._idle, self._changed = 0.0, 0.0
        self._marks: list[_Mark] = []
        self.late: list[float] = []

    @property
    def elapsed(self) -> float:
        """Seconds on the jumping clock."""
        return time.monotonic() - self._begun + self._jumped

    def shares(self) -> tuple[float, float]:
        """How busy the workers were, and the coordinator, between the first wave and the last submission."""
        first, last = self._marks[self._workers - 1], self._marks[-1]
        span = last.elapsed - first.elapsed
        idle = (last.idle - first.idle) / span / self._workers
        return 1 - idle, 1 - (last.jumped - first.jumped) / span

    def submit(self, number: int, params: Params) -> None:
        """Begins the trial, or lets it wait behind another."""
        self._trials[number] = trial = _Trial(number, params)
        self._waiting.append(trial)
        self._begin(self.elapsed)
        self._marks.append(_Mark(self.elapsed, self._jumped, self._idle))

    def next_outcome(
        self,
        on_report: OnReport,
        deadline: float,  # noqa: ARG002 - on another clock
        on_wait: OnWait = lambda: None,  # noqa: ARG002 - nothing to tend
    ) -> Outcome | None:
        """Handles what has happened, or jumps to what happens next."""
        while True:
            event = heapq.heappop(self._events)
            trial = self._trials[event.number]
            if trial.stopped:
                continue
            self._jumped += max(0.0, event.at - self.elapsed)
            self.late.append(self.elapsed - event.at)
            if event.progress is None:
                self._end(trial, event.at)
                return Evaluated(trial.number, event.at - trial.started, result(trial.params))
            if on_report(trial.number, event.progress):
                trial.stopped = True
                self._end(trial, self.elapsed)
                return Stopped(trial.number, self.elapsed - trial.started)

    def close(self) -> None:
        """Nothing runs on."""

    def _begin(self, at: float) -> None:
        self._idle += len(self._free) * max(0.0, at - self._changed)
        self._changed = max(self._changed, at)
        while self._free and self._waiting:
            trial = self._waiting.popleft()
            trial.worker, trial.started = self._free.popleft(), at
            seconds = self._random.lognormvariate(math.log(self._seconds), SPREAD)
            reports = curve(trial.params)
            for i, progress in enumerate(reports, 1):
                self._push(at + seconds * i / (len(reports) + 1), trial, progress)
            self._push(at + seconds, trial, None)

    def _end(self, trial: _Trial, at: float) -> None:
        # A worker does not wait for the coordinator while something is behind its trial.
        self._begin(at)
        self._free.append(trial.worker)
        self._begin(at)

    def _push(self, at: float, trial: _Trial, progress: Progress | None) -> None:
        self._order += 1
        heapq.heappush(self._events, _Event(at, self._order, trial.number, progress))


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=(10, 30, 100, 300, 1000))
    parser.add_argument("--seconds", type=float, default=60.0, help="median time of a trial")
    flags = parser.parse_args(argv)
    print(f"{'workers':>8}{'trials':>8}{'busy':>8}{'coordinator':>13}{'ms a trial':>12}{'late':>10}")
    for workers in flags.workers:
        trials = max(workers * TRIALS_PER_WORKER, FEWEST_TRIALS)
        begun = time.monotonic()
        engine = _simulate(workers, trials, flags.seconds)
        cost = 1e3 * (time.monotonic() - begun) / trials
        busy, coordinator = engine.shares()
        late = median(engine.late)
        print(
            f"{workers:>8}{trials:>8}{busy:>8.3f}{coordinator:>13.3f}{cost:>12.0f}{late:>10.3f}", flush=True
        )
    return 0


def _simulate(workers: int, trials: int, seconds: float) -> SimulatedEngine:
    from search.loop.coordinator import Coordinator
    from search.loop.study import open_study
    from storage.ledger import open_sole_ledger

    objective, engine = TrivialObjective(), SimulatedEngine(workers, seconds)
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_sole_ledger(f"sqlite:///{Path(folder, 'optuna.db')}")
        study = open_study(ledger, "scale", objective, maximize=False, trials=trials, seed=1)
        coordinator = Coordinator(
            study, objective, engine, lambda found: {"std": found.std}, lambda *_: None, lambda _: None
        )
        coordinator.run(trials, math.inf)
    return engine


if __name__ == "__main__":
    raise SystemExit(main())
