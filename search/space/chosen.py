"""The objectives that the settings name: found, in a fixed order, the user's own as they were when a study began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from objectives.base import OBJECTIVES, find_objective, missing_extra
from objectives.own_objective import (
    OwnObjectiveError,
    code_of,
    find_own_objective,
    fingerprint,
    is_own,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from objectives.base import ObjectiveFactory


@dataclass(frozen=True)
class ChosenObjectives:
    """What a study evaluates configurations by.

    Attributes:
        factories: One for each objective: built-in ones as they are listed, then the user's own.
        codes: Texts of the user's own files, by what names them; an installed module has none.
        source: What tells own objectives from others of the same names; empty if there are none.
        faults: One line for each that cannot be had.
    """

    factories: tuple[ObjectiveFactory, ...]
    codes: Mapping[str, str]
    source: str
    faults: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(str(getattr(factory, "name", "")) for factory in self.factories)


def choose(given: Iterable[str], codes: Mapping[str, str] | None = None) -> ChosenObjectives:
    """Finds objectives by name or place.

    Args:
        given: Names of built-in ones, and `file.py:Class` or `module:Class`, in any order.
        codes: Texts of own files as they were when a study began; one that is not there is read.
    """
    listed = [*OBJECTIVES]
    ordered = sorted(given, key=lambda one: listed.index(one) if one in listed else len(listed))
    found: dict[str, ObjectiveFactory] = {}
    texts: dict[str, str] = {}
    faults = [] if ordered else [f"--objective: got none; allowed: {_allowed()}; do: name at least one"]
    for one in ordered:
        try:
            factory, text = _find(one, (codes or {}).get(one))
        except OwnObjectiveError as error:
            faults.append(f"--{error}")
            continue
        name = str(getattr(factory, "name", one))
        if name in found:
            faults.append(f"--objective: got {name} twice; allowed: each once; do: take one out")
        found[name] = factory
        texts |= {one: text} if text is not None else {}
    source = ", ".join(fingerprint(one, texts.get(one)) for one in ordered if is_own(one))
    return ChosenObjectives(tuple(found.values()), texts, source, tuple(faults))


def _find(given: str, code: str | None) -> tuple[ObjectiveFactory, str | None]:
    if is_own(given):
        code = code_of(given) if code is None else code
        return find_own_objective(given, code), code
    if given not in OBJECTIVES:
        raise OwnObjectiveError(f"objective: got {given!r}; allowed: {_allowed()}; do: choose among these")
    if (fault := missing_extra(given)) is not None:
        raise OwnObjectiveError(fault)
    return find_objective(given), None


def _allowed() -> str:
    return f"{', '.join(OBJECTIVES)}, file.py:Class, module:Class"
