"""Stand-ins for what a search drives: an objective that does as it is told, at once."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.pruners import BasePruner

from objectives.base import CVResult, EvaluationStopped, Objective, Progress
from search.loop.coordinator import NoPlan
from search.loop.ground import Ground
from search.loop.in_process import InProcessEngine

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import Params, Report
    from objectives.data.folds import Fold
    from search.loop.engine import OnReport, OnWait, Outcome

DEFAULTS = {"x": 0.5, "n": 3}
Body = Callable[["Params", "Report"], CVResult]


def cv_result(score: float) -> CVResult:
    """A result of two folds around a score, for three training and two test rows."""
    return CVResult(
        scores=(score - 0.5, score + 0.5),
        oof_prediction=np.full(3, score),
        test_prediction=np.full(2, score),
        best_iterations=(10, 20),
        importance=np.ones(1),
        models=(str(score),),
    )


def climb(params: Params, report: Report) -> CVResult:
    """Reports three steps and scores by the parameters alone."""
    score = (params["x"] - 0.3) ** 2 + 0.01 * params["n"]
    for step in range(3):
        if report(Progress(step, score + 1 / (step + 1), 0, 10 * step)):
            raise EvaluationStopped
    return cv_result(score)


class FakeObjective(Objective):
    """An objective with two parameters whose evaluation is any function.

    Args:
        body: Called as `evaluate`.
        space: Another space than that of x, continuous, and n; the default configuration must be inside.
        portfolio: Good configurations besides the default.
    """

    name = "fake"
    threads = 1

    def __init__(
        self,
        body: Body = climb,
        space: dict[str, BaseDistribution] | None = None,
        portfolio: Sequence[dict[str, Any]] = (),
    ) -> None:
        self._body, self._portfolio = body, portfolio
        self._space = space or {"x": FloatDistribution(0.0, 1.0), "n": IntDistribution(1, 8)}

    def space(self) -> dict[str, BaseDistribution]:
        """Two parameters."""
        return self._space

    def default_params(self) -> dict[str, Any]:
        """A point inside."""
        return dict(DEFAULTS)

    def portfolio(self) -> list[dict[str, Any]]:
        """As it was given."""
        return [*self._portfolio]

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """Does as it is told."""
        return self._body(params, report)

    def save_model(self, result: CVResult, folder: Path) -> None:
        """Writes the score."""
        (folder / "model.txt").write_text(repr(result.mean), encoding="utf-8")


class FoldedObjective(FakeObjective):
    """An objective whose result says where it was evaluated.

    Args:
        folds: Each one's score is the first of its validation rows.
        seed: What the test rows are predicted to be.
    """

    def __init__(self, folds: tuple[Fold, ...], seed: int = 0) -> None:
        super().__init__()
        self._folds, self._seed = folds, seed

    def on(self, folds: tuple[Fold, ...], seed: int | None = None) -> FoldedObjective:
        """The same elsewhere."""
        return FoldedObjective(folds, self._seed if seed is None else seed)

    def evaluate(self, params: Params, report: Report) -> CVResult:  # noqa: ARG002 - the contract's form
        """Says folds and seed."""
        scores = tuple(float(fold.val_idx[0]) for fold in self._folds)
        prediction = np.full(2, float(self._seed))
        return replace(cv_result(0.0), scores=scores, test_prediction=prediction)


class ShuffledEngine(InProcessEngine):
    """Evaluates here and now, but as if many ran at once: what was submitted ends in any order.

    Args:
        objective: What is evaluated.
        slots: Configurations to submit at once.
        seed: Fixes the order.
    """

    def __init__(self, objective: FakeObjective, slots: int, seed: int = 0) -> None:
        super().__init__(Ground(objective))
        self.slots = slots
        self._random = random.Random(seed)  # noqa: S311 - no secret

    def next_outcome(
        self, on_report: OnReport, deadline: float, on_wait: OnWait = lambda: None
    ) -> Outcome | None:
        """Ends any one of those submitted."""
        self._random.shuffle(self._waiting)
        return super().next_outcome(on_report, deadline, on_wait)


class LateAt(NoPlan):
    """A plan by which trials would end too late that make certain reports.

    Args:
        reports: Their numbers, from 0, among all of a search.
        last: The number after whose report none begins any more; None: there is no such.
    """

    def __init__(self, *reports: int, last: int | None = None) -> None:
        self._reports, self._heard = reports, itertools.count()
        self._left = math.inf if last is None else last + 1

    def seconds_needed(self, progress: Progress) -> float:  # noqa: ARG002 - the plan's form
        """An hour and a half, or nothing."""
        self._left -= 1
        return NEEDED_SECONDS if next(self._heard) in self._reports else 0.0

    def is_late(self, needed: float, until: float) -> bool:  # noqa: ARG002
        """Whatever needs any."""
        return needed > 0

    def is_too_late(self, until: float) -> bool:  # noqa: ARG002
        """Once the last was heard."""
        return self._left <= 0


NEEDED_SECONDS = 5_400.0
HOPELESS = 1_000.0


class PruneHopeless(BasePruner):
    """Prunes whatever reports `HOPELESS` or more, from the first report on."""

    def prune(self, study: Study, trial: FrozenTrial) -> bool:  # noqa: ARG002 - the base class's form
        """Whether the last report is hopeless."""
        return trial.last_step is not None and trial.intermediate_values[trial.last_step] >= HOPELESS
