"""A study's convergence as the geometry of a small SVG: each score a dot, the best so far a line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.config import CHART_DOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 640, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 12, 12, 26
_SCALED_SHARE = 0.6
"""Of the scores, the better ones, that the chart is scaled for: a few bad configurations would flatten the rest."""


@dataclass(frozen=True)
class Chart:
    """What a template draws, in the units of a view box of `WIDTH` x `HEIGHT`.

    Attributes:
        best: Path of the best score so far.
        dots: Centres of the scores, and whether a score is in sight; one that is not is at the edge.
        default: Height of the default configuration's line, where it has a score and is in sight.
        ticks: Heights and labels of the score's axis.
        ends: Labels of the trials' axis, first and last.
        left: Where the drawing begins.
        right: Where it ends.
        bottom: Its foot.
        text: What it shows, in words.
    """

    best: str
    dots: tuple[tuple[float, float, bool], ...]
    default: float | None
    ticks: tuple[tuple[float, str], ...]
    ends: tuple[str, str]
    left: int
    right: int
    bottom: int
    text: str


def draw(
    scores: Sequence[tuple[int, float]], default: float | None, finished: int, *, maximize: bool
) -> Chart | None:
    """Returns a chart; None where there is no finite score.

    Args:
        scores: Position among the finished trials, from 1, and score of each complete one, in the order of their ends.
        default: The default configuration's score.
        finished: How many trials have finished.
        maximize: Whether more is better.
    """
    finite = [(place, score) for place, score in scores if math.isfinite(score)]
    if not finite:
        return None
    steps = _steps(finite, maximize=maximize)
    low, high = _range([score for _, score in finite], default, maximize=maximize)
    last = max(finished, 2)

    def x(place: float) -> float:
        return round(_LEFT + (place - 1) / (last - 1) * (WIDTH - _LEFT - _RIGHT), 1)

    def y(score: float) -> float:
        return round(_TOP + (high - score) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    def seen(score: float) -> float:
        return y(min(max(score, low), high))

    (first, start), *rest = steps
    path = f"M{x(first)} {seen(start)}"
    path += "".join(f"H{x(place)}V{seen(score)}" for place, score in rest) + f"H{x(finished)}"
    return Chart(
        best=path,
        dots=tuple((x(place), seen(score), low <= score <= high) for place, score in _thinned(finite)),
        default=y(default) if default is not None and low <= default <= high else None,
        ticks=tuple((y(score), label) for score, label in _ticks(low, high)),
        ends=("1", f"{finished:,}"),
        left=_LEFT,
        right=WIDTH - _RIGHT,
        bottom=HEIGHT - _BOTTOM,
        text=f"Best score after each of {finished:,} finished trials: from {start:,.6g} to {steps[-1][1]:,.6g}",
    )


def _steps(scores: Sequence[tuple[int, float]], *, maximize: bool) -> list[tuple[int, float]]:
    steps = [scores[0]]
    for place, score in scores[1:]:
        if (score > steps[-1][1]) if maximize else (score < steps[-1][1]):
            steps.append((place, score))
    return steps


def _range(scores: Sequence[float], default: float | None, *, maximize: bool) -> tuple[float, float]:
    ranked = sorted(scores, reverse=maximize)
    best, worst = ranked[0], ranked[int(_SCALED_SHARE * (len(ranked) - 1))]
    # The default is what a search has to beat; it is in sight unless it is far worse than most.
    if default is not None and math.isfinite(default):
        reach = 2 * abs(worst - best)
        worst = max(
            worst, default, key=lambda score: abs(score - best) if abs(score - best) <= reach else 0.0
        )
    low, high = min(best, worst), max(best, worst)
    margin = 0.08 * (high - low) or abs(high) * 0.01 or 1.0
    return low - margin, high + margin


def _thinned(dots: list[tuple[int, float]]) -> list[tuple[int, float]]:
    stride = max(1, math.ceil(len(dots) / CHART_DOTS))
    return dots[::stride]


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    rough = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    digits = max(0, -math.floor(math.log10(step)))
    first = math.ceil(low / step)
    values = [step * place for place in range(first, math.floor(high / step) + 1)]
    return [(value, f"{value:,.{digits}f}" if abs(value) < 1e9 else f"{value:.4g}") for value in values]  # noqa: PLR2004
