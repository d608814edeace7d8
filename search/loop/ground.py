"""What evaluates: the objective on the study's own folds and, by the same binned data, on others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from search.loop.engine import Broken, Evaluated, Outcome, evaluate

if TYPE_CHECKING:
    from objectives.base import Objective, Params, Report
    from objectives.data.folds import Fold
    from objectives.data.split.plan import SplitPlan
    from objectives.data.split.schemes import Splittable

_KEPT = 2
"""Objectives of other folds at most: where features are learned inside the folds, each holds its own copies."""


@dataclass(frozen=True)
class Elsewhere:
    """Where a configuration is evaluated other than on the study's folds; small enough to travel.

    Attributes:
        plan: A decided split; None: the study's own folds.
        seed: Of the model; None: the study's.
        folds: Which of the folds, by index; none named: all.
        models: Whether the models come back with the result.
        of_all_rows: How many models of all rows are fitted instead of any to folds.
        rounds: Mean of those that the folds kept, for these.
    """

    plan: SplitPlan | None = None
    seed: int | None = None
    folds: tuple[int, ...] = ()
    models: bool = False
    of_all_rows: int = 0
    rounds: float = 0.0


class Ground:
    """An objective, and what it takes to have it on other folds. Crosses to other processes by pickle.

    Args:
        objective: Bound to the study's folds.
        folds: These; needed to evaluate on some of them only, or with another seed.
        rows: What other splits are made of.
    """

    def __init__(
        self, objective: Objective, folds: tuple[Fold, ...] = (), rows: Splittable | None = None
    ) -> None:
        self._objective, self._folds, self._rows = objective, folds, rows
        self._splits: dict[SplitPlan, tuple[Fold, ...]] = {}
        self._others: dict[Elsewhere, Objective] = {}

    def evaluate(
        self, number: int, params: Params, report: Report, elsewhere: Elsewhere | None = None
    ) -> Outcome:
        """Evaluates one configuration here and now; what goes wrong becomes its outcome."""
        if elsewhere is None:
            return evaluate(self._objective, number, params, report)
        try:
            objective = self._at(replace(elsewhere, models=False))
        except Exception as error:  # noqa: BLE001 - a split that these rows do not allow, or one's own objective
            return Broken(number, 0.0, f"{type(error).__name__}: {error}")
        is_scored = not elsewhere.of_all_rows
        outcome = evaluate(objective, number, params, report, is_scored=is_scored)
        return outcome if elsewhere.models else without_models(outcome)

    def _at(self, elsewhere: Elsewhere) -> Objective:
        if elsewhere == Elsewhere():
            return self._objective
        if elsewhere not in self._others:
            _make_room(self._others)
            folds = self._split(elsewhere.plan)
            some = tuple(folds[k] for k in elsewhere.folds) or folds
            other = self._objective.on(some, elsewhere.seed)
            if elsewhere.of_all_rows:
                other = other.of_all_rows(elsewhere.of_all_rows, elsewhere.rounds)
            self._others[elsewhere] = other
        return self._others[elsewhere]

    def _split(self, plan: SplitPlan | None) -> tuple[Fold, ...]:
        if plan is None:
            return self._folds
        if plan not in self._splits:
            from objectives.data.split.schemes import make_split

            if self._rows is None:
                raise ValueError("there is nothing to split here")
            _make_room(self._splits)
            self._splits[plan] = make_split(plan, self._rows)
        return self._splits[plan]


def _make_room(kept: dict[Any, Any]) -> None:
    while len(kept) >= _KEPT:
        del kept[next(iter(kept))]


def without_models(outcome: Outcome) -> Outcome:
    """The same where nobody wants the models, which are most of what would travel."""
    if not isinstance(outcome, Evaluated):
        return outcome
    return outcome._replace(result=replace(outcome.result, models=(), transforms=()))
