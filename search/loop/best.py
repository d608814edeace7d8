"""What is kept of the best trials: predictions of many, the model of one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.config import KEEP_PREDICTIONS
from search.loop.tally import complete_trials

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult, Objective
    from search.competition import Competition
    from storage.layout import Layout
    from storage.predictions import PredictionStore


@dataclass(frozen=True)
class KeptResults:
    """The files of a study's best trials, bounded in number."""

    competition: Competition
    objective: Objective
    folder: Path
    store: PredictionStore

    def keep(self, study: Study, number: int, result: CVResult) -> None:
        """Saves a complete trial's predictions if it is among the best, its model if it is the best."""
        better = [t for t in complete_trials(study) if not self._goes_before(result.mean, number, t)]
        if len(better) >= KEEP_PREDICTIONS:
            return
        self.store.save(number, oof=result.oof_prediction, test=result.test_prediction)
        order = [t.number for t in complete_trials(study)]
        order.insert(len(better), number)
        self.store.retain(order)
        if not better:
            # Until this trial is told, the ledger's best is another, and its model must outlive a kill.
            self._save_model(number, result, spare=order[1] if order[1:] else number)

    def _goes_before(self, score: float, number: int, other: FrozenTrial) -> bool:
        # As `complete_trials` sorts: with several slots the earlier of two equals may end later.
        if other.value is None or other.value == score:
            return number < other.number
        return self.competition.dataset.metric.is_better(score, other.value)

    def model_folder(self, number: int) -> Path:
        """Where the trial's model is, if it was the best so far when it ended."""
        return self.folder / f"model_{number:05d}"

    def _save_model(self, number: int, result: CVResult, spare: int) -> None:
        """Writes the trial's model and what belongs to it, and drops those of all others but one."""
        target = self.model_folder(number)
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        self.objective.save_model(result, partial)
        for old in self.folder.glob("model_*"):
            if old != self.model_folder(spare):
                shutil.rmtree(old)
        partial.rename(target)


def open_results(competition: Competition, objective: Objective, layout: Layout) -> KeptResults:
    """Opens the folder of the competition's study."""
    from storage.predictions import PredictionStore

    folder = layout.predictions(competition.study)
    return KeptResults(competition, objective, folder, PredictionStore(folder, KEEP_PREDICTIONS))
