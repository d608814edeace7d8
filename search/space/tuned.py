"""From objectives and the user's table to what is searched: each over its part of the table, several as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from objectives.base import OBJECTIVES
from search.space.combined import CHOICE, UNPREFIXED, CombinedObjective
from search.space.shaped import shaped
from search.space.shaping import shape
from search.space.table import SpaceTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from objectives.base import Objective


def tuned(objectives: Sequence[Objective], table: SpaceTable | None) -> Objective:
    """One objective as it is, several as one; each searched over the user's space, where there is one for it.

    Args:
        objectives: Those to search, of different names.
        table: The user's; an entry of an objective is named `<objective>.<parameter>`, or plainly where it is
            the only one or LightGBM.

    Raises:
        ValueError: If the table does not fit them; see `table_faults`.
    """
    parts, _ = _by_objective(objectives, table)
    made = [shaped(one, parts.get(one.name)) for one in objectives]
    return made[0] if len(made) == 1 else CombinedObjective(made)


def table_faults(objectives: Sequence[Objective], table: SpaceTable | None) -> list[str]:
    """One line for each entry that fits no objective."""
    parts, faults = _by_objective(objectives, table)
    for one in objectives:
        if one.name in parts:
            label = "[space] " if one.name == _plain(objectives) else f"[space] {one.name}."
            found = shape(one, parts[one.name])[1]
            faults += [fault.replace("[space] ", label, 1) for fault in found]
    return faults


def _by_objective(
    objectives: Sequence[Objective], table: SpaceTable | None
) -> tuple[dict[str, SpaceTable], list[str]]:
    entries: dict[str, dict[str, object]] = {}
    faults: list[str] = []
    names, plain = [one.name for one in objectives], _plain(objectives)
    for key, entry in table.entries() if table else ():
        owner, dot, parameter = key.partition(".")
        if dot and owner in OBJECTIVES and owner not in names:
            # One settings file serves searches of different objectives.
            continue
        if dot and owner in names:
            entries.setdefault(owner, {})[parameter] = entry
        elif plain is not None and not (len(names) > 1 and key == CHOICE):
            entries.setdefault(plain, {})[key] = entry
        else:
            faults.append(_stray(key, names))
    return {name: SpaceTable.model_validate(one) for name, one in entries.items()}, faults


def _plain(objectives: Sequence[Objective]) -> str | None:
    """The objective whose entries need no prefix."""
    names = [one.name for one in objectives]
    if len(names) == 1:
        return names[0]
    return UNPREFIXED if UNPREFIXED in names else None


def _stray(key: str, names: list[str]) -> str:
    if key == CHOICE:
        return f"[space] {key}: got an entry; allowed: none; do: choose objectives by --objective"
    tables = ", ".join(f"[space.{name}]" for name in names)
    return f"[space] {key}: got an entry of no objective; allowed: {tables}; do: put it under its objective's"
