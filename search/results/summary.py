"""The last lines of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.loop.progress import duration_text
from search.loop.tally import best_trial, score_text, seconds_saved, tally

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from search.loop.search import SearchResult
    from storage.layout import Layout


def summary(result: SearchResult, layout: Layout) -> list[str]:
    """What a person wants to know when a search has ended, a line each."""
    study = result.study
    lines = []
    if result.already_finished:
        lines.append(f"Nothing to do: study {study.study_name} has all its trials; --trials is the total")
    if result.stopped_by:
        lines.append(f"Stopped early: {result.stopped_by}; the same command goes on")
    lines.append(f"Trials: {tally(study)}")
    best = best_trial(study)
    if best is None:
        lines.append("No trial ran to its end, so there is no submission yet")
        return [*lines, *_watch(layout)]
    lines += [_best(best), *_against_default(result, best)]
    lines.append(f"Pruning saved about {duration_text(seconds_saved(study))} of fitting")
    if result.unrecorded:
        lines.append("MLflow does not have everything yet; the next search.run writes the rest")
    lines.append(f"Run completed: {result.run_id or 'not recorded yet'}")
    lines.append(f"CV {result.competition.dataset.metric.label}: {score_text(best)}")
    lines.append(f"Submission: {result.submission}")
    return [*lines, *_watch(layout), f"Promote: python -m search.promote --study {study.study_name}"]


def _best(best: FrozenTrial) -> str:
    params = ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in best.params.items()
    )
    return f"Best trial: {best.number} ({params})"


def _against_default(result: SearchResult, best: FrozenTrial) -> list[str]:
    default = result.study.get_trials(deepcopy=False)[0]
    if default.value is None or default.state.name != "COMPLETE" or best.value is None:
        return []
    if best.number == default.number:
        return ["No trial beat the default configuration (trial 0)"]
    change = 100 * (best.value - default.value) / abs(default.value) if default.value else 0.0
    return [
        f"Default configuration (trial 0): {score_text(default)}; the best trial changes it by {change:+.2f} %"
    ]


def _watch(layout: Layout) -> list[str]:
    return [
        f"Watch: optuna-dashboard {layout.ledger_url}",
        "Compare: mlflow ui --port 5000",
    ]
