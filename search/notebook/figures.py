"""The report's pictures of a study, as Plotly figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from search.results.charts.chart import TEXT, Missing, plain, shortened
from search.results.charts.convergence import convergence as convergence_chart
from search.results.charts.facts import facts_of
from search.results.charts.folds import fold_spread
from search.results.charts.importance import parameter_importance, parameter_importances
from search.results.charts.ladder import pruning_ladder
from search.results.charts.parallel import parallel_coordinates
from search.results.charts.slices import TITLE as SLICES
from search.results.charts.slices import slices as slice_charts
from search.results.charts.titled import title_of, titled, top_margin, wrapped

if TYPE_CHECKING:
    from optuna.study import Study

    from search.results.charts.chart import Chart

_ROOM = 100
"""Pixels that a picture grows by with its words in it."""
_WORDS = 110
_SLICES_A_ROW = 3
_SLICE_HEIGHT = 300
_SLICE_WORDS = 46


def convergence(study: Study) -> go.Figure:
    """The complete trials' scores and the best so far, with the default configuration's score."""
    return _figure(convergence_chart(facts_of(study)))


def importances(study: Study) -> go.Figure:
    """A bar for each parameter."""
    facts = facts_of(study)
    return _figure(parameter_importance(facts, parameter_importances(facts)))


def folds(study: Study) -> go.Figure:
    """The fold scores of the best trials and of the default configuration."""
    return _figure(fold_spread(facts_of(study)))


def parallel(study: Study) -> go.Figure:
    """Parallel coordinates of the parameters."""
    facts = facts_of(study)
    return _figure(parallel_coordinates(facts, parameter_importances(facts)))


def slices(study: Study) -> go.Figure:
    """The score over each of the parameters that matter most, side by side."""
    facts = facts_of(study)
    charts = slice_charts(facts, parameter_importances(facts))
    return _figure(charts) if isinstance(charts, Missing) else _side_by_side(charts)


def pruning(study: Study) -> go.Figure:
    """How trials climbed the ladder, and where they were stopped."""
    return _figure(pruning_ladder(facts_of(study)))


def _figure(chart: Chart | Missing) -> go.Figure:
    if isinstance(chart, Missing):
        return _empty(chart)
    return go.Figure(titled(chart, _WORDS)).update_layout(height=chart.height + _ROOM)


def _side_by_side(charts: list[Chart]) -> go.Figure:
    columns = min(_SLICES_A_ROW, len(charts))
    rows = -(-len(charts) // columns)
    names = [plain(shortened(chart.title)) for chart in charts]
    figure = make_subplots(rows, columns, subplot_titles=names, vertical_spacing=0.32 / rows)
    for k, chart in enumerate(charts):
        place = {"row": k // columns + 1, "col": k % columns + 1}
        drawn = chart.figure()
        for trace in drawn["data"]:
            figure.add_trace(trace, **place)
        words = "<br>".join(wrapped(chart.says, _SLICE_WORDS))
        figure.update_xaxes(
            drawn["layout"]["xaxis"] | {"title": {"text": words, "font": {"size": 11}}}, **place
        )
        figure.update_yaxes(
            drawn["layout"]["yaxis"] | ({} if place["col"] == 1 else {"title": None}), **place
        )
    base = {key: value for key, value in drawn["layout"].items() if key[1:5] != "axis"}
    own = {"title": title_of(SLICES), "height": 60 + _SLICE_HEIGHT * rows}
    return figure.update_layout(
        base | own | {"margin": {"l": 70, "r": 16, "t": 40 + top_margin([]), "b": 80}}
    )


def _empty(missing: Missing) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        title=title_of(missing.title),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font_color=TEXT,
    )
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    return figure.add_annotation(text="<br>".join(wrapped(missing.why, 70)), showarrow=False, font_size=14)
