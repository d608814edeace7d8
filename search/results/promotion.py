"""Promotion: from a trial to a checked file to upload, a record of it, and a registered model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from search.faults import InputFaults
from search.loop.tally import best_trial, complete_trials, last_activity, trial_std
from search.results.package import run_files, write_checked_submission
from search.results.trial_files import TrialFiles, reopen

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import FloatArray
    from search.competition import Competition
    from search.config import PromoteConfig
    from storage.layout import Layout


@dataclass(frozen=True)
class Promotion:
    """What was promoted.

    Attributes:
        study: Name of the study.
        trial: Number of the trial.
        score: Its cross-validated score.
        std: Standard deviation of the score over the folds.
        submission: The checked file to upload.
        record: The JSON file beside it.
        run_id: The trial's run in MLflow.
        model: Address of the registered model.
    """

    study: str
    trial: int
    score: float
    std: float
    submission: Path
    record: Path
    run_id: str
    model: str


def promote(config: PromoteConfig, layout: Layout) -> Promotion:
    """Promotes the best complete trial of a study, or the one asked for.

    Raises:
        InputFaults: If there is no such study or complete trial, or its data has changed since.
    """
    study = _find_study(config, layout)
    trial = _find_trial(study, config.trial)
    competition = reopen(study, layout)
    return _Promoting(layout, competition, study, trial).run()


def _find_study(config: PromoteConfig, layout: Layout) -> Study:
    import optuna

    from storage.checks import storage_faults

    faults = storage_faults(layout)
    if faults:
        raise InputFaults(faults)
    if not layout.optuna_db.exists():
        raise InputFaults(["got no study here; allowed: one with a complete trial; do: python -m search.run"])
    from storage.ledger import open_ledger

    ledger = open_ledger(layout.ledger_url)
    names = optuna.get_all_study_names(ledger)
    if config.study is not None and config.study not in names:
        known = ", ".join(names) or "none yet"
        raise InputFaults([f"--study: got {config.study!r}; allowed: {known}; do: choose one"])
    studies = [
        optuna.load_study(study_name=n, storage=ledger) for n in ([config.study] if config.study else names)
    ]
    ours = [study for study in studies if "settings" in study.user_attrs]
    if not ours:
        raise InputFaults(["got no study of this program; allowed: one made by search.run; do: run it first"])
    return max(ours, key=lambda study: last_activity(study) or datetime.min)  # noqa: DTZ901 - as Optuna keeps it


def _find_trial(study: Study, number: int | None) -> FrozenTrial:
    if number is None:
        best = best_trial(study)
        if best is None:
            raise InputFaults(
                [f"study {study.study_name}: got no complete trial; allowed: at least 1; do: search.run"]
            )
        return best
    complete = {trial.number: trial for trial in complete_trials(study)}
    if number not in complete:
        known = ", ".join(map(str, sorted(complete))) or "none yet"
        raise InputFaults([f"--trial: got {number}; allowed: a complete trial ({known}); do: choose one"])
    return complete[number]


@dataclass
class _Promoting:
    layout: Layout
    competition: Competition
    study: Study
    trial: FrozenTrial

    def run(self) -> Promotion:
        from storage.promotion_record import free_submission_path, write_promotion_record
        from storage.submissions import sha256_of

        prediction = self._files.prediction()
        self.layout.create()
        submission = free_submission_path(self.layout.submissions, datetime.now().astimezone())
        write_checked_submission(self.competition, prediction, submission)
        with self._files.saved_model() as model:
            run_id, address = self._record_in_mlflow(prediction, model, submission, sha256_of(submission))
        record = write_promotion_record(submission, self._facts(run_id, address))
        assert self.trial.value is not None
        return Promotion(
            study=self.study.study_name,
            trial=self.trial.number,
            score=self.trial.value,
            std=trial_std(self.trial),
            submission=submission,
            record=record,
            run_id=run_id,
            model=address,
        )

    @cached_property
    def _files(self) -> TrialFiles:
        return TrialFiles(self.competition, self.trial, self.layout)

    def _record_in_mlflow(
        self, prediction: FloatArray, model: Path, submission: Path, sha256: str
    ) -> tuple[str, str]:
        from storage.mlflow_callback import MLflowCallback
        from storage.model_registry import CHAMPION, register_champion
        from storage.tracking import open_tracking

        callback = MLflowCallback(
            self.layout.tracking_uri,
            f"{self.competition.metric_name}_mean",
            experiment=self.competition.experiment,
            layout=self.layout,
        )
        number, name = self.trial.number, self.study.study_name
        callback.sync(self.study)
        with run_files(self.competition, prediction, model, submission) as files:
            callback.attach(self.study, number, files)
        run_id = callback.run_id(self.study, number)
        callback.tag(self.study, number, {"status": "promoted", "submission_sha256": sha256})
        version = register_champion(
            open_tracking(self.layout).client,
            name=name,
            source_uri=f"runs:/{run_id}/model",
            run_id=run_id,
            tags={"sha256": sha256, "study": name, "trial": str(number)},
            description=f"Trial {number} of study {name}: {self.competition.metric_name} {self.trial.value}",
        )
        return run_id, f"models:/{name}@{CHAMPION} (version {version})"

    def _facts(self, run_id: str, model: str) -> dict[str, Any]:
        return {
            "study": self.study.study_name,
            "trial": self.trial.number,
            "run_id": run_id,
            "model": model,
            "metric": self.competition.dataset.metric.name,
            "score": self.trial.value,
            "std": trial_std(self.trial),
            "data_fingerprint": self.competition.dataset.fingerprint,
        }
