"""The words of faults: examples, and what is wrong with ids."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_SHOWN = 3
_LONGEST = 60


def examples(names: Collection[object]) -> str:
    """Returns the first few of some names, for a message."""
    shown = [short(name) for name in list(names)[:_SHOWN]]
    return "first " + ", ".join(shown) if len(names) > _SHOWN else ", ".join(shown)


def short(name: object) -> str:
    """Returns a value in quotes on one line, cut where it is long."""
    text = repr(name)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...'"


def id_fault(got: Sequence[str], ids: Sequence[str]) -> str | None:
    """Returns what is wrong with the ids of a file, all in one line, without advice; None where nothing is.

    Args:
        got: The ids in the file.
        ids: The test ids.
    """
    present, allowed = set(got), set(ids)
    kinds = {
        "are missing": [name for name in dict.fromkeys(ids) if name not in present],
        "are not in the test data": [name for name in dict.fromkeys(got) if name not in allowed],
        "are there more than once": [name for name, count in Counter(got).items() if count > 1],
    }
    parts = [f"{len(names)} that {kind}, {examples(names)}" for kind, names in kinds.items() if names]
    if not parts:
        return None
    hint = _hint(kinds["are missing"], kinds["are not in the test data"])
    return f"ids: got {'; '.join(parts)}{hint}; allowed: each of the {len(ids)} test ids once"


def _hint(missing: Sequence[str], unknown: Sequence[str]) -> str:
    if not missing or not unknown:
        return ""
    bare = {name.lstrip("0") for name in missing}
    if all(name.lstrip("0") in bare for name in unknown):
        return " (zeros before them lost or added)"
    if all(name.removesuffix(".0") in set(missing) for name in unknown):
        return " (written as decimals)"
    return ""
