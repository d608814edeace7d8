"""What the seconds of a search are for: the search itself, what is made of it at the end, and the record."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from search.config import (
    CLOSING_SECONDS,
    CLOSING_SECONDS_A_CELL,
    CONCLUSION_EVALUATIONS,
    CONCLUSION_FEWEST_EVALUATIONS,
    CONCLUSION_FREE_SECONDS,
    CONCLUSION_LEAST_SECONDS,
    CONCLUSION_SHARE,
    LATE_SHARE,
    LEAVING_SECONDS,
    STOPGAP_SECONDS,
)
from search.loop.cost import full_seconds

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from objectives.base import Progress
    from search.competition import Competition


@dataclass
class TimePlan:
    """The deadlines of one command, by `time.monotonic()`.

    Attributes:
        started: When the command began.
        timeout: Seconds for the whole of it; infinite where there is no limit.
        cells: Of a submission: the more there are, the longer its writing takes.
        begun: When its search began, the data read.
        search_end: When its search ends to leave time for the conclusion, as last reckoned.
    """

    started: float
    timeout: float = math.inf
    cells: int = 0
    begun: float = field(default_factory=time.monotonic)
    search_end: float = field(init=False)
    _whole: list[float] = field(default_factory=list)
    _total: float = 0.0

    def __post_init__(self) -> None:
        self.end_of_search(at_once=1)

    @classmethod
    def of(cls, competition: Competition, started: float, timeout: float | None) -> TimePlan:
        """The one of a command that searches a competition; without a timeout there is no limit."""
        return cls(started, timeout or math.inf, competition.dataset.test_cells)

    @property
    def end(self) -> float:
        """When the last of it has to be under way: the summary, and the end of the process."""
        return self.started + self.timeout - LEAVING_SECONDS

    @property
    def closing(self) -> float:
        """When it has to be clear what is submitted, so that it can be written and recorded."""
        return self.started + self.timeout - CLOSING_SECONDS - CLOSING_SECONDS_A_CELL * self.cells

    def learn(self, trial: FrozenTrial) -> None:
        """Takes in what a trial cost."""
        whole = full_seconds(trial)
        if whole is not None:
            self._whole.append(whole)
        self._total += float(trial.user_attrs.get("metrics", {}).get("seconds", 0.0))

    def reserve(self, at_once: int) -> float:
        """Seconds before `closing` to keep back from the search for its conclusion, by what is known now.

        Before a trial has run to its end there is next to nothing to conclude from; then it takes a number of
        evaluations, within the share.

        Args:
            at_once: Evaluations at the same time.
        """
        if not self._whole:
            return STOPGAP_SECONDS
        evaluation = median(self._whole) / at_once
        # A share of the search's own time is less of both together.
        share = CONCLUSION_SHARE / (1 + CONCLUSION_SHARE) * (self.closing - self.begun)
        if share < CONCLUSION_FEWEST_EVALUATIONS * evaluation:
            # Too little to evaluate anything anew: a search on for so long brings more than waiting.
            return CONCLUSION_LEAST_SECONDS
        return max(CONCLUSION_LEAST_SECONDS, min(CONCLUSION_EVALUATIONS * evaluation, share))

    def end_of_search(self, at_once: int) -> float:
        """Reckons `search_end` anew; `at_once` is as for `reserve`."""
        self.search_end = self.closing - self.reserve(at_once)
        return self.search_end

    def seconds_needed(self, progress: Progress) -> float:
        """What an evaluation that reports this needs yet, at least: as if the running fold were through.

        So one that is late at a fold's end is found late within it; 0 where nobody says how many folds there are.
        """
        if not progress.folds:
            return 0.0
        return progress.seconds / (progress.fold + 1) * (progress.folds - progress.fold - 1)

    def is_late(self, needed: float, until: float) -> bool:
        """Whether an evaluation would end so late that another one had better begin.

        Before one is complete there is nothing to give it up for.

        Args:
            needed: Seconds that it seems to need yet.
            until: `time.monotonic()` at which it has to be through.
        """
        return bool(self._whole) and LATE_SHARE * needed > max(until - time.monotonic(), 0.0)

    def is_too_late(self, until: float) -> bool:
        """Whether not even the shortest whole evaluation so far would be through by a moment.

        A trial that begins then says nothing to anybody, and its seconds are worth more to the conclusion.
        """
        return bool(self._whole) and self.is_late(min(self._whole), until)

    def conclude_until(self, at_once: int) -> float:
        """When the conclusion has to be over; to be asked as it begins.

        The search may have been that of earlier commands, of which only the seconds of the trials are known.
        """
        now = time.monotonic()
        share = CONCLUSION_SHARE * max(now - self.begun, self._total / at_once)
        least = CONCLUSION_FREE_SECONDS if math.isinf(self.timeout) else CONCLUSION_LEAST_SECONDS
        return min(self.closing, now + max(least, share))
