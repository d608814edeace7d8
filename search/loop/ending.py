"""How a search ends: with all its trials, with nothing new to try, for want of time, or of success."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.config import MOST_FAILURES_IN_A_ROW
from search.loop.tally import is_counted

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Ending:
    """How a search ended.

    Attributes:
        reason: Why there are fewer trials than asked for; None if all are there.
        status: FINISHED, KILLED or FAILED, as the study's run in MLflow has it.
    """

    reason: str | None = None
    status: str = "FINISHED"


ALL_THERE = Ending()
EXHAUSTED = Ending("every configuration of the search space has been tried")
TIME_UP = Ending("the time was up", "KILLED")
INTERRUPTED = Ending("interrupted", "KILLED")


def too_many_failures(study: Study) -> Ending | None:
    """The ending of a study whose last trials have all failed, with their most frequent cause.

    The count goes on over several commands and coordinators, so that a command which is started over and over
    cannot burn a study; but as only a failure makes anybody ask, each command has one try.
    """
    failures = _failures_in_a_row(study)
    if len(failures) < MOST_FAILURES_IN_A_ROW:
        return None
    causes = [str(trial.user_attrs.get("reason", "no reason given")) for trial in failures]
    # The same cause may name another round or row each time.
    kind, times = Counter(map(_without_numbers, causes)).most_common(1)[0]
    example = next(cause for cause in causes if _without_numbers(cause) == kind)
    return Ending(
        f"{len(failures)} trials failed in a row, {_share(times, len(failures))} with: {example}", "FAILED"
    )


def _failures_in_a_row(study: Study) -> list[FrozenTrial]:
    """The failed trials since the last that did not fail, latest first."""
    ended = [trial for trial in study.get_trials(deepcopy=False) if is_counted(trial)]
    ended.sort(key=lambda trial: (trial.datetime_complete, trial.number), reverse=True)
    successes = (n for n, trial in enumerate(ended) if trial.state.name != "FAIL")
    return ended[: next(successes, len(ended))]


def _without_numbers(cause: str) -> str:
    return re.sub(r"\d+", "#", cause)


def _share(times: int, of: int) -> str:
    return "all" if times == of else f"{times} of them"
