"""A trial in lines for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from search.loop.sparkline import can_show, sparkline
from search.score_text import change_text, score_text, spread_text
from search.table import table, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from search.facts.trial import TrialFacts

_SPARKLINE_WIDTH = 40


def trial_lines(
    facts: TrialFacts, default: TrialFacts | None, run_id: str | None, files: Sequence[Path]
) -> list[str]:
    """What a person wants to know of a trial, a line each.

    Args:
        facts: The trial.
        default: The default configuration's trial; None if there is none, or it is this one.
        run_id: Its run in MLflow; None if there is none.
        files: What is here of it.
    """
    return [
        *facts_lines(facts, default),
        f"Run: {run_id or 'not in MLflow; search.sync writes it'}",
        *[f"File: {path}" for path in files],
    ]


def facts_lines(facts: TrialFacts, default: TrialFacts | None = None) -> list[str]:
    """The same without run and files."""
    return [
        f"Trial {facts.number} of study {facts.study}: {facts.state}",
        *score_lines(facts),
        *([f"  reason: {facts.reason}"] if facts.reason else []),
        *_lineage(facts),
        *_time(facts),
        *_reports(facts),
        *_folds(facts, default),
        *_params(facts),
    ]


def score_lines(facts: TrialFacts) -> list[str]:
    """The score and its rank, or where it was pruned."""
    if facts.score is not None:
        rank = f", rank {facts.rank} of {facts.complete} complete" if facts.rank else ""
        return [f"  CV {facts.metric}: {spread_text(facts.score, facts.std)}{rank}"]
    if facts.pruning is not None:
        at = facts.pruning
        where = f"step {at.step} (fold {at.fold}, round {at.iteration})"
        return [f"  pruned at {where}, {facts.metric} {score_text(at.value)} as of then"]
    return []


def time_text(facts: TrialFacts) -> str:
    """When it was evaluated, and how long that took."""
    took = "" if facts.seconds is None else f"{facts.seconds:.1f} s of evaluation"
    began = f"begun {facts.begun:%Y-%m-%d %H:%M:%S}" if facts.begun else "not begun"
    ended = f"ended {facts.ended:%Y-%m-%d %H:%M:%S}" if facts.ended else "not ended"
    return ", ".join(filter(None, (took, began, ended)))


def _time(facts: TrialFacts) -> list[str]:
    return [f"  time: {time_text(facts)}"]


def _lineage(facts: TrialFacts) -> list[str]:
    lines = []
    if facts.retry_of is not None:
        lines.append(f"  over again what was interrupted: trial {facts.retry_of}")
    if facts.retried_as is not None:
        lines.append(f"  queued again as trial {facts.retried_as}")
    return lines


def _reports(facts: TrialFacts) -> list[str]:
    values = list(facts.reports.values())
    if not values:
        return []
    bars = f" {sparkline(values, _SPARKLINE_WIDTH)}" if can_show(sys.stdout.encoding) else ""
    return [f"  reports: {len(values)}{bars} from {score_text(values[0])} to {score_text(values[-1])}"]


def _folds(facts: TrialFacts, default: TrialFacts | None) -> list[str]:
    if not facts.fold_scores:
        return []
    beside = default.fold_scores if default else ()
    if len(beside) != len(facts.fold_scores):
        rows = [(str(k), score_text(one)) for k, one in enumerate(facts.fold_scores)]
        return ["Folds:", *table([("fold", facts.metric), *rows])]
    rows3 = [
        (str(k), score_text(one), score_text(other, one), change_text(one - other, one))
        for k, (one, other) in enumerate(zip(facts.fold_scores, beside, strict=True))
    ]
    return ["Folds:", *table([("fold", facts.metric, f"default (trial {facts.default})", "change"), *rows3])]


def _params(facts: TrialFacts) -> list[str]:
    if not facts.params:
        return ["Parameters: none drawn yet"]
    if facts.default is None or facts.default == facts.number:
        title = "Parameters (the default configuration):" if facts.default is not None else "Parameters:"
        return [title, *table([(f"  {one.name}", value_text(one.value)) for one in facts.params])]
    rows = [
        (f"{'*' if one.differs else ' '} {one.name}", value_text(one.value), value_text(one.default))
        for one in facts.params
    ]
    heading = ("  parameter", "trial", "default")
    differing = sum(one.differs for one in facts.params)
    title = (
        f"Parameters ({differing} of {len(facts.params)} differ from the default configuration, marked *):"
    )
    return [title, *table([heading, *rows])]
