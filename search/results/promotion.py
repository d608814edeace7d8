"""Promotion: from a study to a checked file to upload, a record of it, and a registered model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from search.conclusion.later import LaterConclusion
from search.conclusion.wording import conclusion_lines
from search.faults import InputFaults
from search.loop.tally import best_trial, complete_trials
from search.results.known_studies import latest_study
from search.results.package import run_files
from search.results.promotable import PROMOTED, Promotable, PromotableCandidate, PromotableTrial
from search.results.trial_files import TrialFiles, reopen

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.competition import Competition
    from search.conclusion.conclude import Concluded
    from search.conclusion.conclusion import Conclusion
    from search.config import PromoteConfig
    from storage.layout import Layout


@dataclass(frozen=True)
class Promotion:
    """What was promoted.

    Attributes:
        study: Name of the study.
        name: What was promoted, for people.
        score: Its cross-validated score.
        std: Standard deviation of the score over the folds.
        submission: The checked file to upload.
        record: The JSON file beside it.
        run_id: The run in MLflow that has its files: a trial's own, a blend's study's.
        model: Address of the registered model.
        lines: How it stands beside the other candidates.
    """

    study: str
    name: str
    score: float
    std: float
    submission: Path
    record: Path
    run_id: str
    model: str
    lines: tuple[str, ...]

    def _repr_html_(self) -> str:
        from search.notebook.page import promotion_page

        return promotion_page(self)


def promote(config: PromoteConfig, layout: Layout) -> Promotion:
    """Promotes what is honestly the best of a study, or the trial asked for.

    Raises:
        InputFaults: If there is no such study or complete trial, or its data has changed since.
    """
    study = latest_study(layout, config.study)
    asked = _find_trial(study, config.trial)
    competition = reopen(study, layout)
    later = LaterConclusion(study, competition, layout)
    conclusion: Conclusion | None
    if asked is not None:
        files = TrialFiles(competition, asked, layout)
        conclusion = later.of_trial(asked, files.oof_prediction(), files.prediction())
        return _Promoting(layout, competition, study, PromotableTrial(files), conclusion).run()
    concluded = later.chosen()
    conclusion = concluded.conclusion if concluded else None
    return _Promoting(
        layout, competition, study, promotable(concluded, competition, study, layout), conclusion
    ).run()


def promotable(
    concluded: Concluded | None, competition: Competition, study: Study, layout: Layout
) -> Promotable:
    """What a conclusion chose; the best trial where there is none."""
    if concluded is None:
        best = best_trial(study)
        assert best is not None
        return PromotableTrial(TrialFiles(competition, best, layout))
    chosen = concluded.conclusion.chosen
    if chosen.is_plain:
        trial = next(one for one in complete_trials(study) if one.number == chosen.trial)
        return PromotableTrial(TrialFiles(competition, trial, layout))
    return PromotableCandidate(competition, study, chosen, concluded.prediction, layout)


def _find_trial(study: Study, number: int | None) -> FrozenTrial | None:
    """The trial that is asked for, if one is."""
    complete = {trial.number: trial for trial in complete_trials(study)}
    if number is None:
        if not complete:
            raise InputFaults(
                [f"study {study.study_name}: got no complete trial; allowed: at least 1; do: search.run"]
            )
        return None
    if number not in complete:
        known = ", ".join(map(str, sorted(complete))) or "none yet"
        raise InputFaults([f"--trial: got {number}; allowed: a complete trial ({known}); do: choose one"])
    return complete[number]


@dataclass
class _Promoting:
    layout: Layout
    competition: Competition
    study: Study
    subject: Promotable
    conclusion: Conclusion | None

    def run(self) -> Promotion:
        from storage.promotion_record import free_submission_path, write_promotion_record
        from storage.submission.writing import sha256_of

        self.layout.create()
        submission = free_submission_path(self.layout.submissions, datetime.now().astimezone())
        self.subject.write_submission(submission)
        with self.subject.saved_model() as model:
            run_id, address = self._record_in_mlflow(model, submission, sha256_of(submission))
        record = write_promotion_record(submission, self._facts(run_id, address))
        return Promotion(
            study=self.study.study_name,
            name=self.subject.name,
            score=self.subject.score,
            std=self.subject.std,
            submission=submission,
            record=record,
            run_id=run_id,
            model=address,
            lines=tuple(conclusion_lines(self.conclusion)) if self.conclusion else (),
        )

    def _record_in_mlflow(self, model: Path, submission: Path, sha256: str) -> tuple[str, str]:
        from storage.conclusion_record import keep_figures
        from storage.mlflow_callback import MLflowCallback
        from storage.record.model_registry import CHAMPION, register_champion
        from storage.record.tracking import open_tracking

        callback = MLflowCallback(
            self.layout.tracking_uri,
            f"{self.competition.metric_name}_mean",
            experiment=self.competition.experiment,
            layout=self.layout,
        )
        subject, name = self.subject, self.study.study_name
        # In the ledger first: the synchronisation takes it from there to the study's run.
        keep_figures(self.study, {"study": {PROMOTED: subject.name, "promoted_submission_sha256": sha256}})
        callback.sync(self.study)
        with run_files(self.competition, subject.prediction(), model, submission) as files:
            run_id, source = subject.attach(callback, self.study, files)
        if subject.trial is not None:
            callback.tag(self.study, subject.trial, {"submission_sha256": sha256})
        version = register_champion(
            open_tracking(self.layout).client,
            name=name,
            source_uri=source,
            run_id=run_id,
            tags={"sha256": sha256, "study": name, "promoted": subject.name},
            description=f"{subject.name} of study {name}: {self.competition.metric_name} {subject.score}",
        )
        return run_id, f"models:/{name}@{CHAMPION} (version {version})"

    def _facts(self, run_id: str, model: str) -> dict[str, Any]:
        facts = {
            "study": self.study.study_name,
            "trial": self.subject.trial,
            "promoted": self.subject.name,
            "run_id": run_id,
            "model": model,
            "metric": self.competition.dataset.metric.name,
            "score": self.subject.score,
            "std": self.subject.std,
            "data_fingerprint": self.competition.dataset.fingerprint,
        }
        if self.conclusion is None:
            return facts
        line = self.conclusion.chosen_line
        candidates = [{**one.figures(), "kind": one.kind} for one in self.conclusion.lines]
        return {
            **facts,
            "parts": self.conclusion.chosen.to_json()["parts"],
            "figures": line.figures(),
            "reason": self.conclusion.reason,
            "fresh_folds": self.conclusion.fresh_folds,
            "candidates": candidates,
        }
