"""The pruning ladder: how trials climbed, and where they were stopped."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from search.results.charts.chart import (
    BLUE,
    GREEN,
    GREY,
    RED,
    Chart,
    Figure,
    Missing,
    plain,
    rounded,
    score_range,
    spread_out,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import FrozenTrial

    from search.results.charts.facts import ChartedStudy

TITLE = "Pruning ladder"
_MOST_CURVES = 40


def pruning_ladder(facts: ChartedStudy, most_curves: int = _MOST_CURVES) -> Chart | Missing:
    """Draws the running estimates of pruned and complete trials, step by step.

    Args:
        facts: The study.
        most_curves: Trials of either kind that are drawn at most.
    """
    complete = [trial for trial in facts.by_number if trial.intermediate_values]
    if not facts.pruned and not complete:
        return Missing(TITLE, "No trial has reported on its way yet.")
    stopped, finished = _some(facts.pruned, most_curves), _some(complete, most_curves)
    best = next((trial for trial in facts.complete if trial.intermediate_values), None)
    traces = [*_curves(finished, "complete", BLUE, 0.35), *_curves(stopped, "pruned", GREY, 0.8)]
    if stopped:
        traces.append(_ends(stopped))
    traces += _curves([best], f"best (trial {best.number})", GREEN, 1.0, width=3) if best else []
    ends = [_last(trial) for trial in (*finished, *stopped)]
    scores = [value for _, value in ends if math.isfinite(value)] or [0.0]
    also = [v for v in best.intermediate_values.values() if math.isfinite(v)] if best else []
    left_out = len(facts.pruned) + len(complete) - len(stopped) - len(finished)
    return Chart(
        name="pruning_ladder",
        title=TITLE,
        says=_says(facts, complete),
        data=traces,
        layout={
            "xaxis": {"title": {"text": "step (fold x progress)"}},
            "yaxis": {
                "title": {"text": f"estimate of CV {plain(facts.metric)}"},
                "range": score_range(scores, maximize=facts.maximize, also=also),
            },
        },
        note=f"{len(stopped)} pruned and {len(finished)} complete trials drawn, evenly spread over the study."
        if left_out
        else "",
    )


def _some(trials: Sequence[FrozenTrial], most: int) -> list[FrozenTrial]:
    return [trials[i] for i in spread_out(range(len(trials)), most)]


def _curves(
    trials: Sequence[FrozenTrial], name: str, color: str, opacity: float, width: float = 1.2
) -> list[Figure]:
    """All of them as one line with gaps: a trace each would be slow to draw."""
    x: list[int | None] = []
    y: list[float | None] = []
    for trial in trials:
        steps = sorted(trial.intermediate_values)
        x += [*steps, None]
        y += [*rounded(trial.intermediate_values[step] for step in steps), None]
    if not x:
        return []
    line = {"color": color, "width": width}
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": x,
            "y": y,
            "line": line,
            "opacity": opacity,
            "hoverinfo": "skip",
        }
    ]


def _ends(trials: Sequence[FrozenTrial]) -> Figure:
    ends = [_last(trial) for trial in trials]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "stopped here",
        "x": [step for step, _ in ends],
        "y": rounded(value for _, value in ends),
        "text": [f"trial {trial.number}" for trial in trials],
        "marker": {"color": RED, "symbol": "x", "size": 7},
        "hovertemplate": "%{text} stopped at step %{x}: %{y}<extra></extra>",
    }


def _last(trial: FrozenTrial) -> tuple[int, float]:
    step = max(trial.intermediate_values)
    return step, trial.intermediate_values[step]


def _says(facts: ChartedStudy, complete: list[FrozenTrial]) -> str:
    total = facts.counts.complete + facts.counts.pruned
    if not facts.pruned:
        return f"None of the {total:,} trials was pruned: each ran to its end."
    steps = Counter(max(trial.intermediate_values) for trial in facts.pruned)
    last = max((max(trial.intermediate_values) for trial in complete), default=max(steps))
    most, n = steps.most_common(1)[0]
    return (
        f"{facts.counts.pruned:,} of {total:,} trials were stopped before their end, most often at step {most} of "
        f"{last} ({n:,} {'trial' if n == 1 else 'trials'})."
    )
