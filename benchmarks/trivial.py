"""An objective that costs nothing, in a space as large as a real one: what is left is the coordinator's cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.base import CVResult, EvaluationStopped, Objective, Progress

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.distributions import BaseDistribution

    from objectives.base import Params, Report

PARAMS, REPORTS, FOLDS = 12, 8, 5
TRAIN_ROWS, TEST_ROWS = 200, 50


def score(params: Params) -> float:
    """The squared distance from a point inside."""
    return float(sum((value - 0.3) ** 2 for value in params.values()))


class TrivialObjective(Objective):
    """Twelve numbers between 0 and 1, eight reports on the way, nothing computed."""

    name = "trivial"
    threads = 1

    def space(self) -> dict[str, BaseDistribution]:
        """Twelve numbers."""
        from optuna.distributions import FloatDistribution

        return {f"param_{i:02d}": FloatDistribution(0.0, 1.0) for i in range(PARAMS)}

    def default_params(self) -> dict[str, Any]:
        """The middle."""
        return dict.fromkeys(self.space(), 0.5)

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """Reports a curve that ends at the score."""
        for progress in curve(params):
            if report(progress):
                raise EvaluationStopped
        return result(params)

    def save_model(self, result: CVResult, folder: Path) -> None:
        """Writes something."""
        (folder / "model.txt").write_text(repr(result.mean), encoding="utf-8")


def curve(params: Params) -> list[Progress]:
    """The reports of a configuration."""
    return [
        Progress(step, score(params) + 1 / (step + 1), step * FOLDS // REPORTS, 10 * step)
        for step in range(REPORTS)
    ]


def result(params: Params) -> CVResult:
    """The result of a configuration."""
    mean = score(params)
    return CVResult(
        scores=tuple(mean + (fold - 2) / 100 for fold in range(FOLDS)),
        oof_prediction=np.full(TRAIN_ROWS, mean),
        test_prediction=np.full(TEST_ROWS, mean),
        best_iterations=(10,) * FOLDS,
        importance=np.ones(1),
        models=tuple(f"{mean} {fold}" for fold in range(FOLDS)),
    )
