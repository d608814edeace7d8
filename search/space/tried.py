"""An objective of the user's own tried out as far as that costs nothing: made, and asked for its configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from objectives.own_objective import explained, place_of
from search.space.conditional import contains, is_active

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from optuna.distributions import BaseDistribution

    from objectives.base import Objective


def own_fault(make: Callable[[], Objective]) -> str | None:
    """Says in one line what is wrong with an objective; None if nothing is, or it is not the user's own.

    Args:
        make: Binds it to the data.
    """
    place = None
    try:
        objective = make()
        place = place_of(objective)
        if place is None:
            return None
        space = objective.space()
        starts = [objective.default_params(), *objective.portfolio()]
        outside = [*dict.fromkeys(name for params in starts for name in _outside(space, params))]
    except Exception as error:  # noqa: BLE001 - the user's own code may raise anything
        said = explained(error, place.given.rpartition(":")[0] if place else "")
        return _fault(said, "a class that can be made and has a space and a default", "mend it")
    if not outside:
        return None
    got = f"{objective.name}: {', '.join(outside)} of its default or portfolio"
    return _fault(got, "a value inside its space for each parameter of it", "correct them")


def _outside(space: Mapping[str, BaseDistribution], params: Mapping[str, Any]) -> Iterator[str]:
    for name in {**space, **params}:
        wanted = name in space and is_active(space, name, params)
        if wanted != (name in params) or (wanted and not contains(space[name], params[name])):
            yield f"{name} = {params[name]!r}" if name in params else f"no {name}"


def _fault(got: str, allowed: str, do: str) -> str:
    return f"--objective: got {got}; allowed: {allowed}; do: {do}"
