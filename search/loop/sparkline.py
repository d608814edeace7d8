"""A row of numbers as a row of bars, one character each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """Draws numbers as bars, the lowest and the highest at the ends of the scale.

    Args:
        values: In their order; of more than `width` evenly spaced ones are drawn, the first and the last always.
        width: Characters at most, 2 or more.

    Returns:
        Nothing for no values; bars at half height for values that are all the same.
    """
    n = len(values)
    shown = values if n <= width else [values[k * (n - 1) // (width - 1)] for k in range(width)]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if low == high:
        return BARS[len(BARS) // 2 - 1] * len(shown)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in shown)


def can_show(encoding: str | None) -> bool:
    """Whether text in this encoding can have bars."""
    try:
        BARS.encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
