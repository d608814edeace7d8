"""Bars as a file of their own, for pages that show a picture and run no script."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from search.results.charts.chart import BLUE, TEXT, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _ROW, _NAMES, _TOP = 640, 24, 210, 40


def bars_svg(title: str, names: Sequence[str], shares: Sequence[float]) -> str:
    """Draws shares as bars.

    Args:
        title: Above them.
        names: Of the bars, from the top.
        shares: Between 0 and 1.
    """
    longest = max(shares, default=0.0) or 1.0
    room = _WIDTH - _NAMES - 70
    rows = []
    for k, (name, share) in enumerate(zip(names, shares, strict=True)):
        y, length = _TOP + k * _ROW, room * share / longest
        rows.append(
            f'<text x="{_NAMES - 8}" y="{y + 15}" text-anchor="end">{escape(shortened(name, 28))}</text>'
            f'<rect x="{_NAMES}" y="{y + 3}" width="{length:.1f}" height="16" rx="2" fill="{BLUE}"/>'
            f'<text x="{_NAMES + length + 6:.1f}" y="{y + 15}">{share:.1%}</text>'
        )
    height = _TOP + len(rows) * _ROW + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="{TEXT}">'
        f'<text x="8" y="22" font-size="14">{escape(title)}</text>{"".join(rows)}</svg>\n'
    )
