"""What was asked, of which space, on which data and folds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.facts.trial import better_text, fold_scores
from search.results.charts.chart import Missing, score_text, value_text
from search.results.report.section import Facts, Lines, Section, Table, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from search.results.charts.facts import ChartedStudy
    from search.results.report.evidence import Evidence


def asked_section(facts: ChartedStudy) -> Section:
    """The study's question, and the space."""
    settings, params = _known(facts, "settings"), _known(facts, "run_params")
    question, tags = _known(facts, "question"), _known(facts, "run_tags")
    rows = [
        ("Study", facts.name),
        ("Target", tags.get("target") or settings.get("target")),
        ("Task", params.get("task") or settings.get("task")),
        ("Metric", f"{facts.metric}, {better_text(facts.maximize)}"),
        ("Training", question.get("training")),
        ("Models", params.get("objective") or ",".join(settings.get("objective") or ())),
        ("Trials", str(facts.counts)),
        ("Seed", params.get("seed")),
    ]
    return section(
        "asked",
        "What was asked",
        Facts(tuple((name, str(value)) for name, value in rows if value not in (None, ""))),
        _space(facts),
    )


def data_section(facts: ChartedStudy, evidence: Evidence) -> Section:
    """What was found out about the data, and how its rows are split."""
    settings, question = _known(facts, "settings"), _known(facts, "question")
    rows = [
        ("Training file", settings.get("train") or f"built-in sample, {settings.get('rows')} rows"),
        ("Test file", settings.get("test") or "built-in sample"),
        ("Features", _known(facts, "run_params").get("n_features")),
        ("Split", question.get("split")),
        ("Data fingerprint", question.get("data")),
    ]
    own = Facts(tuple((name, str(value)) for name, value in rows if value is not None))
    if evidence.competition is None:
        return section("data", "Data and folds", own, Missing("What was found out", evidence.why_no_data))
    notes = Lines(tuple(evidence.competition.notes))
    return section("data", "Data and folds", own, notes, _folds(facts, evidence))


def _folds(facts: ChartedStudy, evidence: Evidence) -> Table:
    assert evidence.competition is not None
    scores = fold_scores(facts.best) if facts.best else ()
    number = facts.best.number if facts.best else None
    headings = ("Fold", "Training rows", "Validated rows", f"{facts.metric} of trial {number}")
    rows = [
        (str(k), f"{len(fold.train_idx):,}", f"{len(fold.val_idx):,}", *_score(scores, k))
        for k, fold in enumerate(evidence.competition.folds)
    ]
    return Table(headings[: 4 if scores else 3], tuple(rows))


def _score(scores: Sequence[float], k: int) -> tuple[str, ...]:
    return (score_text(scores[k] if k < len(scores) else None),) if scores else ()


def _space(facts: ChartedStudy) -> Table | Missing:
    distributions: dict[str, BaseDistribution] = {}
    for trial in facts.trials:
        distributions |= trial.distributions
    if not distributions:
        return Missing("The space", "No trial has begun yet, so no parameter was drawn.")
    best, default = facts.best, facts.default
    rows = [
        (name, _range(distribution), _value(default, name), _value(best, name))
        for name, distribution in distributions.items()
    ]
    return Table(
        ("Parameter", "Searched", "Default", f"Trial {best.number}" if best else "Best"), tuple(rows)
    )


def _range(distribution: BaseDistribution) -> str:
    choices: Any = getattr(distribution, "choices", None)
    if choices is not None:
        return " | ".join(map(str, choices))
    known: Any = distribution
    return f"{value_text(known.low)} to {value_text(known.high)}" + (", log" if known.log else "")


def _value(trial: FrozenTrial | None, name: str) -> str:
    return "" if trial is None or name not in trial.params else value_text(trial.params[name])


def _known(facts: ChartedStudy, name: str) -> dict[str, Any]:
    value = facts.attributes.get(name)
    return value if isinstance(value, dict) else {}
