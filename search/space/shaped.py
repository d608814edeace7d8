"""An objective that is searched over the user's space instead of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.space.conditional import fitted
from search.space.shaping import known_params, shape

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import CVResult, Objective, Params, Report
    from objectives.data.folds import Fold
    from search.space.conditional import ConditionalSpace
    from search.space.table import SpaceTable


class ShapedObjective:
    """Evaluates as the objective does; only what is asked of it comes from another space.

    Args:
        objective: What evaluates.
        space: What is searched.
    """

    def __init__(self, objective: Objective, space: ConditionalSpace) -> None:
        self._objective, self._space = objective, space
        self._without = {
            name: one.default for name, one in known_params(objective).items() if one.default is not None
        }
        self.name, self.threads = objective.name, objective.threads

    def __getattr__(self, name: str) -> Any:
        # Whatever else the objective can do. An instance that is being unpickled has none yet.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._objective, name)

    def space(self) -> ConditionalSpace:
        """The user's."""
        return self._space

    def default_params(self) -> dict[str, Any]:
        """The objective's own, moved to the nearest configuration inside."""
        return self._inside(self._objective.default_params())

    def portfolio(self) -> list[dict[str, Any]]:
        """The objective's own, each moved to the nearest configuration inside."""
        return [self._inside(params) for params in self._objective.portfolio()]

    def work(self, params: Params) -> float:
        """As of the objective, of which every parameter is known."""
        return self._objective.work({**self._without, **params})

    def tryout_step(self) -> int | None:
        """As the objective says."""
        return self._objective.tryout_step()

    def fastest_threads(self, most: int) -> int:
        """As the objective says."""
        return self._objective.fastest_threads(most)

    def _inside(self, params: Params) -> dict[str, Any]:
        return fitted(self._space, {**self._without, **params})

    def on(self, folds: tuple[Fold, ...], seed: int | None = None) -> ShapedObjective:
        """As the objective, over the same space."""
        return ShapedObjective(self._objective.on(folds, seed), self._space)

    def of_all_rows(self, models: int, rounds: float) -> ShapedObjective:
        """As the objective, over the same space."""
        return ShapedObjective(self._objective.of_all_rows(models, rounds), self._space)

    def slower(self, params: Params, factor: float) -> dict[str, Any] | None:
        """As of the objective."""
        return self._objective.slower(params, factor)

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """As the objective does."""
        return self._objective.evaluate(params, report)

    def save_model(self, result: CVResult, folder: Path) -> None:
        """As the objective does."""
        self._objective.save_model(result, folder)


def shaped(objective: Objective, table: SpaceTable | None) -> Objective:
    """The objective, searched over the user's space if there is one.

    Raises:
        ValueError: If the table does not fit the objective; see `shape`.
    """
    if not table:
        return objective
    space, faults = shape(objective, table)
    if faults:
        raise ValueError("\n".join(faults))
    return ShapedObjective(objective, space)
