"""The best score so far, trial by trial: the curve on a study's run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime


class Completed(Protocol):
    """A trial that ran to its end, as far as the curve goes."""

    @property
    def number(self) -> int:
        """Its number."""
        ...

    @property
    def value(self) -> float | None:
        """Its score."""
        ...

    @property
    def datetime_complete(self) -> datetime | None:
        """Its end."""
        ...


class CurvePoint(NamedTuple):
    """What one completed trial adds to the curve.

    Attributes:
        trial: The completed trial.
        best: The best of those completed until then, itself included.
        steps: Where the best's score belongs: the trial's number, and the highest number so far where a late
            trial improved on it. MLflow shows the value at the highest step as the metric's last.
    """

    trial: Completed
    best: Completed
    steps: tuple[int, ...]


def best_curve(trials: Iterable[Completed], *, maximize: bool) -> Iterator[CurvePoint]:
    """Yields a point for each of the completed trials given, in the order of their completion."""
    best: Completed | None = None
    highest = -1
    for trial in sorted(trials, key=_completion):
        if best is None or _is_better(trial, best, maximize=maximize):
            best = trial
        highest = max(highest, trial.number)
        is_late = best is trial and trial.number < highest
        yield CurvePoint(trial, best, (trial.number, highest) if is_late else (trial.number,))


def _completion(trial: Completed) -> tuple[float, int]:
    moment = trial.datetime_complete
    return (moment.timestamp() if moment else 0.0, trial.number)


def _is_better(trial: Completed, best: Completed, *, maximize: bool) -> bool:
    assert trial.value is not None
    assert best.value is not None
    return trial.value > best.value if maximize else trial.value < best.value
