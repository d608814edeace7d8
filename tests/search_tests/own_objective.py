"""A search with an objective of a user's own, as a command: `own_objective.py HIGHEST MISSING FLAGS...`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import IntDistribution

from objectives.base import CVResult, Objective, Progress
from search import run
from search.competition import Competition

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.distributions import BaseDistribution

    from objectives.base import Params, Report


@dataclass
class OwnObjective(Objective):
    """It predicts one number, for as many rows as it likes.

    Attributes:
        competition: What it is bound to.
        highest: Its only parameter goes from 1 to this.
        missing: Rows that it forgets to predict.
    """

    competition: Competition
    highest: int
    missing: int
    name: str = "own"
    threads: int = 1

    def space(self) -> dict[str, BaseDistribution]:
        """One parameter."""
        return {"k": IntDistribution(1, self.highest)}

    def default_params(self) -> dict[str, Any]:
        """Not the best."""
        return {"k": 2}

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """Scores by the parameter."""
        report(Progress(0, float(params["k"]), 0, 1))
        data = self.competition.dataset
        return CVResult(
            scores=(float(params["k"]),) * len(self.competition.folds),
            oof_prediction=np.full(len(data.target) - self.missing, 1.0),
            test_prediction=np.full(len(data.test), 1.0),
            best_iterations=(1,) * len(self.competition.folds),
            importance=np.zeros(len(data.encoder.names)),
            models=("model",) * len(self.competition.folds),
        )

    def save_model(self, result: CVResult, folder: Path) -> None:
        """Writes what the registry asks for."""
        (folder / "model.txt").write_text(result.models[0], encoding="utf-8")


def main(highest: str, missing: str, *flags: str) -> int:
    """Runs the search."""

    def bind(self: Competition, *_: object, **__: object) -> OwnObjective:
        return OwnObjective(self, int(highest), int(missing))

    Competition.objective = bind  # type: ignore[method-assign]
    return run.main(flags)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
