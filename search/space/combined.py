"""Several objectives as one: a parameter chooses, and each has its own parameters under that condition."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from objectives.base import Objective
from search.space.conditional import ConditionalSpace, conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from optuna.distributions import BaseDistribution

    from objectives.base import CVResult, Params, Report
    from objectives.data.folds import Fold
    from search.space.conditional import When

CHOICE = "objective"
"""The parameter that chooses among several objectives."""
UNPREFIXED = "lightgbm"
"""The objective whose parameters have their plain names, so that a study of it alone can take in others."""


def prefix_of(name: str) -> str:
    """What the parameters of an objective begin with where there are several."""
    return "" if name == UNPREFIXED else f"{name}."


class CombinedObjective(Objective):
    """Evaluates each configuration by the objective that it names.

    The first of them, LightGBM where it is among them, has its default as the default, and is meant where a
    configuration names none, as those of a study that had LightGBM alone do.

    Args:
        parts: Two or more, of different names, bound to the same data, folds and metric.
    """

    def __init__(self, parts: Iterable[Objective]) -> None:
        self._parts = {part.name: part for part in parts}
        self.name = ",".join(self._parts)
        self.threads = next(iter(self._parts.values())).threads

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives, the first one first."""
        return tuple(self._parts)

    def name_of(self, params: Params) -> str:
        """The objective that a configuration names."""
        return str(params.get(CHOICE, self.names[0]))

    def space(self) -> ConditionalSpace:
        """All spaces under the choice."""
        from optuna.distributions import CategoricalDistribution

        space: dict[str, BaseDistribution] = {CHOICE: CategoricalDistribution(self.names)}
        when: dict[str, When] = {}
        without: dict[str, Any] = {CHOICE: self.names[0]}
        for name, part in self._parts.items():
            own = part.space()
            for inner, distribution in own.items():
                space[prefix_of(name) + inner] = distribution
                when[prefix_of(name) + inner] = {
                    CHOICE: (name,),
                    **self._named(name, conditions(own).get(inner, {})),
                }
            without |= self._named(name, own.without) if isinstance(own, ConditionalSpace) else {}
        return ConditionalSpace(space, when, without)

    def space_of(self, name: str) -> ConditionalSpace:
        """The parameters of one objective, under its own conditions only, by their names here."""
        own = self._parts[name].space()
        when = {inner: self._named(name, one) for inner, one in conditions(own).items()}
        without = own.without if isinstance(own, ConditionalSpace) else {}
        return ConditionalSpace(self._named(name, own), self._named(name, when), self._named(name, without))

    def default_params(self) -> dict[str, Any]:
        """That of the first."""
        return self.starts_of(self.names[0])[0]

    def portfolio(self) -> list[dict[str, Any]]:
        """The defaults of the others; what else is good on most data is for who shares the budget."""
        return [self.starts_of(name)[0] for name in self.names[1:]]

    def starts_of(self, name: str) -> list[dict[str, Any]]:
        """The default of one objective, and its configurations that are good on most data."""
        part = self._parts[name]
        own = [part.default_params(), *part.portfolio()]
        return [{CHOICE: name, **self._named(name, params)} for params in own]

    def work(self, params: Params) -> float:
        """As its objective says; to be compared with others of the same objective only."""
        part, own = self._of(params)
        return part.work(own)

    def tryout_step_of(self, name: str) -> int | None:
        """The last step of an objective's tryout, if it has one."""
        return self._parts[name].tryout_step()

    def fastest_threads(self, most: int) -> int:
        """As many as make the fastest use of more threads."""
        return max(part.fastest_threads(most) for part in self._parts.values())

    def on(self, folds: tuple[Fold, ...], seed: int | None = None) -> CombinedObjective:
        """All of them on other folds."""
        return CombinedObjective(part.on(folds, seed) for part in self._parts.values())

    def of_all_rows(self, models: int, rounds: float) -> CombinedObjective:
        """Those of them that can; of the others a configuration cannot be evaluated."""
        able = []
        for part in self._parts.values():
            with suppress(NotImplementedError):
                able.append(part.of_all_rows(models, rounds))
        if not able:
            raise NotImplementedError(f"none of {self.name} makes models of all rows")
        return CombinedObjective(able)

    def slower(self, params: Params, factor: float) -> dict[str, Any] | None:
        """As its objective does."""
        part, own = self._of(params)
        slower = part.slower(own, factor)
        return None if slower is None else {CHOICE: part.name, **self._named(part.name, slower)}

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """As its objective does, whose name the result gets."""
        part, own = self._of(params)
        result = part.evaluate(own, report)
        # What is no result at all is for the caller to say.
        return replace(result, objective=part.name) if hasattr(result, CHOICE) else result

    def save_model(self, result: CVResult, folder: Path) -> None:
        """As the objective does that made the result."""
        self._parts[result.objective or self.names[0]].save_model(result, folder)

    def _of(self, params: Params) -> tuple[Objective, dict[str, Any]]:
        """The objective of a configuration, and what it says to that."""
        name = self.name_of(params)
        prefix = prefix_of(name)
        own = {
            inner.removeprefix(prefix): value
            for inner, value in params.items()
            if inner != CHOICE and inner.startswith(prefix)
        }
        return self._parts[name], own

    @staticmethod
    def _named(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {prefix_of(name) + inner: value for inner, value in values.items()}
