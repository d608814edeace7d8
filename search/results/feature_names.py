"""Names of features, as far as the ledger tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def names_for(attributes: Mapping[str, Any], n: int) -> tuple[str, ...]:
    """The names of a study's features; numbered ones where a comma in a name makes them unclear.

    Args:
        attributes: The study's own.
        n: How many features there are.
    """
    joined = str(attributes.get("run_params", {}).get("feature_cols", ""))
    # The earliest studies have no blanks between the names.
    names = tuple(joined.split(", " if ", " in joined else ","))
    return names if len(names) == n else tuple(f"feature {k}" for k in range(n))
