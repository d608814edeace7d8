"""A space table laid over an objective's own space, every fault at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from objectives.known_params import KnownParam, KnowsParams, known_by_space
from search.space.conditional import ConditionalSpace, When, contains
from search.space.table import Choices, Fixed, Range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution

    from objectives.base import Objective
    from search.space.table import SpaceTable

Numeric = (FloatDistribution, IntDistribution)


def known_params(objective: Objective) -> Mapping[str, KnownParam]:
    """All parameters that a user may search, by what the objective says of them."""
    if isinstance(objective, KnowsParams):
        return objective.known_params()
    return known_by_space(objective.space())


def shape(objective: Objective, table: SpaceTable) -> tuple[ConditionalSpace, list[str]]:
    """Lays a table over the objective's own space.

    Returns:
        The space, and one line for each fault: `[space] name: got ...; allowed: ...; do: ...`.
    """
    return _Shaping(objective.space(), known_params(objective), table).run()


@dataclass
class _Shaping:
    own: dict[str, BaseDistribution]
    known: Mapping[str, KnownParam]
    table: SpaceTable
    faults: list[str] = field(default_factory=list)

    def run(self) -> tuple[ConditionalSpace, list[str]]:
        space = dict(self.own)
        for name, entry in self.table.entries():
            if name not in self.known:
                self._unknown(name)
            elif (made := self._made(name, entry)) is not None:
                space[name] = made
        when = {
            name: dict(entry.when) for name, entry in self.table.entries() if name in space and entry.when
        }
        for name, one in when.items():
            self._check_conditions(name, one, space)
        if self.faults:
            return ConditionalSpace(self.own), self.faults
        without = {name: one.default for name, one in self.known.items() if one.default is not None}
        try:
            return ConditionalSpace(space, when, without), []
        except ValueError as error:
            do = "do: take one of the conditions out"
            return ConditionalSpace(self.own), [f"[space]: got {error}; allowed: parents first; {do}"]

    def _fault(self, name: str, got: str, allowed: str, do: str = "correct it") -> None:
        self.faults.append(f"[space] {name}: got {got}; allowed: {allowed}; do: {do}")

    def _unknown(self, name: str) -> None:
        near = get_close_matches(name, self.known, n=2)
        do = f"write {' or '.join(near)}" if near else "choose one"
        self._fault(name, "an unknown parameter", ", ".join(self.known), do)

    def _made(self, name: str, entry: Range | Choices | Fixed) -> BaseDistribution | None:
        if isinstance(entry, Range):
            return self._range(name, entry)
        values = entry.choices if isinstance(entry, Choices) else (entry.value,)
        known = self.known[name]
        if bad := [one for one in values if not known.takes(one)]:
            self._fault(name, ", ".join(map(repr, bad)), known.allowed())
            return None
        if isinstance(entry, Fixed) and known.kind != "choice":
            return self._single(name, entry.value)
        return CategoricalDistribution(values)

    def _single(self, name: str, value: Any) -> BaseDistribution:
        log = bool(getattr(self.own.get(name), "log", False)) and value > 0
        if self.known[name].kind == "int":
            return IntDistribution(int(value), int(value), log=log)
        return FloatDistribution(float(value), float(value), log=log)

    def _range(self, name: str, entry: Range) -> BaseDistribution | None:
        known, own = self.known[name], self.own.get(name)
        asked = entry.model_dump(exclude={"when"}, exclude_none=True)
        if not asked:
            if own is None:
                self._fault(name, "no value", "low and high, choices, or a value", "say what to search")
            return own
        if known.kind == "choice":
            self._fault(name, "a range", f"one of {known.allowed()}", "give choices or a value")
            return None
        return self._numbers(name, _Bounds.of(entry, known, own))

    def _numbers(self, name: str, bounds: _Bounds) -> BaseDistribution | None:
        known = self.known[name]
        if bounds.low is None or bounds.high is None:
            self._fault(
                name, "only one bound", "low and high", "give both: it is not in the objective's own space"
            )
        elif bad := [one for one in (bounds.low, bounds.high) if not bounds.known.takes(one)]:
            self._fault(name, ", ".join(map(repr, bad)), bounds.known.allowed())
        elif bounds.low > bounds.high:
            self._fault(name, f"low {bounds.low} above high {bounds.high}", "low <= high", "give both bounds")
        elif bounds.log and bounds.low <= 0:
            self._fault(name, f"log = true from {bounds.low}", "low above 0 where log = true")
        elif bounds.kind == "float" and known.kind == "int":
            self._fault(name, "kind 'float'", "kind 'int', its values are whole numbers")
        else:
            return bounds.distribution()
        return None

    def _check_conditions(self, name: str, when: When, space: Mapping[str, BaseDistribution]) -> None:
        for parent, values in when.items():
            where = f"{name}.when.{parent}"
            if parent == name or parent not in space:
                allowed = ", ".join(one for one in space if one != name)
                self._fault(where, "no other parameter of the space", allowed, "name one of these")
            elif bad := [one for one in values if not contains(space[parent], one)]:
                self._fault(
                    where, ", ".join(map(repr, bad)), _said(space[parent]), "name values that it takes"
                )


@dataclass(frozen=True)
class _Bounds:
    low: float | None
    high: float | None
    log: bool
    step: float | None
    kind: str
    known: KnownParam

    @classmethod
    def of(cls, entry: Range, known: KnownParam, own: BaseDistribution | None) -> _Bounds:
        """What the entry leaves out is as in the objective's own space."""
        low, high = entry.low, entry.high
        log, step = entry.log, entry.step
        if isinstance(own, Numeric):
            low = own.low if low is None else low
            high = own.high if high is None else high
            log = own.log and low > 0 and step is None if log is None else log
        kind = entry.kind or known.kind
        # Whole numbers of a parameter that takes any are for the user to want.
        limits = KnownParam("int", None, known.low, known.high, known.above) if kind == "int" else known
        return cls(low, high, bool(log), step, kind, limits)

    def distribution(self) -> BaseDistribution:
        assert self.low is not None
        assert self.high is not None
        if self.kind == "int":
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return FloatDistribution(float(self.low), float(self.high), log=self.log, step=self.step)


def _said(distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        return ", ".join(map(repr, distribution.choices))
    assert isinstance(distribution, Numeric)
    return f"{distribution.low} to {distribution.high}"
