"""Whether a configuration would be through before the search's time is up, by what others took."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING

from search.config import RECENT_TRIALS
from search.loop.cost import full_seconds
from search.loop.tally import NEEDED
from search.space.combined import CHOICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from optuna.trial import FrozenTrial

    from objectives.base import Objective


Deadline = Callable[[], float]
"""Tells `time.monotonic()` at which a search ends, as far as is known now."""


def no_deadline() -> float:
    """Never."""
    return math.inf


class Lateness:
    """By how much a whole evaluation would end after the search does.

    It takes as long for its work as the objective's latest trials did, in the middle: the complete ones, and those
    that were given up because they would have taken so long. It waits as long before as the study's complete ones
    did: a worker has the next trial at hand while it is at one.

    Args:
        objective: Knows the work of a configuration beside that of another.
        deadline: When the search ends; infinite: nothing is late, and the clock is not asked, so that the same
            seed suggests the same.
    """

    def __init__(self, objective: Objective, deadline: Deadline = no_deadline) -> None:
        self._objective, self._deadline = objective, deadline

    def __call__(self, trials: Sequence[FrozenTrial], params: Mapping[str, Any]) -> float:
        """Seconds, negative for one that is in time; minus infinity where nothing is known.

        Args:
            trials: All of the study, in order.
            params: A configuration as the study has it.
        """
        deadline = self._deadline()
        if math.isinf(deadline):
            return -math.inf
        known = [(trial, s) for trial in trials[-RECENT_TRIALS:] if (s := _seconds(trial)) is not None]
        of_work = [
            seconds / work
            for trial, seconds in known
            # An objective of one's own may call something no work at all.
            if trial.params.get(CHOICE) == params.get(CHOICE)
            and (work := self._objective.work(trial.params)) > 0
        ]
        if not of_work:
            return -math.inf
        waits = [
            trial.duration.total_seconds() - seconds
            for trial, seconds in known
            if trial.duration and NEEDED not in trial.user_attrs
        ]
        seconds = max(0.0, median(waits or [0.0])) + median(of_work) * self._objective.work(params)
        return time.monotonic() + seconds - deadline


def _seconds(trial: FrozenTrial) -> float | None:
    whole = full_seconds(trial)
    return trial.user_attrs.get(NEEDED) if whole is None else whole
