"""The ladder that an evaluation climbs: fold after fold, in each the same steps for every configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from objectives.base import EvaluationStopped, Progress, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

# Progress is learning_rate x rounds, so that slow and fast learners are compared at the same point.
RUNGS = (1.5, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0)
STEPS_PER_FOLD = len(RUNGS) + 1
PATIENCE = 5.0
MOST = 300.0


@dataclass(frozen=True)
class Climb:
    """A fold's place on the ladder: the tryout on a few rows first, where there is one, then fold after fold.

    Attributes:
        first_step: Step of its first rung.
        fold: Index of the fold, from 0.
        done: Final scores of the folds before it.
        report: Told the running estimate of the mean score.
        folds: How many there are.
    """

    first_step: int
    fold: int
    done: tuple[float, ...]
    report: Report
    folds: int = 0

    def tell(self, rung: int, score: float, iteration: int) -> None:
        """Reports the fold's best score so far.

        Raises:
            EvaluationStopped: If the answer is stop.
        """
        value = (sum(self.done) + score) / (len(self.done) + 1)
        if self.report(Progress(self.first_step + rung, value, self.fold, iteration, self.folds)):
            raise EvaluationStopped

    def check(self) -> None:
        """Asks for a stop that came between two rungs.

        Raises:
            EvaluationStopped: If there is one.
        """
        if self.report.stopped():
            raise EvaluationStopped


@dataclass(frozen=True)
class StopsOnly:
    """A report line that passes on a stop, but no score: the rows that it would be of have been fitted."""

    report: Report

    def __call__(self, progress: Progress) -> bool:  # noqa: ARG002 - the protocol's form
        """Whether a stop has arrived, whatever the progress."""
        return self.stopped()

    def stopped(self) -> bool:
        """Whether a stop has arrived."""
        return self.report.stopped()


def rungs(rate: float) -> Iterator[tuple[int, int] | None]:
    """Each rung's index and the round that reaches it at a learning rate; then None for ever."""
    for step, progress in enumerate(RUNGS):
        yield step, math.ceil(progress / rate)
    while True:
        yield None
