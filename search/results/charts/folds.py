"""How far the folds of the best trials lie apart."""

from __future__ import annotations

from statistics import mean, pstdev
from typing import TYPE_CHECKING

from search.facts.trial import fold_scores
from search.results.charts.chart import BLUE, ORANGE, Chart, Missing, plain, rounded, score_text
from search.results.charts.facts import value_of

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from search.results.charts.facts import ChartedStudy

TITLE = "Fold scores of the best trials"
_MOST_TRIALS = 10
_FEWEST_FOLDS = 2


def fold_spread(facts: ChartedStudy) -> Chart | Missing:
    """Draws the fold scores of the ten best trials and of the default."""
    known = [trial for trial in facts.complete if len(fold_scores(trial)) >= _FEWEST_FOLDS]
    if not known:
        return Missing(TITLE, "No trial with the scores of its folds has run to its end yet.")
    shown = known[:_MOST_TRIALS]
    if facts.default in known and facts.default not in shown:
        shown.append(facts.default)
    labels = [_label(trial, facts) for trial in shown]
    points = [
        (label, f"fold {k}", score)
        for label, trial in zip(labels, shown, strict=True)
        for k, score in enumerate(fold_scores(trial))
    ]
    return Chart(
        name="fold_scores",
        title=TITLE,
        says=_says(facts, known),
        data=[
            {
                "type": "scatter",
                "mode": "markers",
                "name": "a fold",
                "x": rounded(score for _, _, score in points),
                "y": [label for label, _, _ in points],
                "text": [fold for _, fold, _ in points],
                "marker": {"color": BLUE, "size": 8, "opacity": 0.7},
                "hovertemplate": "%{y}, %{text}: %{x}<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "name": "their mean",
                "x": rounded(value_of(trial) for trial in shown),
                "y": labels,
                "marker": {"color": ORANGE, "size": 14, "symbol": "line-ns-open", "line": {"width": 3}},
                "hovertemplate": "%{y}, mean: %{x}<extra></extra>",
            },
        ],
        layout={
            "xaxis": {"title": {"text": f"{plain(facts.metric)} of a fold"}, "nticks": 6},
            "yaxis": {"autorange": "reversed", "type": "category"},
        },
        height=110 + 26 * len(shown),
    )


def _label(trial: FrozenTrial, facts: ChartedStudy) -> str:
    is_default = facts.default is not None and trial.number == facts.default.number
    return f"{trial.number} (default)" if is_default else f"trial {trial.number}"


def _says(facts: ChartedStudy, known: list[FrozenTrial]) -> str:
    best, scores = known[0], fold_scores(known[0])
    spread = pstdev(scores)
    hardest = (min if facts.maximize else max)(range(len(scores)), key=scores.__getitem__)
    said = (
        f"The folds of trial {best.number} spread by {score_text(spread)} around {score_text(mean(scores))}, and "
        f"fold {hardest} is its hardest"
    )
    others = known[1:_MOST_TRIALS]
    if not others or not spread:
        return f"{said}."
    gap = abs(value_of(others[-1]) - value_of(best))
    if not gap:
        return f"{said}."
    return (
        f"{said}; that spread is {spread / gap:.1f} times the gap between it and trial {others[-1].number}, "
        f"ranked {len(others) + 1}."
    )
