"""How long a search will go on, by what its trials took."""

from __future__ import annotations

import time
from statistics import fmean
from typing import TYPE_CHECKING, Protocol

from search.loop.history import NewlyFinished, trials_as_asked
from search.loop.tally import is_counted, is_worked_at

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_ENOUGH_TO_ESTIMATE = 3


class TimeLeft(Protocol):
    """What forecasts the seconds that a search needs yet."""

    def look(self, finished: int) -> None:
        """Takes in what has happened since the last look; `finished` trials are through by now."""

    def seconds(self, missing: int) -> float | None:
        """Forecasts what so many more finished trials take; None: nobody can tell yet."""
        ...


class Pace:
    """Of trials that are alike: their pace over the later half of what this command saw.

    Pruned ones and those of other coordinators are in it; the first trials run to their end and take longer than the
    rest. It needs three trials.

    Args:
        finished: Trials that were there before.
    """

    def __init__(self, finished: int) -> None:
        self._seen = [(finished, time.monotonic())]

    def look(self, finished: int) -> None:
        """As `TimeLeft` says."""
        self._seen.append((finished, time.monotonic()))

    def seconds(self, missing: int) -> float | None:
        """As `TimeLeft` says."""
        if len(self._seen) <= _ENOUGH_TO_ESTIMATE:
            return None
        (then, since), (now, moment) = self._seen[(len(self._seen) - 1) // 2], self._seen[-1]
        return missing * (moment - since) / max(1, now - then)


class TryoutPace:
    """Where trials are tried out on few rows, and the few that go on take many times as long.

    How many of them come in a while is chance, so no pace says it. Each trial that is not there yet costs a tryout, and
    a whole evaluation as often as one went on so far; those that have gone on cost what is left of one. Of what this
    says from a third on, 62 to 67 % was within 30 % in two searches of 200 trials (`python -m benchmarks.large`).

    Args:
        study: The study.
        tryout_step: The last step of the tryout.
    """

    def __init__(self, study: Study, tryout_step: int) -> None:
        self._study, self._tryout_step = study, tryout_step
        self._began, self._worked = time.monotonic(), 0.0
        self._new = NewlyFinished()
        self._tryouts: list[float] = []
        self._wholes: list[float] = []
        self._going_on: dict[int, float] = {}
        """Since when, by `time.monotonic()`."""
        self._take_in()

    def look(self, finished: int) -> None:  # noqa: ARG002 - it counts by kind
        """As `TimeLeft` says."""
        self._worked += self._take_in()
        now = time.monotonic()
        running = (
            one.number for one in trials_as_asked(self._study) if is_worked_at(one) and self._went_on(one)
        )
        self._going_on = {number: self._going_on.get(number, now) for number in running}

    def seconds(self, missing: int) -> float | None:
        """As `TimeLeft` says; None until a whole evaluation and a tryout are through."""
        now, n_on = time.monotonic(), len(self._going_on)
        spent = [now - since for since in self._going_on.values()]
        # What is worked at at once, other coordinators' workers included, shows in what was done.
        worked = self._worked + sum(spent)
        if not (self._wholes and self._tryouts and worked):
            return None
        whole = fmean(self._wholes)
        share = (len(self._wholes) + n_on) / (len(self._wholes) + n_on + len(self._tryouts))
        each = share * whole + (1 - share) * fmean(self._tryouts)
        rest = sum(max(whole - one, 0.0) for one in spent)
        return (rest + max(missing - n_on, 0) * each) * (now - self._began) / worked

    def _take_in(self) -> float:
        """Sorts what has finished, and returns the seconds that it took."""
        total = 0.0
        for trial in filter(is_counted, self._new.among(trials_as_asked(self._study))):
            seconds = float(trial.user_attrs.get("metrics", {}).get("seconds", 0.0))
            (self._wholes if self._went_on(trial) else self._tryouts).append(seconds)
            total += seconds
        return total

    def _went_on(self, trial: FrozenTrial) -> bool:
        return trial.last_step is not None and trial.last_step > self._tryout_step
