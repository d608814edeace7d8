"""Results as pieces of a page: everything in them, all text escaped, readable on light and dark."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from search.facts.study_lines import question_text
from search.facts.trial_lines import score_lines, time_text
from search.loop.progress import duration_text
from search.score_text import score_text
from search.table import gain_cell, seconds_cell, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.facts.study import StudyFacts
    from search.facts.trial import TrialFacts
    from search.results.promotion import Promotion

_IMPORTANT = 8
_LEFT, _RIGHT, _TOP, _BOTTOM = 4, 556, 8, 120
_MOST_POINTS = 400


class Curve(NamedTuple):
    """A polyline in the drawing's coordinates.

    Attributes:
        points: As SVG has them.
        default: Height of the default configuration's score; None if it has none.
    """

    points: str
    default: float | None


def study_page(facts: StudyFacts) -> str:
    """A summary of a study."""
    return _rendered(
        "study.html",
        facts=facts,
        best=facts.best[0] if facts.best else None,
        question=question_text(facts),
        data=facts.data or "the built-in sample",
        importance=list(facts.importance.items())[:_IMPORTANT],
        curve=convergence_curve(facts),
    )


def trial_page(facts: TrialFacts) -> str:
    """One trial."""
    lines = [line.strip() for line in score_lines(facts)]
    return _rendered("trial.html", facts=facts, lines=lines, time=time_text(facts))


def promotion_page(done: Promotion) -> str:
    """What was promoted, and where its files are."""
    files = [
        ("Submission", done.submission), ("Record", done.record), ("Model", done.model), ("Run", done.run_id)
    ]  # fmt: skip
    return _rendered("promotion.html", done=done, files=files)


def convergence_curve(facts: StudyFacts) -> Curve | None:
    """The best score as of each trial, as steps; None of fewer than two."""
    scores = facts.convergence
    if len(scores) < 2:  # noqa: PLR2004 - one is no curve
        return None
    default = next((one.score for one in facts.best if one.is_default), None)
    known = [*scores, *([default] if default is not None else [])]
    low, high = min(known), max(known)

    def height(score: float) -> float:
        share = (high - score) / (high - low) if high > low else 0.5
        return round(_TOP + share * (_BOTTOM - _TOP), 1)

    points = [f"{x:g},{height(score):g}" for x, score in _steps(scores)]
    return Curve(" ".join(points), None if default is None else height(default))


def _steps(scores: Sequence[float]) -> list[tuple[float, float]]:
    n = len(scores)
    stride = max(1, n // _MOST_POINTS)
    shown = [*range(0, n, stride)]
    if shown[-1] != n - 1:
        shown.append(n - 1)
    places = [(round(_LEFT + k / (n - 1) * (_RIGHT - _LEFT), 1), scores[k]) for k in shown]
    steps = [places[0]]
    for (_, before), (x, now) in pairwise(places):
        # Along first, then up or down.
        steps += [(x, before), (x, now)] if before != now else [(x, now)]
    return steps


def _rendered(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("search.notebook"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "score": score_text,
        "gain": gain_cell,
        "seconds": seconds_cell,
        "value": value_text,
        "duration": duration_text,
    }
    return environment
