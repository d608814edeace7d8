"""Shows a running search: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from search.loop.sparkline import can_show, sparkline
from search.loop.tally import is_counted, trial_score
from search.loop.time_left import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.trial import FrozenTrial

    from search.loop.live import LiveDisplay
    from search.loop.standing import Standing
    from search.loop.time_left import TimeLeft

_BRIEF_LINES = 20
_SPARKLINE_WIDTH = 24


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

    Where nobody can tell the time left yet, it says so instead of guessing.

    Args:
        standing: Where the study stands.
        trials: How many there shall be.
        deadline: `time.monotonic()` at which the search ends.
        brief: Whether plain lines are only for a new best, each twentieth of the trials, and the last: a notebook
            keeps every line.
        time_left: Forecasts it; None: by the pace of the latest trials.
    """

    def __init__(
        self,
        standing: Standing,
        trials: int,
        deadline: float,
        *,
        brief: bool = False,
        time_left: TimeLeft | None = None,
    ) -> None:
        self._standing, self._trials, self._deadline, self._brief = standing, trials, deadline, brief
        standing.look()
        self._pace = time_left or Pace(standing.finished)
        self._said = (standing.finished, standing.best)
        self._live: LiveDisplay | None = None
        # To be asked before the display takes standard output over, which then has no encoding.
        self._has_bars = can_show(sys.stdout.encoding)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows the live display, on a terminal, as long as the block runs."""
        if not sys.stdout.isatty():
            yield
            return
        from search.loop.live import LiveDisplay

        with LiveDisplay(self._trials) as self._live:
            self._live.show(self._standing.finished, self._convergence(), self._best(), "first trial ...")
            yield

    def trial_closed(self, trial: FrozenTrial) -> None:
        """Updates the display."""
        if not is_counted(trial):
            return
        counts = self._standing
        counts.look()
        self._pace.look(counts.finished)
        pruned = f"{counts.pruned} pruned" + (f", {counts.failed} failed" if counts.failed else "")
        rest = f"{pruned} | {self._time_left(counts.finished)}"
        if self._live is not None:
            self._live.show(counts.finished, self._convergence(), self._best(), rest)
        elif self._is_worth_a_line():
            width = len(str(self._trials))
            print(f"[{counts.finished:>{width}}/{self._trials}] {self._best()} | {rest}", flush=True)

    def _best(self) -> str:
        best = self._standing.best
        return f"best {trial_score(best)} (trial {best.number})" if best else "no complete trial yet"

    def _convergence(self) -> str:
        return sparkline(self._standing.convergence, _SPARKLINE_WIDTH) if self._has_bars else ""

    def _is_worth_a_line(self) -> bool:
        finished, best = self._standing.finished, self._standing.best
        said, said_best = self._said
        is_worth_it = (
            not self._brief
            or best is not said_best
            or (finished - said) * _BRIEF_LINES >= self._trials
            or finished >= self._trials
        )
        if is_worth_it:
            self._said = (finished, best)
        return is_worth_it

    def _time_left(self, finished: int) -> str:
        limit, seconds = self._deadline - time.monotonic(), self._pace.seconds(self._trials - finished)
        if seconds is None:
            return "time left: measuring"
        if seconds > limit:
            return f"{duration_text(max(limit, 0))} left (--timeout)"
        return f"{duration_text(seconds)} left"
