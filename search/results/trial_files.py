"""A trial's prediction and model: kept, or made again from its configuration."""

from __future__ import annotations

import math
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objectives.base import EvaluationStopped
from search.competition import Competition, open_competition
from search.config import DataConfig
from search.faults import InputFaults
from search.loop.best import KeptResults, open_results
from search.loop.tally import trial_std
from search.results.contract import Maker, remember_submission, write_checked_submission
from search.results.package import run_files, study_submission
from search.settings.own_codes import OwnCodes
from storage.kept_models import ModelKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult, FloatArray, Objective, Params, Progress
    from storage.layout import Layout


def reopen(study: Study, layout: Layout) -> Competition:
    """Reads the data that a study was searched on.

    Raises:
        InputFaults: If it is gone or has changed since.
    """
    # A study from before there was a choice was trained on the target as it is, by LightGBM.
    before = {"target_transform": ("none",), "objective": ("lightgbm",)}
    settings = DataConfig.model_validate({**before, **study.user_attrs["settings"]})
    competition = open_competition(settings, layout, OwnCodes.of(study.user_attrs))
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
    """One complete trial's prediction and model: as they were kept here, or made again.

    They are not here when another host computed them, or they are no longer among the best.

    Attributes:
        competition: What was searched.
        trial: The trial.
        layout: The project.
        deadline: `time.monotonic()` after which nothing is made again.
    """

    competition: Competition
    trial: FrozenTrial
    layout: Layout
    deadline: float = math.inf

    @property
    def submission(self) -> Path:
        """Where its submission is written, as the best trial of its study."""
        return study_submission(self.layout, self.competition.study, self.trial.number)

    def prediction(self) -> FloatArray:
        """On the test rows.

        Raises:
            EvaluationStopped: If it had to be made again, and time was up.
        """
        return self._predicted[1]

    def oof_prediction(self) -> FloatArray:
        """Out of fold on the training rows.

        Raises:
            EvaluationStopped: If it had to be made again, and time was up.
        """
        return self._predicted[0]

    def write_submission(self, path: Path, kind: str = "trial") -> None:
        """Writes its submission, checked, and remembers what made it.

        Args:
            path: The file.
            kind: What made it, as in `Maker`.

        Raises:
            EvaluationStopped: If its prediction had to be made again, and time was up.
            ValueError: If the written file is not a valid submission.
        """
        oof, trial = self.oof_prediction(), self.trial
        write_checked_submission(self.competition, self.prediction(), path, oof=oof)
        assert trial.value is not None
        maker = Maker(kind, f"trial_{trial.number:05d}", trial.value, trial_std(trial), trial.number)
        remember_submission(self.layout, self.competition, path, maker, oof)

    @contextmanager
    def saved_model(self) -> Iterator[Path]:
        """The folder that `Objective.save_model` wrote, for as long as the block runs.

        Raises:
            EvaluationStopped: If it had to be made again, and time was up.
        """
        with self._results.models.opened(ModelKey(self.trial.number)) as folder:
            if folder is not None:
                yield folder
                return
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            self._objective.save_model(self._evaluated_again, Path(name))
            yield Path(name)

    @contextmanager
    def artifacts(self) -> Iterator[Mapping[str, Path]]:
        """What its run gets, by artifact path, for as long as the block runs; the submission is written before."""
        with (
            self.saved_model() as model,
            run_files(self.competition, self.prediction(), model, self.submission) as paths,
        ):
            yield paths

    @cached_property
    def _objective(self) -> Objective:
        recorded: dict[str, Any] = self.trial.user_attrs.get("environment", {})
        return self.competition.objective(threads=recorded.get("threads"))

    @cached_property
    def _results(self) -> KeptResults:
        return open_results(self.competition, self._objective, self.layout)

    @cached_property
    def _predicted(self) -> tuple[FloatArray, FloatArray]:
        """Out of fold, and on the test rows."""
        from storage.predictions import PredictionMissingError

        try:
            return self._results.store.load(self.trial.number)
        except PredictionMissingError:
            again = self._evaluated_again
            return again.oof_prediction, again.test_prediction

    @cached_property
    def _evaluated_again(self) -> CVResult:
        """The same configuration gives the same result."""
        return evaluate_again(self._objective, self.trial.params, f"trial {self.trial.number}", self.deadline)


def evaluate_again(objective: Objective, params: Params, name: str, deadline: float) -> CVResult:
    """Evaluates a configuration whose files are not kept.

    Args:
        objective: On the study's folds.
        params: The configuration.
        name: For people.
        deadline: `time.monotonic()` at which to give up.

    Raises:
        EvaluationStopped: If time was up.
    """
    if time.monotonic() > deadline:
        raise EvaluationStopped
    print(f"Fitting {name} again: its files are not among those kept here", flush=True)
    return objective.evaluate(params, _Unwatched(deadline))


@dataclass(frozen=True)
class _Unwatched:
    """A report line nobody listens to; it ends the fit when time is up."""

    deadline: float

    def __call__(self, progress: Progress) -> bool:  # noqa: ARG002 - the protocol's form
        return self.stopped()

    def stopped(self) -> bool:
        return time.monotonic() > self.deadline
