"""A trial's prediction and model: kept, or made again from its configuration."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from search.competition import Competition, open_competition
from search.config import DataConfig
from search.faults import InputFaults
from search.loop.best import KeptResults, open_results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult, FloatArray, Objective, Progress
    from storage.layout import Layout


def reopen(study: Study, layout: Layout) -> Competition:
    """Reads the data that a study was searched on.

    Raises:
        InputFaults: If it is gone or has changed since.
    """
    competition = open_competition(DataConfig.model_validate(study.user_attrs["settings"]), layout)
    then, now = study.user_attrs["question"]["data"], competition.dataset.fingerprint
    if then != now:
        raise InputFaults(
            [
                (
                    f"study {study.study_name}: got data {now}, searched on {then}; allowed: the same data; "
                    "do: put the files back, or search the new ones in a new --study"
                )
            ]
        )
    return competition


@dataclass
class TrialFiles:
    """One complete trial's prediction and model."""

    competition: Competition
    trial: FrozenTrial
    layout: Layout

    def prediction(self) -> FloatArray:
        """On the test rows."""
        if self.trial.number in self._results.store.numbers():
            return self._results.store.load(self.trial.number).test
        return self._evaluated_again.test_prediction

    @contextmanager
    def saved_model(self) -> Iterator[Path]:
        """The folder that `Objective.save_model` wrote, for as long as the block runs."""
        folder = self._results.model_folder(self.trial.number)
        if folder.is_dir():
            yield folder
            return
        with tempfile.TemporaryDirectory() as name:
            self._objective.save_model(self._evaluated_again, Path(name))
            yield Path(name)

    @cached_property
    def _objective(self) -> Objective:
        return self.competition.objective()

    @cached_property
    def _results(self) -> KeptResults:
        return open_results(self.competition, self._objective, self.layout)

    @cached_property
    def _evaluated_again(self) -> CVResult:
        """For a trial whose files are no longer kept: the same configuration gives the same result."""
        print(f"Fitting trial {self.trial.number} again: its model is not among those kept", flush=True)
        return self._objective.evaluate(self.trial.params, _Unwatched())


class _Unwatched:
    """A report line nobody listens to."""

    def __call__(self, progress: Progress) -> bool:  # noqa: ARG002 - the protocol's form
        return False

    def stopped(self) -> bool:
        return False
