"""A picture with its title and sentence in it, for where no page writes them beside it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from search.results.charts.chart import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from search.results.charts.chart import Chart, Figure


def titled(chart: Chart, width: int) -> Figure:
    """The picture as `plotly.graph_objects.Figure` takes it, its legend below, its words above; of no height.

    Args:
        chart: The picture.
        width: Characters that a line above it may have.
    """
    figure = chart.figure()
    lines = wrapped(" ".join(filter(None, (chart.says, chart.note))), width)
    layout = {key: value for key, value in figure["layout"].items() if key != "height"}
    legend = {"orientation": "h", "y": -0.18, "yanchor": "top", "x": 0}
    margin = {"l": 70, "r": 16, "t": top_margin(lines), "b": 80}
    own = {"title": title_of(chart.title, lines), "legend": legend, "margin": margin}
    return {"data": figure["data"], "layout": {**layout, **own}}


def wrapped(text: str, width: int) -> list[str]:
    """Breaks a text into lines that Plotly shows as they are."""
    return [plain(line) for line in textwrap.wrap(text, width)]


def title_of(title: str, lines: Iterable[str] = ()) -> dict[str, Any]:
    """Plotly's title.

    Args:
        title: Not markup.
        lines: Below it, from `wrapped`.
    """
    return {
        "text": f"<b>{plain(title)}</b>",
        "subtitle": {"text": "<br>".join(lines), "font": {"size": 12}},
        "x": 0.01,
        "xanchor": "left",
        "y": 0.97,
        "yanchor": "top",
    }


def top_margin(lines: list[str]) -> int:
    """Pixels that a title with so many lines below it takes."""
    return 46 + 16 * len(lines)
