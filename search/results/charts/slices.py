"""The score over one parameter at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.results.charts.chart import (
    BLUE,
    GREY,
    Chart,
    Figure,
    Missing,
    best_few,
    middle,
    outside_note,
    plain,
    rounded,
    score_range,
    spread_out,
    value_text,
)
from search.results.charts.facts import value_of
from search.results.charts.scale import scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import FrozenTrial

    from search.results.charts.facts import ChartedStudy
    from search.results.charts.importance import Importance
    from search.results.charts.scale import Scale

TITLE = "Slices"
_MOST_SLICES = 6
_MOST_POINTS = 500
_FEWEST_TRIALS = 3


def slices(facts: ChartedStudy, importances: Sequence[Importance]) -> list[Chart] | Missing:
    """Draws the most important parameters, a picture each; without importances the first that vary."""
    if len(facts.complete) < _FEWEST_TRIALS:
        return Missing(
            TITLE, f"A slice needs {_FEWEST_TRIALS} complete trials; there are {len(facts.complete)}."
        )
    names = [one.parameter for one in importances]
    names += [name for trial in facts.complete for name in trial.params]
    charts: list[Chart] = []
    for name in dict.fromkeys(names):
        trials = [trial for trial in facts.complete if name in trial.params]
        scale = scale_of(name, trials)
        if len(trials) >= _FEWEST_TRIALS and (len(scale.choices) > 1 or scale.high > scale.low):
            charts.append(_slice(len(charts), scale, trials, facts))
        if len(charts) == _MOST_SLICES:
            break
    return charts or Missing(TITLE, "No parameter has more than one value among the complete trials.")


def _slice(number: int, scale: Scale, trials: Sequence[FrozenTrial], facts: ChartedStudy) -> Chart:
    """One parameter; `trials` have it, the best first."""
    n_best = best_few(len(trials))
    best, others = trials[:n_best], trials[n_best:]
    drawn = [[some[i] for i in spread_out(range(len(some)), _MOST_POINTS)] for some in (others, best)]
    n_drawn = len(drawn[0]) + len(drawn[1])
    scores = [value_of(trial) for trial in trials]
    shown = score_range(scores, maximize=facts.maximize)
    some = f"{n_drawn:,} of {len(trials):,} trials drawn." if n_drawn < len(trials) else ""
    return Chart(
        name=f"slice_{number}",
        title=scale.name,
        says=_says(scale, best),
        data=[
            _points("others", GREY, 0.5, drawn[0], scale),
            _points("best", BLUE, 0.9, drawn[1], scale),
        ],
        layout={
            "xaxis": scale.axis(),
            "yaxis": {
                "title": {"text": plain(facts.metric)},
                "range": shown,
                "nticks": 6,
            },
            "showlegend": False,
        },
        height=260,
        note=" ".join(filter(None, (some, outside_note(scores, shown)))),
    )


def _points(name: str, color: str, opacity: float, trials: Sequence[FrozenTrial], scale: Scale) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [scale.shown(trial.params[scale.name]) for trial in trials],
        "y": rounded(value_of(trial) for trial in trials),
        "text": [str(trial.number) for trial in trials],
        "marker": {"color": color, "opacity": opacity, "size": 6},
        "hovertemplate": "trial %{text}: %{x}, %{y}<extra></extra>",
    }


def _says(scale: Scale, best: Sequence[FrozenTrial]) -> str:
    values: list[Any] = [trial.params[scale.name] for trial in best]
    who = "The best trial" if len(best) == 1 else f"the best {len(best):,}"
    verb = "has" if len(best) == 1 else "have"
    if scale.choices:
        counts = {choice: sum(str(value) == choice for value in values) for choice in scale.choices}
        most = max(counts, key=counts.__getitem__)
        who = who[0].upper() + who[1:]
        return f"{who} {verb} {most}" + (
            "." if len(best) == 1 else f" in {counts[most]:,} of {len(best):,} cases."
        )
    least, largest, share = middle(sorted(values))
    low, high = value_text(least), value_text(largest)
    where = low if low == high else f"from {low} to {high}"
    who = share + who
    return f"{who[0].upper()}{who[1:]} {verb} {where}; tried were {value_text(scale.low)} to {value_text(scale.high)}."
