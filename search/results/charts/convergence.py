"""How the best score came about, with the default configuration's as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.loop.tally import percent_change
from search.results.charts.chart import (
    BLUE,
    GREY,
    ORANGE,
    Chart,
    Figure,
    Missing,
    change_text,
    outside_note,
    plain,
    rounded,
    score_range,
    score_text,
    spread_out,
)
from search.results.charts.facts import value_of

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from search.results.charts.facts import ChartedStudy

TITLE = "Convergence"
_MOST_POINTS = 1_500


def convergence(facts: ChartedStudy, most_points: int = _MOST_POINTS) -> Chart | Missing:
    """Draws each complete trial's score, the best so far, and the default's.

    Args:
        facts: The study.
        most_points: Trials that are drawn at most, those that were the best so far apart.
    """
    trials = facts.by_number
    if not trials:
        return Missing(TITLE, "No trial has run to its end yet, so there is no score to follow.")
    leaders = _leaders(trials, facts)
    drawn = [trials[i] for i in spread_out(range(len(trials)), most_points)]
    scores = [value_of(trial) for trial in trials]
    also = [value_of(trial) for trial in (facts.default, leaders[-1]) if trial is not None]
    shown = score_range(scores, maximize=facts.maximize, also=also)
    notes = [outside_note(scores, shown)]
    if len(drawn) < len(trials):
        notes.append(
            f"{len(drawn):,} of {len(trials):,} complete trials drawn, evenly spread; no best one is missing."
        )
    return Chart(
        name="convergence",
        title=TITLE,
        says=_says(facts, leaders),
        data=_traces(facts, drawn, leaders),
        layout={
            "xaxis": {"title": {"text": "trial"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": f"CV {plain(facts.metric)}"}, "range": shown},
        },
        note=" ".join(filter(None, notes)),
    )


def _leaders(trials: list[FrozenTrial], facts: ChartedStudy) -> list[FrozenTrial]:
    """The trials that were the best when they ended."""
    leaders: list[FrozenTrial] = []
    for trial in trials:
        if not leaders or facts.is_better(value_of(trial), value_of(leaders[-1])):
            leaders.append(trial)
    return leaders


def _traces(facts: ChartedStudy, drawn: list[FrozenTrial], leaders: list[FrozenTrial]) -> list[Figure]:
    last = len(facts.trials) - 1
    traces: list[Figure] = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "complete trial",
            "x": [trial.number for trial in drawn],
            "y": rounded(value_of(trial) for trial in drawn),
            "marker": {"color": GREY, "size": 6, "opacity": 0.65},
            "hovertemplate": "trial %{x}: %{y}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "best so far",
            "x": [*(trial.number for trial in leaders), last],
            "y": rounded([*map(value_of, leaders), value_of(leaders[-1])]),
            "line": {"color": BLUE, "width": 2.5, "shape": "hv"},
            "marker": {"size": [*[6] * len(leaders), 0]},
            "hovertemplate": "best at trial %{x}: %{y}<extra></extra>",
        },
    ]
    if facts.default is not None:
        score = value_of(facts.default)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "default",
                "x": [0, max(last, 1)],
                "y": rounded([score, score]),
                "line": {"color": ORANGE, "width": 2, "dash": "dash"},
                "hovertemplate": "default: %{y}<extra></extra>",
            }
        )
    return traces


def _says(facts: ChartedStudy, leaders: list[FrozenTrial]) -> str:
    best = leaders[-1]
    found = f"The best score, {facts.metric} {score_text(best.value)}, was found at trial {best.number}"
    total = len(facts.trials)
    rest = total - 1 - best.number
    after = f"; {rest:,} of {total:,} trials came after it" if rest else ", the last of all"
    if facts.default is None or facts.default.value is None:
        return f"{found}{after}."
    if best.number == facts.default.number:
        return f"{found}, which is the default configuration: none of the {total:,} trials beat it."
    change = best.value - facts.default.value if best.value is not None else 0.0
    percent = percent_change(best.value, facts.default.value)
    share = "" if percent is None else f" ({percent:+.2f} %)"
    return (
        f"{found}, {change_text(change, facts.default.value)}{share} from the default configuration{after}."
    )
