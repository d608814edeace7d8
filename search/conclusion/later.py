"""The conclusion of a study that no search is at: the one that is kept, or made now."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.conclusion.asked_trial import line_of, scored_line
from search.conclusion.candidates import Part
from search.conclusion.conclude import Concluded, Concluding, kept_concluded
from search.conclusion.final_fit import FinalFitting
from search.conclusion.known_parts import PartPrediction
from search.config import CONCLUSION_FREE_SECONDS, CONCLUSION_SHARE
from search.loop.best import open_results
from search.loop.cores import workers_for
from search.loop.engine import open_engine
from search.loop.ground import Ground
from storage.conclusion_record import keep_figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import FloatArray
    from search.competition import Competition
    from search.conclusion.conclusion import Conclusion, Line
    from search.loop.engine import Engine
    from storage.layout import Layout


@dataclass(frozen=True)
class LaterConclusion:
    """Concludes after the search, with worker processes of its own where something has to be evaluated.

    Attributes:
        study: The study.
        competition: What was searched.
        layout: The project.
    """

    study: Study
    competition: Competition
    layout: Layout

    def chosen(self) -> Concluded | None:
        """The study's conclusion; None if no trial has predictions."""
        kept = kept_concluded(self.study, self.layout)
        if kept is not None:
            return kept
        with self._engine() as engine:
            return self._made(engine)

    def of_trial(self, trial: FrozenTrial, oof: FloatArray, test: FloatArray) -> Conclusion | None:
        """The study's conclusion with a trial's figures beside, and marked as what is promoted.

        Args:
            trial: A complete one.
            oof: Its out-of-fold predictions.
            test: Its predictions of the test rows.
        """
        part = Part(trial.number, trial.params)
        with ExitStack() as stack:
            engine: Engine | None = None
            concluded = kept_concluded(self.study, self.layout)
            if concluded is None:
                engine = stack.enter_context(self._engine())
                concluded = self._made(engine)
            if concluded is None:
                return None
            line = line_of(concluded.conclusion, part)
            if line is None:
                engine = engine or stack.enter_context(self._engine())
                prediction = PartPrediction.of_trial(trial, oof, test)
                line = self._scored(concluded.conclusion, part, prediction, engine)
            return concluded.conclusion.asking_for(line)

    def _scored(self, conclusion: Conclusion, part: Part, prediction: PartPrediction, engine: Engine) -> Line:
        line = scored_line(
            conclusion,
            part,
            prediction,
            competition=self.competition,
            engine=engine,
            deadline=self._deadline(),
        )
        keep_figures(self.study, {str(part.trial): line.figures()})
        return line

    def _made(self, engine: Engine) -> Concluded | None:
        print("Scoring the candidates on fresh splits ...", flush=True)
        objective = self.competition.objective(threads=1)
        results = open_results(self.competition, objective, self.layout)
        return Concluding(
            self.study,
            self.competition,
            results.store,
            engine,
            self.layout,
            self._deadline(),
            FinalFitting(self.competition, objective, engine, results.keep_model),
        ).run()

    def _deadline(self) -> float:
        return time.monotonic() + max(
            CONCLUSION_FREE_SECONDS, CONCLUSION_SHARE * searched_seconds(self.study)
        )

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        from objectives.data.split.schemes import Splittable

        data = self.competition.dataset
        workers = workers_for(len(self.study.get_trials(deepcopy=False)), data.nbytes)
        rows = Splittable(data.target, data.task, data.keys)
        ground = Ground(self.competition.objective(workers), self.competition.folds, rows)
        with open_engine(ground, workers, self.layout.workers) as engine:
            yield engine


def searched_seconds(study: Study) -> float:
    """Seconds in which trials were evaluated, those at the same time counted once."""
    spans = sorted(
        (trial.datetime_start.timestamp(), trial.datetime_complete.timestamp())
        for trial in study.get_trials(deepcopy=False)
        if trial.datetime_start is not None and trial.datetime_complete is not None
    )
    total, until = 0.0, float("-inf")
    for start, end in spans:
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total
