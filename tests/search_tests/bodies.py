"""What fake objectives do when they are evaluated, here or in a worker process, so all of it can be pickled."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from objectives.base import EvaluationStopped, Progress
from tests.search_tests.fakes import HOPELESS, climb, cv_result

if TYPE_CHECKING:
    from objectives.base import CVResult, Params, Report

PATIENCE_SECONDS = 240.0
"""Bounds what a broken engine would hang in; a sound one never waits for it."""


def wait_for(condition: object, seconds: float = PATIENCE_SECONDS) -> None:
    """Returns when a file is there, or a callable true.

    Raises:
        TimeoutError: After that many seconds.
    """
    until = time.monotonic() + seconds
    while not (condition.exists() if isinstance(condition, Path) else condition()):  # type: ignore[operator]
        if time.monotonic() > until:
            raise TimeoutError(f"waited for {condition}")
        time.sleep(0.005)


def until_stopped(params: Params, report: Report) -> CVResult:  # noqa: ARG001 - the form of a body
    """Reports ten steps, then asks for a stop until it comes."""
    for step in range(10):
        if report(Progress(step, 1.0, 0, step)):
            raise EvaluationStopped
    wait_for(report.stopped)
    raise EvaluationStopped


def until_stopped_for_one_leaf(params: Params, report: Report) -> CVResult:
    """Goes on for n = 1 until it is stopped, climbs for all else."""
    return until_stopped(params, report) if params["n"] == 1 else climb(params, report)


def stopped_between_reports(params: Params, report: Report) -> CVResult:  # noqa: ARG001 - the form of a body
    """Reports once, then only asks."""
    if not report(Progress(0, 1.0, 0, 0)):
        wait_for(report.stopped)
    raise EvaluationStopped


def outruns_the_answer(params: Params, report: Report) -> CVResult:
    """Reports what cannot be good, then goes on to its end whatever the answer."""
    report(Progress(0, HOPELESS, 0, 1))
    report(Progress(1, 1.0, 0, 2))
    return cv_result(params["x"])


def forgets_to_return_for_one_leaf(params: Params, report: Report) -> CVResult:
    """Returns nothing for n = 1, climbs for all else."""
    result = climb(params, report)
    return None if params["n"] == 1 else result  # type: ignore[return-value]


def raises_for_one_leaf(params: Params, report: Report) -> CVResult:
    """Raises for n = 1, climbs for all else."""
    if params["n"] == 1:
        raise ValueError("no leaves")
    return climb(params, report)


def interrupted(params: Params, report: Report) -> CVResult:  # noqa: ARG001 - the form of a body
    """Raises what Ctrl-C does."""
    raise KeyboardInterrupt


def eats_memory_for_one_leaf(params: Params, report: Report) -> CVResult:
    """Holds 300 MB more at each look for n = 1, climbs for all else."""
    if params["n"] != 1:
        return climb(params, report)
    eaten = []
    for _ in range(40):
        eaten.append(bytearray(os.urandom(1) * 300_000_000))
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            report.stopped()
    return cv_result(float(len(eaten)))


@dataclass(frozen=True)
class Meet:
    """Writes a file named after n into a folder, and waits there for as many as shall meet."""

    folder: Path
    count: int

    def __call__(self, params: Params, report: Report) -> CVResult:
        """Scores by n when all are there."""
        (self.folder / str(params["n"])).touch()
        wait_for(lambda: len([*self.folder.iterdir()]) >= self.count)
        report(Progress(0, 1.0, 0, 0))
        return cv_result(float(params["n"]))


@dataclass(frozen=True)
class OneIsStopped:
    """For n = 1 goes on until it is stopped; for all else until a file is there."""

    released: Path

    def __call__(self, params: Params, report: Report) -> CVResult:
        """Scores 1 if it was not stopped."""
        if params["n"] == 1:
            return until_stopped(params, report)
        wait_for(self.released)
        if report(Progress(0, 1.0, 0, 0)):
            raise EvaluationStopped
        return cv_result(1.0)


@dataclass(frozen=True)
class TellsItsEnd:
    """Writes one file when it begins and one when it ends."""

    folder: Path

    def __call__(self, params: Params, report: Report) -> CVResult:
        """Goes on until it is stopped."""
        (self.folder / "started").touch()
        try:
            return until_stopped(params, report)
        finally:
            (self.folder / "ended").touch()


@dataclass(frozen=True)
class DiesAtFirst:
    """Kills its own process after two reports, as often as told, for n = 1 only; notes each attempt's process."""

    folder: Path
    times: int

    def __call__(self, params: Params, report: Report) -> CVResult:
        """Climbs when it has died often enough."""
        if params["n"] != 1:
            return climb(params, report)
        (self.folder / str(os.getpid())).touch()
        if len([*self.folder.iterdir()]) <= self.times:
            for step in range(2):
                report(Progress(step, 2.0 - step, 0, step))
            os.kill(os.getpid(), signal.SIGKILL)
        return climb(params, report)


@dataclass(frozen=True)
class Hangs:
    """For n = 1 never looks whether it shall stop; writes down its process first."""

    folder: Path

    def __call__(self, params: Params, report: Report) -> CVResult:
        """Climbs for all else."""
        if params["n"] == 1:
            (self.folder / str(os.getpid())).touch()
            wait_for(self.folder / "never")
        return climb(params, report)


def never(number: int, progress: Progress) -> bool:  # noqa: ARG001 - the form of a listener
    """Lets everything go on."""
    return False


def limit() -> float:
    """The time by which a sound engine has answered."""
    return time.monotonic() + PATIENCE_SECONDS
