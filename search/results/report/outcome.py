"""What the study came to: pruning and its audit, the honest table, time and cost."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from search.conclusion.wording import conclusion_lines
from search.loop.progress import duration_text
from search.loop.tally import last_activity, trial_seconds
from search.results.charts.chart import Missing, change_text, score_text
from search.results.pruning_audit import pruning_audit
from search.results.report.section import Facts, Lines, Table

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from search.conclusion.conclusion import Conclusion, Line
    from search.results.charts.facts import ChartedStudy

PROMOTION = "Honest promotion"
_HEADINGS = ("Candidate", "CV", "Honest", "Gap", "Gain over default", "Expected on the test file")


def pruning_lines(facts: ChartedStudy) -> Lines | Missing:
    """What pruning saved, and how often it was wrong."""
    audit = pruning_audit(facts.study)
    if not audit.pruned:
        return Missing("What pruning saved", "Nothing: no trial was pruned.")
    lines = audit.lines()
    if not audit.audited:
        lines.append("No trial that was to be pruned has been finished as an audit yet.")
    return Lines(tuple(lines))


def promotion_parts(
    facts: ChartedStudy, conclusion: Conclusion | None
) -> tuple[Table | Lines | Missing, ...]:
    """The candidates side by side, and why one of them was chosen."""
    if conclusion is None:
        why = (
            "no trial has run to its end"
            if not facts.complete
            else "the study has not been concluded since its last trial"
        )
        return (Missing(PROMOTION, f"Nothing was compared on fresh splits: {why}."),)
    marked = next(k for k, line in enumerate(conclusion.lines) if line.is_chosen)
    title, *_, verdict, expectation = conclusion_lines(conclusion)
    return (
        Lines((title.removesuffix(":") + ".",)),
        Table(_HEADINGS, tuple(_cells(line) for line in conclusion.lines), marked),
        Lines((verdict, expectation)),
    )


def _cells(line: Line) -> tuple[str, ...]:
    honest = "" if line.honest is None else score_text(line.honest, line.apparent)
    gap = "" if line.honest is None else change_text(line.honest - line.apparent, line.apparent)
    gain = "" if line.gain is None else change_text(line.gain, line.apparent)
    error = "" if line.gain_error is None else f" ± {score_text(line.gain_error, line.apparent)}"
    one = line.expected
    expected = (
        "" if one is None else f"{score_text(one.low, one.expected)} to {score_text(one.high, one.expected)}"
    )
    return line.name, score_text(line.apparent), honest, gap, f"{gain}{error}", expected


def time_facts(facts: ChartedStudy) -> Facts | Missing:
    """How long it took, and what was bought with it."""
    begun = [trial.datetime_start for trial in facts.trials if trial.datetime_start is not None]
    last = last_activity(facts.study)
    if not begun or last is None:
        return Missing("Time and cost", "No trial has begun yet.")
    seconds = {
        state: [_seconds(trial) for trial in facts.trials if trial.state.name == state]
        for state in ("COMPLETE", "PRUNED", "FAIL")
    }
    total, wall = sum(map(sum, seconds.values())), (last - min(begun)).total_seconds()
    rows = [
        ("First trial began", f"{min(begun):%Y-%m-%d %H:%M:%S}"),
        ("Last activity", f"{last:%Y-%m-%d %H:%M:%S}"),
        ("From first to last", duration_text(wall)),
        ("Evaluating, over all workers", duration_text(total)),
        *(
            (
                f"of it {word}",
                f"{duration_text(sum(some))}, {duration_text_short(median(some))} each (median)",
            )
            for word, some in (
                ("complete", seconds["COMPLETE"]),
                ("pruned", seconds["PRUNED"]),
                ("failed", seconds["FAIL"]),
            )
            if some
        ),
    ]
    finished = facts.counts.finished
    if wall > 0 and finished:
        rows.append(("Trials an hour", f"{3600 * finished / wall:,.0f}"))
    return Facts(tuple(rows))


def duration_text_short(seconds: float) -> str:
    """As `duration_text`, with tenths of a second where it is short."""
    return f"{seconds:.1f} s" if seconds < 10 else duration_text(seconds)  # noqa: PLR2004 - two digits


def _seconds(trial: FrozenTrial) -> float:
    measured = trial_seconds(trial)
    if measured is not None:
        return measured
    return trial.duration.total_seconds() if trial.duration else 0.0
