"""Feature names that LightGBM takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# LightGBM refuses JSON's special characters in names, and blanks break its text format.
_REFUSED = re.compile(r'[\s",:\[\]{}]')


def plain_names(names: Sequence[str]) -> list[str]:
    """The names with refused characters as `_`, made unique again where that made two alike."""
    taken: set[str] = set()
    plain = []
    for name in names:
        base = candidate = _REFUSED.sub("_", name) or "_"
        n = 2
        while candidate in taken:
            candidate, n = f"{base}_{n}", n + 1
        taken.add(candidate)
        plain.append(candidate)
    return plain
