"""A study in lines for people."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from search.facts.trial import better_text
from search.loop.progress import duration_text
from search.loop.sparkline import can_show, sparkline
from search.score_text import score_text
from search.table import gain_cell, seconds_cell, table

if TYPE_CHECKING:
    from search.facts.study import StudyFacts

_SPARKLINE_WIDTH = 40
_IMPORTANT = 5


def study_lines(facts: StudyFacts, ledger: str = "") -> list[str]:
    """What a person wants to know of a study, a line each.

    Args:
        facts: The study.
        ledger: Flag that names its ledger, for the commands that are proposed; empty for the project's own.
    """
    return [
        facts.name,
        f"  question: {question_text(facts)}",
        f"  data: {data_text(facts)}",
        *([f"  folds: {facts.split}"] if facts.split else []),
        *([f"  models: {', '.join(facts.objectives)}"] if facts.objectives else []),
        f"  trials: {facts.tally}",
        f"  time: {time_text(facts)}",
        *([f"  stopped early: {facts.ended}"] if facts.ended else []),
        *_convergence(facts),
        *_best(facts),
        *([f"Importance: {importance_text(facts)}"] if facts.importance else []),
        *facts.conclusion,
        f"Submission: {facts.submission or 'none here; search.promote makes it'}",
        *_next(facts, ledger),
    ]


def question_text(facts: StudyFacts) -> str:
    """What is asked, in words."""
    of = f" of {facts.target}" if facts.target else ""
    return f"{facts.metric}{of}, {better_text(facts.higher_is_better)}"


def data_text(facts: StudyFacts) -> str:
    """Where the data are from."""
    known = f" (fingerprint {facts.fingerprint})" if facts.fingerprint else ""
    return f"{facts.data or 'the built-in sample'}{known}"


def time_text(facts: StudyFacts) -> str:
    """What was spent, and when last."""
    moment = facts.last_activity
    last = f", last activity {moment:%Y-%m-%d %H:%M:%S}" if moment else ""
    return f"{duration_text(facts.seconds)} of evaluations{last}"


def importance_text(facts: StudyFacts, most: int = _IMPORTANT) -> str:
    """The parameters that matter most, with their shares."""
    shares = list(facts.importance.items())
    shown = ", ".join(f"{name} {share:.0%}" for name, share in shares[:most])
    rest = len(shares) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def _convergence(facts: StudyFacts) -> list[str]:
    scores = facts.convergence
    if not scores or not can_show(sys.stdout.encoding):
        return []
    bars = sparkline(scores, _SPARKLINE_WIDTH)
    return [f"  best score: {bars} from {score_text(scores[0])} to {score_text(scores[-1])}"]


def _best(facts: StudyFacts) -> list[str]:
    if not facts.best:
        return ["No trial ran to its end yet"]
    heading = ("trial", f"CV {facts.metric}", "± folds", "better than default", "seconds")
    rows = [
        (
            f"{one.number}{' (default)' if one.is_default else ''}",
            score_text(one.score),
            score_text(one.std, one.score),
            "" if one.is_default else gain_cell(one.gain),
            seconds_cell(one.seconds),
        )
        for one in facts.best
    ]
    return ["Best trials:", *table([heading, *rows])]


def _next(facts: StudyFacts, ledger: str) -> list[str]:
    if not facts.best:
        return []
    name, best = shlex.quote(facts.name), facts.best[0].number
    lines = [f"Look: python -m search.show {name} {best}{ledger}"]
    others = [one.number for one in facts.best[1:]]
    if others:
        lines.append(f"Compare: python -m search.compare {name} {best} {others[0]}{ledger}")
    return lines
