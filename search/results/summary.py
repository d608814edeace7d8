"""The last lines of a search."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from search.loop.tally import best_trial, complete_trials, default_trial, percent_change, tally, trial_score
from search.results.chosen_submission import spread
from search.results.pruning_audit import pruning_audit
from search.results.report.making import is_report_of
from search.score_text import score_text, spread_text
from search.space.change import outside_trials

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.conclusion.conclude import Concluded
    from search.loop.search import SearchResult
    from storage.layout import Layout


NO_SUBMISSION = "not written, for the best trial was evaluated elsewhere; search.promote makes it"


def summary(result: SearchResult, layout: Layout) -> list[str]:
    """What a person wants to know when a search has ended, a line each."""
    study = result.study
    lines = []
    if result.already_finished:
        lines.append(f"Nothing to do: study {study.study_name} has all its trials; --trials is the total")
    if result.ending.reason:
        go_on = "" if result.ending.status == "FINISHED" else "; the same command goes on"
        lines.append(f"Stopped early: {result.ending.reason}{go_on}")
    if result.others_go_on:
        lines.append("Other coordinators are still at this study; the last of them completes the record")
    lines.append(f"Trials: {tally(study)}")
    best = best_trial(study)
    if best is None:
        return [*lines, *_without_trial(result), *watch_lines(layout)]
    lines += [_best(best), *_outside(study, best), *_against_default(result, best)]
    lines += pruning_audit(study).lines()
    lines += _chosen(result.concluded)
    if result.unrecorded:
        lines.append("MLflow does not have everything yet; the next search.run writes the rest")
    lines.append(f"Run completed: {result.run_id or 'not recorded yet'}")
    lines.append(f"CV {result.competition.dataset.metric.label}: {_score(result, best)}")
    lines.append(f"Submission: {result.submission or NO_SUBMISSION}")
    return [*lines, *_report(study, layout), *watch_lines(layout), _promote(study.study_name, layout)]


def _without_trial(result: SearchResult) -> list[str]:
    if result.stopgap is None:
        return ["No trial ran to its end, so there is no submission yet"]
    score = f"{result.competition.dataset.metric.label} {score_text(result.stopgap.score)}"
    return [
        f"No trial ran to its end, so the submission is a stopgap: {result.stopgap.made_of}, {score}",
        f"Run completed: {result.run_id or 'not recorded yet'}",
        f"Submission: {result.submission or NO_SUBMISSION}",
    ]


def _chosen(concluded: Concluded | None) -> list[str]:
    """The candidates, why one of them was chosen, and what it is made of."""
    if concluded is None:
        return []
    from search.conclusion.wording import conclusion_lines

    candidate = concluded.conclusion.chosen
    shares = ", ".join(f"{part.name} {100 * weight:.0f} %" for part, weight in candidate.shares.items())
    made_of = [] if candidate.is_single else [f"Blend: {shares}"]
    return [*conclusion_lines(concluded.conclusion), *made_of]


def _score(result: SearchResult, best: FrozenTrial) -> str:
    """On the study's own folds, of what is submitted."""
    if result.concluded is None:
        return trial_score(best)
    line, prediction = result.concluded.conclusion.chosen_line, result.concluded.prediction
    return spread_text(line.apparent, spread(result.competition, prediction.oof))


def _best(best: FrozenTrial) -> str:
    params = ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in best.params.items()
    )
    return f"Best trial: {best.number} ({params})"


def _outside(study: Study, best: FrozenTrial) -> list[str]:
    """What to do if the best trial was drawn before the space was changed, and lies outside now."""
    outside = outside_trials(study)
    if best.number not in outside:
        return []
    inside = next((trial for trial in complete_trials(study) if trial.number not in outside), None)
    if inside is None:
        return ["It lies outside the space as it is now, in which no trial ran to its end yet"]
    instead = f"trial {inside.number}, {trial_score(inside)}: search.promote --trial {inside.number}"
    return [f"It lies outside the space as it is now; the best inside is {instead}"]


def _against_default(result: SearchResult, best: FrozenTrial) -> list[str]:
    default = default_trial(result.study)
    if default is None or default.value is None or best.value is None:
        return []
    if best.number == default.number:
        return [f"No trial beat the default configuration (trial {default.number})"]
    change = percent_change(best.value, default.value) or 0.0
    own = f"Default configuration (trial {default.number}): {trial_score(default)}"
    return [f"{own}; the best trial changes it by {change:+.2f} %"]


def _report(study: Study, layout: Layout) -> list[str]:
    path = layout.report(study.study_name)
    return [f"Report: {path}"] if is_report_of(path, study) else []


def _promote(study: str, layout: Layout) -> str:
    return f"Promote: python -m search.promote --study {shlex.quote(study)}{ledger_flag(layout)}"


def ledger_flag(layout: Layout) -> str:
    """The flag that names the ledger, after a space; empty for the project's own."""
    return f" --storage {_shown(layout)}" if layout.storage else ""


def _shown(layout: Layout) -> str:
    from storage.ledger_address import shown_url

    return shlex.quote(shown_url(layout.ledger_url))


def watch_lines(layout: Layout) -> list[str]:
    """Commands that show the studies: all at one address, and the plain tools."""
    return [
        f"Watch: python -m search.serve{ledger_flag(layout)}",
        f"Dashboard: optuna-dashboard {_shown(layout)}",
        "Compare: mlflow ui --port 5000",
    ]
