"""The saved model of a candidate: the models of its parts as they were kept, or fitted again."""

from __future__ import annotations

import math
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.loop.best import open_results
from search.loop.tally import complete_trials
from search.results.trial_files import evaluate_again
from storage.kept_models import ModelKey, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.study import Study

    from objectives.base import Objective
    from search.competition import Competition
    from search.conclusion.candidates import Candidate, Part
    from search.loop.best import KeptResults
    from storage.layout import Layout


@contextmanager
def saved_blend(
    competition: Competition, study: Study, candidate: Candidate, layout: Layout, deadline: float = math.inf
) -> Iterator[Path]:
    """What `objectives.predictor.load` reads to predict as a candidate does, for as long as the block runs.

    Args:
        competition: What was searched.
        study: The study.
        candidate: A blend, or a part on its own.
        layout: The project.
        deadline: `time.monotonic()` after which nothing is fitted again.

    Raises:
        EvaluationStopped: If a part had to be fitted again, and time was up.
    """
    from objectives.blend import save_blend

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        models = _PartModels(competition, study, layout, deadline, Path(name))
        packed = [(models.packed(part), weight) for part, weight in candidate.parts]
        folder = Path(name, "model")
        folder.mkdir()
        if len(packed) == 1:
            unpack(packed[0][0], folder)
        else:
            save_blend(packed, folder)
        yield folder


@dataclass
class _PartModels:
    competition: Competition
    study: Study
    layout: Layout
    deadline: float
    folder: Path
    """For models that are fitted again and have no room among the kept ones."""

    def packed(self, part: Part) -> Path:
        """A part's model: kept, or fitted again."""
        key = ModelKey(*part.key)
        return self._results.models.path(key) or self._fitted_again(part, key)

    def _fitted_again(self, part: Part, key: ModelKey) -> Path:
        objective = self._objective(part.trial)
        place = objective if part.seed is None else objective.on(self.competition.folds, part.seed)
        place = place.of_all_rows(part.of_all_rows, part.rounds) if part.of_all_rows else place
        result = evaluate_again(place, part.params, part.name, self.deadline)
        self._results.keep_model(key, result)
        source, path = self.folder / "fitted", self.folder / key.file_name
        source.mkdir()
        objective.save_model(result, source)
        pack(source, path)
        shutil.rmtree(source)
        return path

    def _objective(self, trial: int) -> Objective:
        """With as many threads as the trial had: the same configuration then gives the same result."""
        numbered = {one.number: one for one in complete_trials(self.study)}
        recorded: dict[str, Any] = (
            numbered[trial].user_attrs.get("environment", {}) if trial in numbered else {}
        )
        return self.competition.objective(threads=recorded.get("threads"))

    @cached_property
    def _results(self) -> KeptResults:
        return open_results(self.competition, self.competition.objective(threads=1), self.layout)
