"""A study of random waves, searched and ready to be concluded."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import create_trial

from objectives.base import CVResult
from objectives.data.folds import Fold
from objectives.data.split.schemes import Splittable
from search.competition import Competition, open_competition
from search.conclusion.conclude import Concluding
from search.conclusion.final_fit import FinalFitting
from search.config import DataConfig
from search.loop.ground import Ground
from search.loop.in_process import InProcessEngine
from storage.layout import Layout
from storage.predictions import PredictionStore
from tests.search_tests.fakes import FakeObjective

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.study import Study

    from objectives.base import Params, Report
    from search.conclusion.conclude import Concluded, FinalFits
    from storage.kept_models import ModelKey

N = 300


class Waves(FakeObjective):
    """Ridge regression on random waves of all columns: x is the damping, n how many waves for each column.

    Args:
        competition: The data.
        folds: Where to evaluate.
        seed: Of the waves.
        whole: Models of all rows instead of those of the folds.
    """

    def __init__(
        self, competition: Competition, folds: tuple[Fold, ...], seed: int = 0, whole: int = 0
    ) -> None:
        super().__init__(space={"x": FloatDistribution(-2.0, 4.0), "n": IntDistribution(1, 40)})
        self._competition, self._folds, self._seed, self._whole = competition, folds, seed, whole
        self.evaluations = 0

    def on(self, folds: tuple[Fold, ...], seed: int | None = None) -> Waves:
        """The same elsewhere."""
        return Waves(self._competition, folds, self._seed if seed is None else seed)

    def of_all_rows(self, models: int, rounds: float) -> Waves:
        """With so many models of all rows; waves know no rounds but one."""
        assert rounds == 1.0
        return Waves(self._competition, self._folds, self._seed, models)

    def evaluate(self, params: Params, report: Report) -> CVResult:  # noqa: ARG002 - the contract's form
        """Fits the folds."""
        self.evaluations += 1
        data = self._competition.dataset
        oof, tests, scores = np.full(len(data.target), np.nan), [], []
        rows = np.arange(len(data.target))
        whole = [Fold(rows, rows[:0])] * self._whole
        for k, fold in enumerate(whole or self._folds):
            rng = np.random.default_rng([self._seed, k + 100 * self._whole])
            slopes = rng.normal(size=(data.train.shape[1], 2 * params["n"]))
            train, test = np.sin(data.train @ slopes), np.sin(data.test @ slopes)
            x, y = train[fold.train_idx], data.target[fold.train_idx]
            damped = x.T @ x + 10.0 ** params["x"] * np.eye(x.shape[1])
            weights = np.linalg.solve(damped, x.T @ (y - y.mean()))
            tests.append(test @ weights + y.mean())
            if whole:
                continue
            oof[fold.val_idx] = train[fold.val_idx] @ weights + y.mean()
            scores.append(data.metric.score(data.target[fold.val_idx], oof[fold.val_idx]))
        return CVResult(
            tuple(scores),
            oof,
            np.mean(tests, axis=0),
            (1,) * len(scores),
            np.ones(data.train.shape[1]),
            ("",) * len(tests),
        )


@dataclass
class Searched:
    """A study whose trials have run, ready to be concluded."""

    study: Study
    competition: Competition
    objective: Waves
    layout: Layout
    seconds: float = 0.01

    @property
    def store(self) -> PredictionStore:
        """Its kept predictions."""
        return PredictionStore(self.layout.predictions(self.study.study_name), 20)

    def add(self, **params: Any) -> None:
        """Adds a complete trial."""
        result = self.objective.evaluate(params, lambda _: False)  # type: ignore[arg-type]
        number = len(self.study.trials)
        self.store.save(number, oof=result.oof_prediction, test=result.test_prediction)
        space = self.objective.space()
        metrics = {"seconds": self.seconds, "cv_rmse_std": result.std, "best_iteration_mean": 1.0}
        attributes = {"metrics": metrics}
        self.study.add_trial(
            create_trial(params=params, distributions=space, value=result.mean, user_attrs=attributes)
        )

    @property
    def engine(self) -> InProcessEngine:
        """Evaluates here."""
        data = self.competition.dataset
        rows = Splittable(data.target, data.task, data.keys)
        return InProcessEngine(Ground(self.objective, self.competition.folds, rows))

    def conclude(self, seconds: float = math.inf, fits: FinalFits | None = None) -> Concluded | None:
        """Concludes within a time, on this process."""
        deadline = time.monotonic() + seconds
        return Concluding(
            self.study,
            self.competition,
            self.store,
            self.engine,
            self.layout,
            deadline,
            fits,
            restore_until=deadline,
        ).run()

    def concluded(self, seconds: float = math.inf, fits: FinalFits | None = None) -> Concluded:
        """The same where there is something to conclude."""
        done = self.conclude(seconds, fits)
        assert done is not None
        return done

    def fits(self, kept: list[ModelKey]) -> FinalFitting:
        """Fits anew here, and says whose models it would keep."""
        return FinalFitting(self.competition, self.objective, self.engine, lambda key, _: kept.append(key))


def searched_waves(home: Path, *, signal: float, seconds: float = 0.01, **settings: Any) -> Searched:
    """Searches five configurations, the default first and worst.

    Args:
        home: An empty folder.
        signal: How strongly the target follows the columns; 0: not at all.
        seconds: What each trial says that it took.
        settings: Further ones of the data.
    """
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(N + 100, 3)), columns=["a", "b", "c"])
    frame.insert(0, "id", [f"{i:05d}" for i in range(len(frame))])
    frame["area"] = np.arange(len(frame)) // 10
    frame["day"] = np.arange(len(frame)) // 20
    frame["y"] = signal * np.sin(2 * frame["a"]) + signal * frame["b"] + rng.normal(size=len(frame))
    home.mkdir(exist_ok=True)
    frame[:N].to_csv(home / "train.csv", index=False)
    frame[N:].drop(columns="y").to_csv(home / "test.csv", index=False)
    layout = Layout(home)
    config = DataConfig(
        study="waves", train=home / "train.csv", test=home / "test.csv", target="y", folds=4, **settings
    )
    competition = open_competition(config, layout)
    found = Searched(
        optuna.create_study(study_name="waves"),
        competition,
        Waves(competition, competition.folds),
        layout,
        seconds,
    )
    found.add(x=3.5, n=2)
    for x, n in ((1.0, 20), (0.0, 30), (1.5, 12), (3.0, 30)):
        found.add(x=x, n=n)
    return found
