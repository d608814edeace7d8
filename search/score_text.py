"""Scores as people read them: six digits, and what stands beside a score with as many decimals as it has.

Four decimals, as most scripts print, are five too many of a rent in yen, and too few to tell two log losses apart.
"""

from __future__ import annotations

import math

ABSENT = "-"

_DIGITS = 6
_MOST_DECIMALS = 12


def decimals(score: float) -> int:
    """How many decimals give a score six digits; 5 for 0 and for what is not finite."""
    before = math.floor(math.log10(abs(score))) + 1 if score and math.isfinite(score) else 1
    return min(_MOST_DECIMALS, max(0, _DIGITS - before))


def score_text(score: float | None, like: float | None = None, *, commas: bool = False) -> str:
    """A score; `-` where there is none.

    Args:
        score: The score, or the spread of some.
        like: The score that it stands beside, and shall have as many decimals as; default: itself.
        commas: Whether thousands are set apart, as on pages; in a terminal they are in the way of who copies it.
    """
    if score is None or math.isnan(score):
        return ABSENT
    separator = "," if commas else ""
    return f"{score:{separator}.{decimals(score if like is None else like)}f}"


def change_text(change: float, like: float) -> str:
    """A difference of scores, with its sign and the decimals of a score."""
    return f"{change:+.{decimals(like)}f}"


def spread_text(mean: float | None, deviation: float | None) -> str:
    """A mean and its deviation; the mean alone where that is not known."""
    known = deviation is not None and not math.isnan(deviation)
    return score_text(mean) + (f" ± {score_text(deviation, mean)}" if known else "")
