"""Two trials beside each other in lines for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from search.config import HONEST_LEVEL
from search.facts.trial_lines import score_lines
from search.score_text import change_text, score_text
from search.table import seconds_cell, table, value_text

if TYPE_CHECKING:
    from search.facts.comparison import Comparison


def comparison_lines(found: Comparison) -> list[str]:
    """What a person wants to know of two trials, a line each, the verdict last."""
    one, other = found.one, found.other
    return [
        f"Study {one.study}: trial {one.number} ({one.state}) beside trial {other.number} ({other.state})",
        *_folds(found),
        *_params(found),
        *_times(found),
        *_common_report(found),
        verdict_line(found),
        *_caution(found),
    ]


def verdict_line(found: Comparison) -> str:
    """Whether the difference is more than noise."""
    a, b = f"trial {found.one.number}", f"trial {found.other.number}"
    if found.gain is None:
        return "Not to be said: only trials that ran to their end have fold scores to compare"
    if found.verdict == "equal":
        return f"No difference: {a} and {b} score the same on every fold"
    if found.interval is None or math.isinf(found.interval):
        return "Not to be said: one fold tells nothing of the noise"
    like = found.one.fold_scores[0]
    figures = f"{change_text(found.gain.mean, like)} ± {score_text(found.gain.error, like)} (standard error)"
    low, high = found.gain.mean - found.interval, found.gain.mean + found.interval
    interval = f"{HONEST_LEVEL:.0%} interval {change_text(low, like)} to {change_text(high, like)}"
    if found.verdict == "noise":
        return f"No more than noise: {a} beats {b} by {figures}, within one standard error"
    word = "better" if found.gain.mean > 0 else "worse"
    if found.verdict in {"maybe better", "maybe worse"}:
        return f"Maybe noise: {a} is {word} than {b} by {figures}, but the {interval} has 0 in it"
    return f"More than noise: {a} is {word} than {b} by {figures}, {interval}"


def _folds(found: Comparison) -> list[str]:
    one, other = found.one, found.other
    if found.gain is None:
        return [f"Trial {facts.number}:{line[1:]}" for facts in (one, other) for line in score_lines(facts)]
    scores = zip(one.fold_scores, other.fold_scores, found.gains, strict=True)
    like = one.fold_scores[0]
    named = [
        *((str(k), *figures) for k, figures in enumerate(scores)),
        ("mean", one.score, other.score, found.gain.mean),
    ]
    rows = [
        (name, score_text(a, like), score_text(b, like), change_text(gain, like))
        for name, a, b, gain in named
    ]
    heading = ("fold", f"trial {one.number}", f"trial {other.number}", f"trial {one.number} better by")
    ties = len(found.gains) - found.wins - found.losses
    wins = f"Trial {one.number} wins {found.wins} of {len(found.gains)} folds, trial {other.number} {found.losses}"
    return [f"CV {one.metric}:", *table([heading, *rows]), wins + (f", {ties} equal" if ties else "")]


def _params(found: Comparison) -> list[str]:
    if not found.differing:
        return ["Parameters: all the same"]
    heading = ("parameter", f"trial {found.one.number}", f"trial {found.other.number}")
    rows = [(one.name, value_text(one.value), value_text(one.default)) for one in found.differing]
    return ["Parameters that differ:", *table([heading, *rows])]


def _times(found: Comparison) -> list[str]:
    one, other = found.one, found.other
    if one.seconds is None or other.seconds is None:
        return []
    figures = f"Time: {seconds_cell(one.seconds)} s and {seconds_cell(other.seconds)} s"
    if not (one.is_complete and other.is_complete and one.seconds and other.seconds):
        return [figures]
    ratio = one.seconds / other.seconds
    faster, slower = (one, other) if ratio <= 1 else (other, one)
    times = f"{max(ratio, 1 / ratio):.1f} times as long"
    return [f"{figures}: trial {slower.number} takes {times} as trial {faster.number}"]


def _common_report(found: Comparison) -> list[str]:
    if found.gain is not None or found.common_report is None:
        return []
    step, one, other = found.common_report
    return [f"At step {step}, the last that both reached: {score_text(one)} and {score_text(other)}"]


def _caution(found: Comparison) -> list[str]:
    best = next((one for one in (found.one, found.other) if one.rank == 1), None)
    if found.gain is None or best is None or best.complete < 3:  # noqa: PLR2004 - one of two is not selected
        return []
    return [
        (
            f"Trial {best.number} is the best of {best.complete}, which flatters it on these folds; "
            "search.promote scores on fresh ones"
        )
    ]
