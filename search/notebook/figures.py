"""Plotly figures of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from search.facts.importance import importance
from search.facts.trial import fold_scores, metric_label
from search.loop.tally import complete_trials, default_trial

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_SHOWN_PARAMETERS = 6
_SHOWN_TRIALS = 10


def convergence(study: Study) -> go.Figure:
    """Optuna's history, zoomed to what is near the best, with the default configuration's score."""
    from optuna.visualization import plot_optimization_history

    complete, default = complete_trials(study), default_trial(study)
    if not complete:
        return _empty("Convergence", "No trial ran to its end yet")
    figure = plot_optimization_history(study, target_name=_score_name(study))
    figure.update_layout(title="Convergence", template="plotly_white")
    if default is not None and default.value is not None:
        figure.add_hline(default.value, line_dash="dash", line_color="gray", annotation_text="default")
    # The first trials may be far off, and would flatten all the rest.
    scores = np.array([trial.value for trial in complete])
    worst = scores[int(0.75 * (len(scores) - 1))]
    ends = [scores[0], worst, *([default.value] if default and default.value is not None else [])]
    margin = 0.05 * (max(ends) - min(ends)) or 1.0
    figure.update_yaxes(range=[min(ends) - margin, max(ends) + margin])
    return figure


def importances(study: Study) -> go.Figure:
    """A bar for each parameter."""
    shares = importance(study)
    if not shares:
        return _empty("Importance of parameters", "Too few complete trials to say")
    names = list(shares)[::-1]
    values = [shares[name] for name in names]
    bars = go.Bar(x=values, y=names, orientation="h", text=[f"{v:.0%}" for v in values])
    return _titled(go.Figure(bars), "Importance of parameters", "share", None)


def folds(study: Study) -> go.Figure:
    """A line for each of the best trials and the default configuration."""
    default = default_trial(study)
    shown = [trial for trial in complete_trials(study)[:_SHOWN_TRIALS] if fold_scores(trial)]
    if default is not None and fold_scores(default) and default.number not in {t.number for t in shown}:
        shown.append(default)
    if not shown:
        return _empty("Fold scores", "No trial ran to its end yet")
    figure = go.Figure([_fold_line(trial, is_default=trial is default) for trial in shown])
    figure.update_xaxes(dtick=1)
    return _titled(figure, "Fold scores", "fold", _score_name(study))


def parallel(study: Study) -> go.Figure:
    """Optuna's parallel coordinates of the parameters that matter most."""
    from optuna.visualization import plot_parallel_coordinate

    params = _shown_parameters(study)
    if not params:
        return _empty("Parallel coordinates", "No trial ran to its end yet")
    figure = plot_parallel_coordinate(study, params=params, target_name=_score_name(study))
    return figure.update_layout(title="Parallel coordinates", template="plotly_white")


def slices(study: Study) -> go.Figure:
    """Optuna's slices of the parameters that matter most."""
    from optuna.visualization import plot_slice

    params = _shown_parameters(study)
    if not params:
        return _empty("Slices", "No trial ran to its end yet")
    figure = plot_slice(study, params=params, target_name=_score_name(study))
    # Optuna fixes the width, which a narrow page would have to scroll.
    return figure.update_layout(title="Slices", template="plotly_white", width=None)


def pruning(study: Study) -> go.Figure:
    """Optuna's intermediate values."""
    from optuna.visualization import plot_intermediate_values

    if not any(trial.intermediate_values for trial in study.get_trials(deepcopy=False)):
        return _empty("Reports of the trials", "No trial has reported yet")
    figure = plot_intermediate_values(study)
    return _titled(figure, "Reports of the trials", "step: folds x rounds", metric_label(study))


def _fold_line(trial: FrozenTrial, *, is_default: bool) -> go.Scatter:
    scores = fold_scores(trial)
    return go.Scatter(
        x=list(range(len(scores))),
        y=scores,
        mode="lines+markers",
        name=f"trial {trial.number}{' (default)' if is_default else ''}",
        line={"color": "gray", "dash": "dash"} if is_default else None,
    )


def _shown_parameters(study: Study) -> list[str]:
    """Those that matter most; where nobody knows, the best trial's first ones."""
    complete = complete_trials(study)
    names = list(importance(study)) or (list(complete[0].params) if complete else [])
    return names[:_SHOWN_PARAMETERS]


def _score_name(study: Study) -> str:
    return f"CV {metric_label(study)}"


def _titled(figure: go.Figure, title: str, x: str | None, y: str | None) -> go.Figure:
    return figure.update_layout(title=title, xaxis_title=x, yaxis_title=y, template="plotly_white")


def _empty(title: str, why: str) -> go.Figure:
    figure = _titled(go.Figure(), title, None, None)
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    return figure.add_annotation(text=why, showarrow=False, font_size=16)
