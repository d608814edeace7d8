"""The study's trials as parts, with the predictions that are kept of them or made again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from search.conclusion.candidates import Part
from search.conclusion.jobs import Job, run_jobs
from search.loop.cost import full_seconds
from search.loop.ground import Elsewhere
from search.loop.tally import complete_trials, default_trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult, FloatArray
    from search.loop.engine import Engine
    from storage.predictions import PredictionStore


class PartPrediction(NamedTuple):
    """A part's predictions.

    Attributes:
        oof: On the study's own folds, shape (n_train,) or (n_train, n_classes).
        test: On the test rows.
        seconds: What evaluating it on all of the study's folds takes.
        rounds: Mean of those that its folds kept; NaN: nobody knows.
    """

    oof: FloatArray
    test: FloatArray
    seconds: float
    rounds: float

    @classmethod
    def of(cls, result: CVResult, seconds: float) -> PartPrediction:
        """Those of an evaluation that took so long."""
        rounds = float(np.mean(result.best_iterations))
        return cls(result.oof_prediction, result.test_prediction, seconds, rounds)

    @classmethod
    def of_trial(cls, trial: FrozenTrial, oof: FloatArray, test: FloatArray) -> PartPrediction:
        """Those that were kept of a trial."""
        rounds = trial.user_attrs.get("metrics", {}).get("best_iteration_mean", math.nan)
        return cls(oof, test, full_seconds(trial) or 0.0, float(rounds))


@dataclass
class KnownParts:
    """What there is to make candidates of.

    Attributes:
        default: The default configuration's; None if it did not run to its end.
        predictions: By part, the best trial first.
    """

    default: Part | None = None
    predictions: dict[Part, PartPrediction] = field(default_factory=dict)

    @property
    def oofs(self) -> dict[Part, FloatArray]:
        """Out-of-fold predictions by part."""
        return {part: one.oof for part, one in self.predictions.items()}

    def add(self, part: Part, prediction: PartPrediction) -> None:
        """Takes a further part."""
        self.predictions[part] = prediction


def known_parts(
    study: Study,
    store: PredictionStore,
    engine: Engine,
    deadline: float,
    *,
    always: Sequence[int] = (),
    on_wait: Callable[[], None] = lambda: None,
) -> KnownParts:
    """Gathers the complete trials whose predictions are kept, and what must be among them.

    Args:
        study: The study.
        store: Its kept predictions.
        engine: Evaluates again what is not kept: the default, the best trial, and `always`.
        deadline: `time.monotonic()` at which to do without.
        always: Numbers of complete trials that are to be there too.
        on_wait: Called now and then.
    """
    from storage.predictions import PredictionMissingError

    found, missing = KnownParts(), []
    trials = complete_trials(study)
    default = default_trial(study)
    first = -1 if default is None else default.number
    needed = {first, *always, *(trial.number for trial in trials[:1])}
    for trial in trials:
        part = Part(trial.number, trial.params)
        try:
            stored = store.load(trial.number)
        except PredictionMissingError:
            missing += [trial] if trial.number in needed else []
            continue
        found.add(part, PartPrediction.of_trial(trial, stored.oof, stored.test))
    _evaluate_again(found, missing, engine, deadline, on_wait)
    found.default = next((part for part in found.predictions if part.trial == first), None)
    return found


def _evaluate_again(
    found: KnownParts,
    trials: Sequence[FrozenTrial],
    engine: Engine,
    deadline: float,
    on_wait: Callable[[], None],
) -> None:
    jobs = [Job(trial.params, Elsewhere(), full_seconds(trial) or 0.0) for trial in trials]
    for done in run_jobs(engine, jobs, deadline, on_wait):
        result, trial = done.result, trials[done.order]
        if np.isfinite(result.mean):
            part = Part(trial.number, trial.params)
            found.add(part, PartPrediction.of(result, done.seconds))
