"""The objectives that the settings name: found, in a fixed order, the user's own as they were when a study began."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from objectives.base import OBJECTIVES, find_objective, missing_extra
from objectives.own_objective import (
    OwnObjectiveError,
    code_of,
    find_own_objective,
    fingerprint,
    is_own,
)
from search.config import (
    AUTO,
    AUTO_OBJECTIVES,
    AUTO_OF_SEVERAL_CLASSES,
    AUTO_OF_SEVERAL_CLASSES_WITH_TIME,
    AUTO_ROWS,
    AUTO_VALUES_A_SECOND,
    AUTO_WITH_TIME,
)
from search.space.combined import UNPREFIXED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from objectives.base import ObjectiveFactory
    from search.space.begun import Begun


@dataclass(frozen=True)
class ChosenObjectives:
    """What a study evaluates configurations by.

    Attributes:
        factories: One for each objective: built-in ones as they are listed, then the user's own.
        codes: Texts of the user's own files, by what names them; an installed module has none.
        source: What tells own objectives from others of the same names; empty if there are none.
        faults: One line for each that cannot be had.
        given: What names each of them, in the order of the factories.
        by_auto: Names of those that only `auto` brought, beside the one that suits all data.
        missing: Names of those that `auto` would have brought if their packages were installed.
    """

    factories: tuple[ObjectiveFactory, ...]
    codes: Mapping[str, str]
    source: str
    faults: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    by_auto: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(str(getattr(factory, "name", "")) for factory in self.factories)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found out, for people."""
        if not self.by_auto:
            return ()
        models = f"Models: {', '.join(self.names)} (found out; --objective {UNPREFIXED} is one alone)"
        more = [f"With so much time {one} too: pip install 'tabular-search[{one}]'" for one in self.missing]
        return (models, *more)

    def decided(
        self, shape: tuple[int, int], classes: int, seconds: float | None, begun: Begun
    ) -> ChosenObjectives:
        """Those that `auto` means for training rows of such a shape and so much time, and all that were named.

        Args:
            shape: Of what a model learns from: rows and features.
            classes: Of the target, if there are more than two: as many trees are a round then. Else any fewer.
            seconds: That the search has; None: no limit, and it is the trials that are counted.
            begun: What a study has that goes on, which it keeps whatever its time.

        Returns:
            Them; with a fault where the study has one that is not installed here.
        """
        if not self.by_auto:
            return self
        before = begun() or ()
        missing = {
            one: fault for one in AUTO_WITH_TIME if (fault := missing_extra(one, "give another --study"))
        }
        if faults := [f"--{fault}" for one, fault in missing.items() if one in before]:
            return replace(self, faults=tuple(faults))
        meant = before or _meant(shape, classes, seconds)
        by_auto = self.by_auto.intersection(meant)
        kept = [k for k, one in enumerate(self.given) if one in by_auto or one not in self.by_auto]
        return replace(
            self,
            factories=tuple(self.factories[k] for k in kept),
            given=tuple(self.given[k] for k in kept),
            by_auto=by_auto,
            missing=tuple(one for one in missing if one in meant),
        )


def _meant(shape: tuple[int, int], classes: int, seconds: float | None) -> Collection[str]:
    rows, values, fitted = shape[0], math.prod(shape), AUTO_VALUES_A_SECOND * (seconds or 0)
    has_several, is_small = classes > 2, rows <= AUTO_ROWS  # noqa: PLR2004 - two classes are one number
    dear = AUTO_WITH_TIME if values * (classes if has_several else 1) <= fitted else ()
    if has_several:
        cheap = AUTO_OF_SEVERAL_CLASSES_WITH_TIME if seconds else ()
        return (*(AUTO_OBJECTIVES if is_small else AUTO_OF_SEVERAL_CLASSES), *cheap, *dear)
    return (*AUTO_OBJECTIVES, *dear) if is_small or values <= fitted else ()


def choose(given: Collection[str], codes: Mapping[str, str] | None = None) -> ChosenObjectives:
    """Finds objectives by name or place.

    Args:
        given: Names of built-in ones, `auto`, and `file.py:Class` or `module:Class`, in any order.
        codes: Texts of own files as they were when a study began; one that is not there is read.
    """
    listed, named = [*OBJECTIVES], [one for one in given if one != AUTO]
    dear = (one for one in AUTO_WITH_TIME if missing_extra(one) is None)
    suitable = (*AUTO_OBJECTIVES, *AUTO_OF_SEVERAL_CLASSES_WITH_TIME, *dear)
    by_auto = [one for one in suitable if one not in named] if AUTO in given else []
    ordered = sorted([*named, *by_auto], key=lambda one: listed.index(one) if one in listed else len(listed))
    found: dict[str, ObjectiveFactory] = {}
    places: dict[str, str] = {}
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
        found[name], places[name] = factory, one
        texts |= {one: text} if text is not None else {}
    source = ", ".join(fingerprint(one, texts.get(one)) for one in ordered if is_own(one))
    return ChosenObjectives(
        tuple(found.values()),
        texts,
        source,
        tuple(faults),
        given=tuple(places.values()),
        by_auto=frozenset(by_auto) - {UNPREFIXED},
    )


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
    return f"{AUTO}, {', '.join(OBJECTIVES)}, file.py:Class, module:Class"
