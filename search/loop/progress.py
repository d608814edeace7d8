"""Shows a running search: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from search.loop.tally import is_counted, score_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.trial import FrozenTrial
    from rich.progress import Progress, TaskID

    from search.loop.standing import Standing

_ENOUGH_TO_ESTIMATE = 3


def duration_text(seconds: float) -> str:
    """A duration for people: `45 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


class SearchProgress:
    """Says after each trial how far the search is.

    The time left is the study's pace per finished trial over the later half of what this command saw, pruned
    ones and those of other coordinators included, times what is missing: the first trials run to their end and
    take longer than the rest. Before three own trials it says so instead of guessing.
    """

    def __init__(self, standing: Standing, trials: int, deadline: float) -> None:
        self._standing, self._trials, self._deadline = standing, trials, deadline
        standing.look()
        self._seen = [(standing.finished, time.monotonic())]
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows the bar, on a terminal, as long as the block runs."""
        if not sys.stdout.isatty():
            yield
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        with Progress(BarColumn(30), MofNCompleteColumn(), TextColumn("{task.description}")) as self._bar:
            self._task = self._bar.add_task("first trial ...", total=self._trials)
            yield

    def trial_closed(self, trial: FrozenTrial) -> None:
        """Updates the display."""
        if not is_counted(trial):
            return
        counts = self._standing
        counts.look()
        self._seen.append((counts.finished, time.monotonic()))
        best = counts.best
        parts = [f"best {score_text(best)} (trial {best.number})" if best else "no complete trial yet"]
        parts.append(f"{counts.pruned} pruned" + (f", {counts.failed} failed" if counts.failed else ""))
        parts.append(self._time_left(counts.finished))
        line = " | ".join(parts)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=counts.finished, description=line)
        else:
            width = len(str(self._trials))
            print(f"[{counts.finished:>{width}}/{self._trials}] {line}", flush=True)

    def _time_left(self, finished: int) -> str:
        limit = self._deadline - time.monotonic()
        if len(self._seen) <= _ENOUGH_TO_ESTIMATE:
            return "time left: measuring"
        (then, since), (now, moment) = self._seen[(len(self._seen) - 1) // 2], self._seen[-1]
        seconds = (self._trials - finished) * (moment - since) / max(1, now - then)
        if seconds > limit:
            return f"{duration_text(max(limit, 0))} left (--timeout)"
        return f"{duration_text(seconds)} left"
