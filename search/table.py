"""Aligned columns of text, and values as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.score_text import ABSENT

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Aligns columns, two spaces apart and indented by two.

    Args:
        rows: The heading and the rest, all with as many cells.
        left: Columns, from the first, whose cells begin at the left; the others end at the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if k < left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def value_text(value: Any) -> str:
    """A parameter's value; `-` where there is none."""
    if value is None:
        return ABSENT
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def gain_cell(gain: float | None) -> str:
    """A gain in per cent; `-` where it is not known."""
    return ABSENT if gain is None else f"{gain:+.2f} %"


def seconds_cell(seconds: float | None) -> str:
    """A duration in seconds; `-` where it is not known."""
    return ABSENT if seconds is None else f"{seconds:.1f}"
