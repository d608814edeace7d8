"""What can be promoted, with the files of it: a trial as it was, or a candidate made of several parts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from search.conclusion.scored_folds import Scorer, own_folds
from search.loop.tally import trial_std
from search.results.contract import Maker, remember_submission, write_checked_submission

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from optuna.study import Study

    from objectives.base import FloatArray
    from search.competition import Competition
    from search.conclusion.candidates import Candidate
    from search.results.trial_files import TrialFiles
    from storage.layout import Layout
    from storage.mlflow_callback import MLflowCallback
    from storage.predictions import StoredPrediction

PROMOTED = "promoted"
"""Folder among the artifacts of a run where the files are of what is no trial as it ran."""


class Promotable(Protocol):
    """Something to promote."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def trial(self) -> int | None:
        """Number of the trial; None of a blend, or a configuration fitted anew."""
        ...

    @property
    def score(self) -> float:
        """Cross-validated on the study's own folds."""
        ...

    @property
    def std(self) -> float:
        """Standard deviation of the score over the folds."""
        ...

    def prediction(self) -> FloatArray:
        """On the test rows."""
        ...

    def write_submission(self, path: Path, kind: str = ...) -> None:
        """Writes its submission, checked, and remembers what made it."""
        ...

    def saved_model(self) -> AbstractContextManager[Path]:
        """What `objectives.predictor.load` reads, for as long as the block runs."""
        ...

    def attach(self, callback: MLflowCallback, study: Study, files: Mapping[str, Path]) -> tuple[str, str]:
        """Stores files with its run; returns the run's id and where the model is in it."""
        ...


@dataclass(frozen=True)
class PromotableTrial:
    """A trial as it was."""

    files: TrialFiles

    @property
    def name(self) -> str:
        """For people."""
        return f"trial {self.trial}"

    @property
    def trial(self) -> int:
        """Its number."""
        return self.files.trial.number

    @property
    def score(self) -> float:
        """Its value."""
        assert self.files.trial.value is not None
        return self.files.trial.value

    @property
    def std(self) -> float:
        """As it was recorded."""
        return trial_std(self.files.trial)

    def prediction(self) -> FloatArray:
        """On the test rows."""
        return self.files.prediction()

    def write_submission(self, path: Path, kind: str = "promotion") -> None:
        """Writes its submission, checked, and remembers what made it."""
        self.files.write_submission(path, kind)

    def saved_model(self) -> AbstractContextManager[Path]:
        """The folder that `Objective.save_model` wrote."""
        return self.files.saved_model()

    def attach(self, callback: MLflowCallback, study: Study, files: Mapping[str, Path]) -> tuple[str, str]:
        """Stores files with the trial's run, and with the study's if it is the best."""
        callback.attach(study, self.trial, files)
        callback.tag(study, self.trial, {"status": PROMOTED})
        run_id = callback.run_id(study, self.trial)
        return run_id, f"runs:/{run_id}/model"


@dataclass(frozen=True)
class PromotableCandidate:
    """A blend, or a configuration that was fitted anew: its files are the study's; or a trial with more models.

    Attributes:
        competition: What was searched.
        study: The study.
        candidate: It.
        predicted: What it predicts.
        layout: The project.
    """

    competition: Competition
    study: Study
    candidate: Candidate
    predicted: StoredPrediction
    layout: Layout

    @property
    def name(self) -> str:
        """For people."""
        return self.candidate.name

    @property
    def trial(self) -> int | None:
        """Number of the trial whose models are among its; None: it is no trial."""
        return self.candidate.trial

    @property
    def score(self) -> float:
        """Mean over the study's own folds."""
        return float(np.mean(self._scores))

    @property
    def std(self) -> float:
        """Standard deviation over them."""
        return float(np.std(self._scores))

    @property
    def _scores(self) -> FloatArray:
        data, part = self.competition.dataset, self.candidate.lead
        scorer = Scorer(data.target, data.metric, 1, {part: self.predicted.oof})
        folds = own_folds(self.competition.folds, scorer.oofs)
        return np.array([scorer.score(fold.rows, fold.predictions[part]) for fold in folds])

    def prediction(self) -> FloatArray:
        """On the test rows."""
        return self.predicted.test

    def write_submission(self, path: Path, kind: str = "promotion") -> None:
        """Writes its submission, checked, and remembers what made it."""
        oof = self.predicted.oof
        write_checked_submission(self.competition, self.predicted.test, path, oof=oof)
        lead = self.candidate.lead.trial
        maker = Maker(kind, f"trial_{lead:05d}", self.score, self.std, lead, candidate=self.candidate.name)
        remember_submission(self.layout, self.competition, path, maker, oof)

    @contextmanager
    def saved_model(self) -> Iterator[Path]:
        """Its parts' models with their weights."""
        from search.results.blend_model import saved_blend

        with saved_blend(self.competition, self.study, self.candidate, self.layout) as folder:
            yield folder

    def attach(self, callback: MLflowCallback, study: Study, files: Mapping[str, Path]) -> tuple[str, str]:
        """Stores files with the trial's run or the study's, in a folder of their own: its others are as it ran."""
        own = {f"{PROMOTED}/{name}": path for name, path in files.items()}
        if self.trial is None:
            run_id = callback.attach_to_study(study, own)
        else:
            callback.attach(study, self.trial, own)
            callback.tag(study, self.trial, {"status": PROMOTED})
            run_id = callback.run_id(study, self.trial)
        return run_id, f"runs:/{run_id}/{PROMOTED}/model"
