"""What a choice comes to, in lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.config import HONEST_LEVEL, SIGNAL_DEVIATIONS
from search.score_text import change_text, score_text
from search.table import table

if TYPE_CHECKING:
    from search.conclusion.conclusion import Conclusion, Line

_HEADINGS = ("  candidate", "CV", "honest", "gap", "gain over default")


def conclusion_lines(conclusion: Conclusion) -> list[str]:
    """The table of candidates, what is expected of the chosen one, and why it was chosen."""
    verdict = _verdict(conclusion) + _joined(conclusion)
    return [
        _title(conclusion),
        *table([_HEADINGS, *map(_cells, conclusion.lines)]),
        verdict,
        expectation(conclusion),
    ]


def expectation(conclusion: Conclusion) -> str:
    """What the chosen candidate will score on the test file."""
    line = conclusion.chosen_line
    if line.expected is None:
        return f"Expected on the test file: {conclusion.metric} unknown"
    one = line.expected
    mean, low, high = (score_text(score, one.expected) for score in (one.expected, one.low, one.high))
    return f"Expected on the test file: {conclusion.metric} {mean}, {HONEST_LEVEL:.0%} of the time from {low} to {high}"


def _title(conclusion: Conclusion) -> str:
    if conclusion.fresh_folds and conclusion.has_own_rows:
        basis = f"{conclusion.fresh_folds} folds of fresh seeds, for this split has no other"
    elif conclusion.fresh_folds:
        basis = f"{conclusion.fresh_folds} folds of fresh splits, models averaged as on the test file"
    else:
        basis = "no time for fresh splits: selection repeated without each fold's rows"
    return f"Candidates ({basis}):"


def _cells(line: Line) -> tuple[str, ...]:
    apparent = score_text(line.apparent)
    honest = "" if line.honest is None else score_text(line.honest, line.apparent)
    gap = "" if line.honest is None else change_text(line.honest - line.apparent, line.apparent)
    return ("* " if line.is_chosen else "  ") + line.name, apparent, honest, gap, _gain(line)


def _gain(line: Line) -> str:
    """Over the default configuration, with its standard error."""
    if line.gain is None:
        return ""
    error = "" if line.gain_error is None else f" ± {score_text(line.gain_error, line.apparent)}"
    return change_text(line.gain, line.apparent) + error


def _verdict(conclusion: Conclusion) -> str:
    if conclusion.reason == "asked for":
        return _asked(conclusion)
    if conclusion.reason == "no signal":
        return (
            f"No signal: the predictions say nothing about the target ({conclusion.signal:.1f} standard deviations "
            f"of chance a fold; {SIGNAL_DEVIATIONS:g} would be little), so the default configuration is promoted"
        )
    return _default_kept(conclusion) if conclusion.chosen_line.kind == "default" else _better(conclusion)


def _default_kept(conclusion: Conclusion) -> str:
    others = [line for line in conclusion.lines if line.gain is not None]
    if not others:
        return "Only the default configuration ran to its end"
    best = max(others, key=lambda line: line.gain or 0.0)
    assert best.gain is not None
    if best.gain <= 0:
        why = "nothing that was tried is better"
    elif best.gain_error is not None and best.gain > best.gain_error:
        why = "but not where its selection is repeated without the rows that it is scored on"
    else:
        why = "no more than one standard error"
    gain = _gain(best)
    return f"Tuning did not beat the default configuration: {best.name} gains {gain}, {why}"


def _better(conclusion: Conclusion) -> str:
    chosen, default = conclusion.chosen_line, _default_score(conclusion)
    if chosen.gain is None:
        return f"Chosen: {chosen.name}; the default configuration has no score to compare it with"
    share = f" ({100 * chosen.gain / abs(default):.2f} %)" if default else ""
    simpler = (
        "; the blend is no better by a standard error" if conclusion.reason == "single is as good" else ""
    )
    gain = _gain(chosen)
    return f"Chosen: {chosen.name}, better than the default configuration by {gain}{share}{simpler}"


def _joined(conclusion: Conclusion) -> str:
    """What predicts beside the models of the folds."""
    wholes = [part for part, _ in conclusion.chosen.parts if part.of_all_rows]
    if not wholes:
        return ""
    parts = len(conclusion.chosen.configurations)
    where = "" if parts == 1 else f" in {len(wholes)} of its {parts} parts"
    return f"; {wholes[0].of_all_rows} models of all rows join those of its folds{where}"


def _asked(conclusion: Conclusion) -> str:
    line = conclusion.chosen_line
    if line.kind == "default" or line.gain is None:
        return f"Asked for: {line.name}"
    sure = line.gain_error is not None and abs(line.gain) > line.gain_error
    word = ("better" if line.gain > 0 else "worse") if sure else "neither better nor worse"
    return f"Asked for: {line.name}, {word} than the default configuration: {_gain(line)}"


def _default_score(conclusion: Conclusion) -> float | None:
    return next((line.honest for line in conclusion.lines if line.kind == "default"), None)
