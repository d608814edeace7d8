"""What is kept of a study's trials: predictions and models, of those that may be promoted or blended."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from search.config import KEEP_BYTES
from search.loop.engine import Threshold
from search.loop.interruption import running_trials
from search.loop.keeping import Ranked, chosen_to_keep, objective_of, scores_to_beat
from search.loop.likeness import ErrorSketches
from search.loop.tally import complete_trials
from storage.kept_models import ModelKey

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult, Objective, Params
    from search.competition import Competition
    from storage.kept_models import ModelStore
    from storage.layout import Layout
    from storage.predictions import PredictionStore

_WHATEVER_THEY_WEIGH = 2
"""So many of the best keep all files: until the best is told, the next is the ledger's best."""


@dataclass
class KeptResults:
    """The files of a study's trials, bounded in number and in bytes.

    Attributes:
        competition: What is searched.
        objective: Writes the models.
        store: The predictions.
        models: The models, fewer of them where they are big.
    """

    competition: Competition
    objective: Objective
    store: PredictionStore
    models: ModelStore
    _to_beat: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sketches = ErrorSketches(
            self.store, self.competition.dataset.target, self.competition.config.seed
        )

    def keep(self, study: Study, number: int, result: CVResult) -> None:
        """Saves a complete trial's predictions and model if it is worth it, and drops what it replaces.

        One process of several at a time, and nothing is deleted of a trial that another is about to tell.
        """
        with self.store.held():
            self._keep(study, number, result)

    def keep_model(self, key: ModelKey, result: CVResult) -> None:
        """Saves the models of a configuration, fitted anew or again, if there is room.

        They stay as long as the trial's own files do.
        """
        with self.store.held():
            self._save_model(key, result)
            others = {other: size for other, size in self.models.sizes().items() if other != key}
            if self.bytes_on_disk() > KEEP_BYTES:
                self.models.retain(others)

    def bytes_on_disk(self) -> int:
        """What all of it takes."""
        return sum(self.store.sizes().values()) + sum(self.models.sizes().values())

    def models_from(self, params: Params) -> Threshold | None:
        """The score from which on a configuration's models will be wanted; None: whatever its score."""
        score = self._to_beat.get(objective_of(params))
        return None if score is None else Threshold(score, self.competition.dataset.metric.greater_is_better)

    def _keep(self, study: Study, number: int, result: CVResult) -> None:
        ranked = self._ranked(study, number, result)
        kept = chosen_to_keep(ranked, self._sketches.errors)
        if number in kept:
            self.store.save(
                number, oof=result.oof_prediction, test=result.test_prediction, importance=result.importance
            )
            if result.models:
                self._save_model(ModelKey(number), result)
        running = {t.number for t in running_trials(study)} - {number}
        self._drop(kept, spare=running)
        self._to_beat = scores_to_beat(ranked, kept)

    def _ranked(self, study: Study, number: int, result: CVResult) -> list[Ranked]:
        """The trials whose predictions are there, and the one that is about to be told."""
        complete = complete_trials(study)
        self._sketches.add(number, result.oof_prediction)
        there = self._sketches.known([t.number for t in complete if t.number != number])
        better = [t for t in complete if not self._goes_before(result.mean, number, t)]
        order = [Ranked(t.number, objective_of(t.params), t.value) for t in complete]
        params = study.get_trials(deepcopy=False)[number].params
        order.insert(len(better), Ranked(number, objective_of(params), result.mean))
        return [one for one in order if one.number in there or one.number == number]

    def _goes_before(self, score: float, number: int, other: FrozenTrial) -> bool:
        # As `complete_trials` sorts: with several slots the earlier of two equals may end later.
        if other.value is None or other.value == score:
            return number < other.number
        return self.competition.dataset.metric.is_better(score, other.value)

    def _save_model(self, key: ModelKey, result: CVResult) -> None:
        with tempfile.TemporaryDirectory() as name:
            self.objective.save_model(result, Path(name))
            self.models.save(key, Path(name))

    def _drop(self, kept: Sequence[int], spare: Collection[int]) -> None:
        """Leaves the files of trials to keep; where they are too big, fewer models, then fewer predictions."""
        predictions, models = self.store.sizes(), self.models.sizes()
        wanted = {*kept, *spare}
        models = {key: size for key, size in models.items() if key.trial in wanted}
        total = sum(size for number, size in predictions.items() if number in wanted) + sum(models.values())
        droppable = [*reversed(kept[_WHATEVER_THEY_WEIGH:])]
        for key in [key for number in droppable for key in models if key.trial == number]:
            total -= models.pop(key) if total > KEEP_BYTES else 0
        for number in droppable:
            if total > KEEP_BYTES:
                total -= predictions[number]
                wanted.remove(number)
        self.store.retain([number for number in kept if number in wanted], spare=spare)
        self.models.retain(models)
        self._sketches.forget_all_but(wanted)


def open_results(competition: Competition, objective: Objective, layout: Layout) -> KeptResults:
    """Opens the folder of the competition's study."""
    from storage.kept_models import ModelStore
    from storage.predictions import PredictionStore

    folder = layout.predictions(competition.study)
    return KeptResults(competition, objective, PredictionStore(folder), ModelStore(folder))
