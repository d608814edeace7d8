"""A space some of whose parameters are searched only with certain values of others."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution

When = dict[str, tuple[Any, ...]]
"""The values of other parameters with which a parameter is searched."""
WHEN = "[when]"
"""Name of the conditions in a space as plain values; no parameter's."""
_ELSE = object()


class ConditionalSpace(dict[str, "BaseDistribution"]):
    """Distributions by name, a parameter after those that it depends on.

    Attributes:
        when: The conditions of the parameters that have any; all of them must hold.
        without: What a configuration that lacks a parameter amounts to, as far as the objective knows.
    """

    def __init__(
        self,
        distributions: Mapping[str, BaseDistribution],
        when: Mapping[str, When] | None = None,
        without: Mapping[str, Any] | None = None,
    ) -> None:
        when = {name: dict(one) for name, one in (when or {}).items() if one}
        super().__init__({name: distributions[name] for name in _parents_first(distributions, when)})
        self.when: dict[str, When] = when
        self.without = dict(without or {})


def conditions(space: Mapping[str, BaseDistribution]) -> Mapping[str, When]:
    """The conditions of a space; a plain mapping has none."""
    return space.when if isinstance(space, ConditionalSpace) else {}


def is_active(space: Mapping[str, BaseDistribution], name: str, params: Mapping[str, Any]) -> bool:
    """Whether a parameter is searched, given those that it depends on."""
    when = conditions(space).get(name, {})
    return all(parent in params and _is_in(params[parent], values) for parent, values in when.items())


def active(space: Mapping[str, BaseDistribution], params: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some parameters that belong to the configuration."""
    kept: dict[str, Any] = {}
    for name in space:
        if name in params and is_active(space, name, kept):
            kept[name] = params[name]
    return kept


def carried(space: Mapping[str, BaseDistribution], params: Mapping[str, Any]) -> dict[str, Any] | None:
    """A configuration as one of a space, though it was drawn from another; None if it lies outside.

    A parameter that it lacks has the value that this amounts to, and one that the space does not search must
    have it.
    """
    without = space.without if isinstance(space, ConditionalSpace) else {}
    found: dict[str, Any] = {}
    for name, distribution in space.items():
        if not is_active(space, name, found):
            continue
        value = params.get(name, without.get(name))
        if value is None or not contains(distribution, value):
            return None
        found[name] = value
    idle = (name for name in params if name not in found)
    return found if all(name in without and params[name] == without[name] for name in idle) else None


def fitted(space: Mapping[str, BaseDistribution], params: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a space nearest to the given parameters, as far as they are given."""
    found: dict[str, Any] = {}
    for name, distribution in space.items():
        if not is_active(space, name, found):
            continue
        if name in params:
            found[name] = _nearest(distribution, params[name])
        elif distribution.single():
            found[name] = only_value(distribution)
    return found


def contains(distribution: BaseDistribution, value: Any) -> bool:
    """Whether a distribution has a value."""
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))  # noqa: SLF001 - no public way
    except (TypeError, ValueError):
        return False


def only_value(distribution: BaseDistribution) -> Any:
    """The value of a distribution that has one."""
    return distribution.choices[0] if isinstance(distribution, CategoricalDistribution) else distribution.low  # type: ignore[attr-defined]


def space_size(space: Mapping[str, BaseDistribution]) -> float:
    """How many configurations there are; infinity where a parameter is continuous."""
    counts = {name: values_of(one) for name, one in space.items()}
    return math.inf if math.inf in counts.values() else _count(space, counts, [*space], {})


def values_of(distribution: BaseDistribution) -> float:
    """How many values there are; infinity for a continuous parameter."""
    if distribution.single():
        return 1
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return (distribution.high - distribution.low) // distribution.step + 1
    if isinstance(distribution, FloatDistribution) and distribution.step is not None:
        return round((distribution.high - distribution.low) / distribution.step) + 1
    return math.inf


def space_json(space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """A space as plain values: each distribution as Optuna writes it, and the conditions if there are any."""
    plain: dict[str, Any] = {name: distribution_to_json(space[name]) for name in sorted(space)}
    when = conditions(space)
    return {**plain, WHEN: {name: when[name] for name in sorted(when)}} if when else plain


def space_fingerprint(space: Mapping[str, BaseDistribution]) -> str:
    """Short hash of a search space, whatever the order of its parameters."""
    return hashlib.blake2b(json.dumps(space_json(space)).encode(), digest_size=8).hexdigest()


def _parents_first(names: Mapping[str, Any], when: Mapping[str, When]) -> list[str]:
    ordered: list[str] = []
    while len(ordered) < len(names):
        ready = [name for name in names if name not in ordered and when.get(name, {}).keys() <= {*ordered}]
        if not ready:
            raise ValueError("conditions that depend on each other")
        # One at a time, so that a parameter keeps its place as far as can be.
        ordered.append(ready[0])
    return ordered


def _is_in(value: Any, values: tuple[Any, ...]) -> bool:
    # True is no 1 here.
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in values)


def _nearest(distribution: BaseDistribution, value: Any) -> Any:
    if contains(distribution, value):
        return value
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0]
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        return distribution.low
    inside = min(max(value, distribution.low), distribution.high)
    if distribution.step:
        steps = round((inside - distribution.low) / distribution.step)
        inside = min(distribution.low + steps * distribution.step, distribution.high)
    return int(inside) if isinstance(distribution, IntDistribution) else float(inside)


def _count(
    space: Mapping[str, BaseDistribution],
    counts: Mapping[str, float],
    names: list[str],
    known: dict[str, Any],
) -> float:
    if not names:
        return 1
    name, rest = names[0], names[1:]
    if not is_active(space, name, known):
        return _count(space, counts, rest, known)
    # Only the values that conditions name make a difference; all others count alike.
    named = [one for one in _named(space, name, rest) if contains(space[name], one)]
    others = counts[name] - len(named)
    total = others * _count(space, counts, rest, {**known, name: _ELSE}) if others else 0
    return total + sum(_count(space, counts, rest, {**known, name: one}) for one in named)


def _named(space: Mapping[str, BaseDistribution], parent: str, children: list[str]) -> list[Any]:
    found: list[Any] = []
    for child in children:
        for value in conditions(space).get(child, {}).get(parent, ()):
            if not _is_in(value, tuple(found)):
                found.append(value)
    return found
