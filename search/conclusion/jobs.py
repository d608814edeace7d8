"""Evaluations beyond the study's trials, on the engine that the search has left warm, until a moment."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from search.loop.engine import EngineLostError, Evaluated
from search.loop.ground import Elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from objectives.base import CVResult, Params, Progress
    from search.loop.engine import Engine

FIRST_NUMBER = 10_000_000
"""Above that of any trial: whoever reads the engine's words can tell a job from a trial."""


class Job(NamedTuple):
    """One evaluation.

    Attributes:
        params: The configuration.
        elsewhere: The folds, the seed, and whether models are wanted.
        seconds: What it is forecast to take; a job that would not be done in time is not begun.
    """

    params: Params
    elsewhere: Elsewhere = Elsewhere()
    seconds: float = 0.0


class Done(NamedTuple):
    """A job's result.

    Attributes:
        order: Of the job, in the order given.
        job: The job.
        seconds: What it took.
        result: What it came to.
    """

    order: int
    job: Job
    seconds: float
    result: CVResult


def run_jobs(
    engine: Engine, jobs: Iterable[Job], deadline: float, on_wait: Callable[[], None] = lambda: None
) -> Generator[Done, None, None]:
    """Evaluates jobs, several at once, and yields each that came to a result, as it ends.

    What has not ended by then, and whatever fails, is left out: an honest choice can be made of fewer. The
    forecasts are corrected by what the first jobs took.

    Args:
        engine: Open, with nothing else submitted.
        jobs: In the order of their importance.
        deadline: `time.monotonic()` at which the rest is abandoned.
        on_wait: Called now and then while nothing ends.
    """
    running: dict[int, tuple[int, Job]] = {}
    taken: list[float] = []
    pace = 1.0
    waiting = list(enumerate(jobs))
    try:
        while waiting or running:
            # No more than run at the same time: what waits behind another would end nobody knows when.
            while waiting and len(running) < engine.at_once:
                index, job = waiting.pop(0)
                if time.monotonic() + pace * job.seconds > deadline:
                    continue
                running[FIRST_NUMBER + index] = index, job
                engine.submit(FIRST_NUMBER + index, job.params, job.elsewhere)
            if not running:
                return
            outcome = engine.next_outcome(_go_on, deadline, on_wait)
            if outcome is not None:
                index, job = running.pop(outcome.number)
                if isinstance(outcome, Evaluated):
                    if job.seconds:
                        taken.append(outcome.seconds / job.seconds)
                        pace = statistics.median(taken)
                    yield Done(index, job, outcome.seconds, outcome.result)
            if time.monotonic() > deadline:
                return
    except EngineLostError:
        return
    finally:
        engine.abandon()


def _go_on(number: int, progress: Progress) -> bool:  # noqa: ARG001 - the form of a listener
    return False
