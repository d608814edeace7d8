"""How a fold that is fitted round by round is scored on the way, and when it ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from objectives.models.ladder import MOST, PATIENCE, Climb, rungs

if TYPE_CHECKING:
    from objectives.base import FloatArray
    from objectives.data.metrics import Metric
    from objectives.models.fold_labels import FoldLabels


class Truth(NamedTuple):
    """What predictions of the validation rows are held against.

    Attributes:
        metric: On the target's own scale.
        target: Of the validation rows, shape (n_val,).
        labels: The way from labels to that scale.
    """

    metric: Metric
    target: FloatArray
    labels: FoldLabels

    def score(self, prediction: FloatArray, iteration: int) -> float:
        """Scores a prediction on the target's own scale.

        Raises:
            FloatingPointError: If the score is not finite: the fit has diverged.
        """
        score = self.metric.score(self.target, prediction)
        if not math.isfinite(score):
            raise FloatingPointError(
                f"{self.metric.name} is {score} at round {iteration}: the fit has diverged"
            )
        return score


class Watch:
    """Keeps the best round so far, reports it at each rung, and knows when it is enough.

    Args:
        truth: What is scored.
        climb: Told the best score at each rung, and asked for a stop.
        rounds: How many to do, where the score cannot say it; None: until it has not improved for a while.

    Attributes:
        rounds: As given.
        most: Rounds at most.
        best_round: The round that had the best score; 0 before there is one.
        best_score: The score then.
        best_prediction: Of the validation rows then, on the target's own scale.
    """

    def __init__(self, truth: Truth, climb: Climb, rounds: int | None = None) -> None:
        self._truth, self._climb = truth, climb
        self.rounds = rounds
        self.most = self.best_round = 0
        self.best_score = truth.metric.worst
        self.best_prediction: FloatArray = np.empty(0)

    def start(self, rate: float) -> None:
        """Says how fast a round learns."""
        self._ladder = rungs(rate)
        self._rung = next(self._ladder)
        self.most, self._patience = math.ceil(MOST / rate), math.ceil(PATIENCE / rate)
        if self.rounds is not None:
            self.most = self._patience = self.rounds

    def goes_on(self, iteration: int) -> bool:
        """Whether there should be another round after this one."""
        return iteration < self.last_round

    @property
    def last_round(self) -> int:
        """The round after which it ends if none gets better from here on."""
        return min(self.most, self.best_round + self._patience)

    def check(self) -> None:
        """Asks for a stop.

        Raises:
            EvaluationStopped: If there is one.
        """
        self._climb.check()

    def look(self, output: FloatArray, iteration: int) -> None:
        """Scores a round, and reports if it reached a rung.

        Args:
            output: Labels or probabilities of the validation rows; the caller may overwrite it afterwards.
            iteration: The round, from 1.

        Raises:
            EvaluationStopped: If the report line says stop.
            FloatingPointError: If the score is not finite: the fit has diverged.
        """
        prediction = self._truth.labels.validation(output)
        score = self._truth.score(prediction, iteration)
        if self._truth.metric.is_better(score, self.best_score):
            self.best_score, self.best_round = score, iteration
            self.best_prediction = np.array(prediction, np.float64)
        while self._rung is not None and iteration >= self._rung[1]:
            self._climb.tell(self._rung[0], self.best_score, iteration)
            self._rung = next(self._ladder)
