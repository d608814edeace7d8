"""Whole configurations at a glance: parallel coordinates, their axes lying so that names can be read on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.results.charts.chart import (
    BLUE,
    GREY,
    ORANGE,
    Chart,
    Figure,
    Missing,
    best_few,
    middle,
    plain,
    rounded,
    score_text,
    shortened,
    spread_out,
)
from search.results.charts.facts import value_of
from search.results.charts.scale import scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import FrozenTrial

    from search.results.charts.facts import ChartedStudy
    from search.results.charts.importance import Importance
    from search.results.charts.scale import Scale

TITLE = "Parallel coordinates"
_MOST_OTHERS, _MOST_BEST = 150, 40
_MOST_AXES = 14
_FEWEST_TRIALS = 2


def parallel_coordinates(facts: ChartedStudy, importances: Sequence[Importance]) -> Chart | Missing:
    """Draws complete trials as lines from one parameter's axis to the next, the best tenth on top.

    Args:
        facts: The study.
        importances: Of its parameters, to draw the most important ones where there are many.
    """
    if len(facts.complete) < _FEWEST_TRIALS:
        return Missing(TITLE, f"Comparing needs two complete trials; there are {len(facts.complete)}.")
    scales = _scales(facts, importances)
    n_best = best_few(len(facts.complete))
    best, others = facts.complete[1:n_best], facts.complete[n_best:]
    groups = [
        (f"other {len(others):,}", (GREY, 0.4, 1.0), _some(others, _MOST_OTHERS)),
        (f"best {n_best:,}", (BLUE, 0.6, 1.2), _some(best, _MOST_BEST)),
        (f"best (trial {facts.complete[0].number})", (ORANGE, 1.0, 3.0), list(facts.complete[:1])),
    ]
    drawn = sum(len(trials) for *_, trials in groups)
    return Chart(
        name="parallel_coordinates",
        title=TITLE,
        says=_says(facts, facts.complete[:n_best], scales),
        data=[_lines(*group, scales) for group in groups if group[-1]],
        layout=_layout(scales),
        height=90 + 44 * len(scales),
        note=_note(drawn, facts, len(scales)),
    )


def _some(trials: Sequence[FrozenTrial], most: int) -> list[FrozenTrial]:
    return [trials[i] for i in spread_out(range(len(trials)), most)]


def _scales(facts: ChartedStudy, importances: Sequence[Importance]) -> list[Scale]:
    """Those parameters with more than one value, as they are searched; of many the most important ones."""
    having: dict[str, list[FrozenTrial]] = {}
    for trial in facts.complete:
        for name in trial.params:
            having.setdefault(name, []).append(trial)
    scales = [scale_of(name, trials) for name, trials in having.items()]
    scales = [one for one in scales if len(one.choices) > 1 or one.high > one.low]
    ranks = {one.parameter: rank for rank, one in reversed([*enumerate(importances)])}
    wanted = sorted(
        scales, key=lambda one: ranks.get(one.name, -1 if one.name == "objective" else len(ranks))
    )
    names = {one.name for one in wanted[:_MOST_AXES]}
    return [one for one in scales if one.name in names]


def _lines(
    name: str, look: tuple[str, float, float], trials: Sequence[FrozenTrial], scales: Sequence[Scale]
) -> Figure:
    color, opacity, width = look
    x: list[float | None] = []
    y: list[int | None] = []
    for trial in trials:
        # A parameter that the configuration does not have leaves a gap.
        own = [(s.position(trial.params[s.name]), k) for k, s in enumerate(scales) if s.name in trial.params]
        x += [*rounded(position for position, _ in own), None]
        y += [*(k for _, k in own), None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "opacity": opacity,
        "line": {"color": color, "width": width},
        "hoverinfo": "skip",
    }


def _layout(scales: Sequence[Scale]) -> Figure:
    rows = range(len(scales))
    notes = [
        {"text": text, "x": x, "y": k, "xanchor": _anchor(x), "yanchor": "top", "yshift": -3}
        | {"font": {"size": 10}, "showarrow": False}
        for k, scale in zip(rows, scales, strict=True)
        for x, text in scale.marks()
    ]
    return {
        "xaxis": {"range": [-0.02, 1.02], "showticklabels": False, "showgrid": False, "zeroline": False},
        "yaxis": {
            "range": [len(scales) - 0.4, -0.6],
            "tickvals": [*rows],
            "ticktext": [plain(shortened(scale.name)) for scale in scales],
            "zeroline": False,
        },
        "annotations": notes,
    }


def _anchor(position: float) -> str:
    return {0.0: "left", 1.0: "right"}.get(position, "center")


def _says(facts: ChartedStudy, best: Sequence[FrozenTrial], scales: Sequence[Scale]) -> str:
    """Which parameter the best agree on most."""
    widths = []
    for scale in scales:
        positions = sorted(
            scale.position(trial.params[scale.name]) for trial in best if scale.name in trial.params
        )
        if len(positions) > 1:
            low, high, share = middle(positions)
            widths.append((high - low, scale, share))
    edge = score_text(value_of(best[-1]))
    if not widths:
        return f"One line is one complete trial; the best has {facts.metric} {score_text(value_of(best[0]))}."
    width, scale, share = min(widths, key=lambda pair: pair[0])
    return (
        f"The best {len(best):,} trials ({facts.metric} {edge} or better) agree most on {scale.name}: "
        f"{share or 'all of '}them use {100 * width:.0f} % of the range that was tried."
    )


def _note(drawn: int, facts: ChartedStudy, axes: int) -> str:
    n = len({name for trial in facts.complete for name in trial.params})
    notes = (
        [f"{drawn:,} of {len(facts.complete):,} complete trials drawn"] if drawn < len(facts.complete) else []
    )
    notes += [f"{axes} of {n} parameters, those that vary and matter most"] if axes < n else []
    return "; ".join(notes) + "." if notes else ""
