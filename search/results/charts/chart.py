"""A picture as plain values: for the report, the dashboard and a notebook alike."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from search.score_text import score_text as score_in_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Figure = dict[str, Any]

# Told apart by those who confuse red and green, and readable on white as on black (after Okabe and Ito).
BLUE, ORANGE, GREEN, RED, GREY = "#3987c9", "#e08a1e", "#12a37f", "#d4573f", "#8b929b"
PALETTE = (BLUE, ORANGE, GREEN, RED, "#a77bd1", "#c9a227", "#4fb3d9")
TEXT = "#7b828c"
_MANY = 20
_FAR = 5.0
"""Times as far from the best as the median is: there an axis ends."""
_GRID = "rgba(128,136,148,0.22)"


@dataclass(frozen=True)
class Chart:
    """One picture.

    Attributes:
        name: Identifies it within its study; may be an HTML id.
        title: For people.
        says: One sentence on what it shows here, with the figures of this study.
        data: Plotly's traces.
        layout: Plotly's layout; texts of the user's are plain, not markup.
        height: In pixels.
        note: What was left out to keep it small, if anything was.
    """

    name: str
    title: str
    says: str
    data: list[Figure]
    layout: Figure = field(default_factory=dict)
    height: int = 360
    note: str = ""

    def figure(self) -> Figure:
        """The picture as `plotly.graph_objects.Figure` takes it."""
        return {"data": _finite(self.data), "layout": _finite(_themed(self.layout, self.height))}


@dataclass(frozen=True)
class Missing:
    """A picture that cannot be drawn.

    Attributes:
        title: For people.
        why: One sentence.
    """

    title: str
    why: str


def _themed(layout: Figure, height: int) -> Figure:
    axes = {key: {**_axis(), **value} for key, value in layout.items() if key[1:].startswith("axis")}
    return {
        "autosize": True,
        "height": height,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": TEXT, "size": 12},
        "margin": {"l": 56, "r": 12, "t": 12, "b": 44},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
        "dragmode": False,
        **layout,
        **{name: axes.get(name, _axis()) for name in {"xaxis", "yaxis", *axes}},
    }


def _axis() -> Figure:
    return {"gridcolor": _GRID, "zerolinecolor": _GRID, "linecolor": _GRID, "automargin": True}


def _finite(value: Any) -> Any:
    """What JSON can hold: no infinity, not-a-number a gap."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(text: object) -> str:
    """A text that Plotly shows as it is, for it takes some tags as markup."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: str, most: int = 24) -> str:
    """A name as it fits beside a picture on a phone."""
    return text if len(text) <= most else f"{text[: most - 9]}…{text[-8:]}"


def score_text(value: float | None, like: float | None = None) -> str:
    """A score as pages have it, with the decimals of one that it stands beside."""
    known = value is not None and math.isfinite(value)
    return score_in_text(value, like, commas=True) if known else "unknown"


def change_text(value: float, like: float) -> str:
    """A difference of scores, with its sign."""
    return ("+" if value >= 0 else "") + score_text(value, like)


def value_text(value: object) -> str:
    """A parameter's value, short."""
    if isinstance(value, float) and 1_000 <= abs(value) < 1_000_000:  # noqa: PLR2004 - neither short nor long
        return f"{value:.0f}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def best_few(n: int) -> int:
    """How many of that many trials are called the best: a tenth, of few trials some more."""
    return max(1, n // 10, min(5, n // 3))


def middle(values: Sequence[Any]) -> tuple[Any, Any, str]:
    """Where most of some sorted values lie, for a sentence: of many the middle four fifths.

    Returns:
        The lower end, the upper end, and whom that is true of, a word to go before `the best`.
    """
    if len(values) < _MANY:
        return values[0], values[-1], ""
    cut = len(values) // 10
    return values[cut], values[-1 - cut], "four in five of "


def rounded(values: Iterable[float]) -> list[float]:
    """Values with as many digits as a picture can show: half the bytes."""
    return [float(f"{value:.6g}") for value in values]


def spread_out(positions: Sequence[int], most: int) -> list[int]:
    """At most so many of some positions, evenly spread, the first and the last among them."""
    if len(positions) <= most:
        return list(positions)
    step = (len(positions) - 1) / (most - 1)
    return [positions[round(i * step)] for i in range(most)]


def score_range(scores: Sequence[float], *, maximize: bool, also: Sequence[float] = ()) -> list[float]:
    """Where to cut an axis of scores, so that a few that diverged do not press all others into a line.

    Args:
        scores: Finite, at least one.
        maximize: Whether more is better.
        also: Scores that must be inside.
    """
    ordered = sorted(scores, reverse=maximize)
    best, middle = ordered[0], ordered[len(ordered) // 2]
    far = _FAR * abs(middle - best) or math.inf
    usual = [one for one in ordered[: math.ceil(0.9 * len(ordered))] if abs(one - best) <= far]
    usual += also
    low, high = min(usual), max(usual)
    room = 0.06 * (high - low) or 0.01 * abs(high) or 0.01
    return [low - room, high + room]


def outside_note(scores: Sequence[float], shown: Sequence[float]) -> str:
    """How many scores an axis leaves out; empty if none."""
    n = sum(not shown[0] <= score <= shown[1] for score in scores)
    return f"{n:,} {'trial lies' if n == 1 else 'trials lie'} outside the picture." if n else ""
