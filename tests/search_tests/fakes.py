"""Stand-ins for what a search drives: an objective that does as it is told, at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.pruners import BasePruner

from objectives.base import CVResult, EvaluationStopped, Progress

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import Params, Report

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
        models=(score,),
    )


def climb(params: Params, report: Report) -> CVResult:
    """Reports three steps and scores by the parameters alone."""
    score = (params["x"] - 0.3) ** 2 + 0.01 * params["n"]
    for step in range(3):
        if report(Progress(step, score + 1 / (step + 1), 0, 10 * step)):
            raise EvaluationStopped
    return cv_result(score)


class FakeObjective:
    """An objective with two parameters whose evaluation is any function.

    Args:
        body: Called as `evaluate`.
    """

    name = "fake"

    def __init__(self, body: Body = climb) -> None:
        self._body = body

    def space(self) -> dict[str, BaseDistribution]:
        """Two parameters."""
        return {"x": FloatDistribution(0.0, 1.0), "n": IntDistribution(1, 8)}

    def default_params(self) -> dict[str, Any]:
        """A point inside."""
        return dict(DEFAULTS)

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """Does as it is told."""
        return self._body(params, report)

    def save_model(self, result: CVResult, folder: Path) -> None:
        """Writes the score."""
        (folder / "model.txt").write_text(repr(result.mean), encoding="utf-8")


HOPELESS = 1_000.0


class PruneHopeless(BasePruner):
    """Prunes whatever reports `HOPELESS` or more, from the first report on."""

    def prune(self, study: Study, trial: FrozenTrial) -> bool:  # noqa: ARG002 - the base class's form
        """Whether the last report is hopeless."""
        return trial.last_step is not None and trial.intermediate_values[trial.last_step] >= HOPELESS
