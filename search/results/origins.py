"""What made a submission file, by its checksum: from the records, or from the files of a study that was carried."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from search.score_text import spread_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from optuna.study import Study

    from storage.layout import Layout

_SHORT = 12


@dataclass(frozen=True)
class Origin:
    """What made a submission; what is not known is None or empty.

    Attributes:
        study: Name of the study, or of the competition for a baseline.
        kind: As of a `Maker`.
        trial: Number of the trial, of a blend the heaviest; None for a baseline and a stopgap.
        run: Name of the run in MLflow.
        run_id: The run.
        experiment: Its experiment.
        metric: Name of the score.
        greater_is_better: Whether a higher score is better.
        score: Cross-validated.
        std: Standard deviation of the score over the folds.
        n_folds: How many there were.
        n_train: Training rows.
        data_fingerprint: Of all that the objective saw.
        contract: The format it was checked against.
        created: When it was written first, UTC.
        git_commit: What was checked out then.
        git_dirty: Whether tracked files differed from that.
        oof: Summaries of the out-of-fold predictions, as JSON.
        was_looked_for: Whether MLflow was asked for the run.
        candidate: What was submitted, for people, such as `blend of 4`; None: the trial.
    """

    study: str
    kind: str = "trial"
    trial: int | None = None
    run: str | None = None
    run_id: str | None = None
    experiment: str | None = None
    metric: str | None = None
    greater_is_better: bool | None = None
    score: float | None = None
    std: float | None = None
    n_folds: int | None = None
    n_train: int | None = None
    data_fingerprint: str | None = None
    contract: str | None = None
    created: str | None = None
    git_commit: str | None = None
    git_dirty: bool | None = None
    oof: tuple[Mapping[str, Any], ...] = ()
    was_looked_for: bool = False
    candidate: str | None = None

    @property
    def name(self) -> str:
        """What it is, for people."""
        if self.trial is None:
            return f"{self.run or 'baseline'} ({self.study})"
        return f"study {self.study}, {self.candidate or f'trial {self.trial}'}"

    @property
    def description(self) -> str:
        """All that is known, in a line for people."""
        score = (
            "score not recorded"
            if self.score is None
            else f"{self.metric} {spread_text(self.score, self.std)}"
        )
        found = self.run_id or ("not found in MLflow" if self.was_looked_for else None)
        run = (self.run or "run") + (f" ({found})" if found else "")
        commit = (self.git_commit or "not recorded")[:_SHORT] + (" with changes" if self.git_dirty else "")
        return (
            f"{self.name}, by {self.kind}; run {run}; CV {score}; "
            f"data {self.data_fingerprint or 'not recorded'}; commit {commit}; "
            f"written {self.created or 'at no known time'}"
        )


def origins_of(layout: Layout, sha256: str) -> tuple[Origin, ...]:
    """Returns all that made files of these bytes, the latest last; empty where nothing here did."""
    from storage.submission_records import ORIGINS, find_record

    record = find_record(layout, sha256)
    if record is not None:
        return tuple(_from_json(origin) for origin in record[ORIGINS])
    return tuple(_promoted(layout, sha256)) or tuple(_carried(layout, sha256))


def _from_json(values: Mapping[str, Any]) -> Origin:
    names = {field.name for field in fields(Origin)}
    known = {name: value for name, value in values.items() if name in names}
    return Origin(**{**known, "oof": tuple(known.get("oof", ()))})


def _promoted(layout: Layout, sha256: str) -> Iterator[Origin]:
    for path in sorted(layout.submissions.glob("submission_*.json")):
        with suppress(OSError, ValueError, TypeError, AttributeError, LookupError):
            record = json.loads(path.read_text(encoding="utf-8"))
            if record.get("sha256") == sha256:
                # Of a blend the heaviest part.
                lead = record.get("trial")
                lead = int(record["parts"][0]["trial"] if lead is None else lead)
                run = f"trial_{lead:05d}"
                yield _from_json({**record, "kind": "promotion", "run": run, "trial": lead})


def _carried(layout: Layout, sha256: str) -> Iterator[Origin]:
    """The submissions of best trials, which a study brought along, have their names only."""
    from search.results.known_studies import OURS, all_studies
    from search.results.package import study_submission
    from storage.submission.writing import sha256_of

    same = {path.resolve() for path in layout.submissions.glob("*.csv") if sha256_of(path) == sha256}
    if not same:
        return
    for study in all_studies(layout):
        if not study.user_attrs.keys() >= OURS:
            continue
        for trial in study.get_trials(deepcopy=False):
            if study_submission(layout, study.study_name, trial.number).resolve() in same:
                yield _of_trial(study, trial.number)


def _of_trial(study: Study, number: int) -> Origin:
    from search.competition import experiment_of
    from search.loop.tally import trial_std
    from storage.ledger_trials import find_trial

    trial, question = find_trial(study, number), study.user_attrs["question"]
    return Origin(
        study=study.study_name,
        trial=number,
        run=f"trial_{number:05d}",
        experiment=experiment_of(study.user_attrs["settings"], study.study_name),
        metric=question["metric"],
        greater_is_better=study.direction.name == "MAXIMIZE",
        score=trial.value,
        std=trial_std(trial),
        data_fingerprint=question["data"],
    )


def with_run_id(layout: Layout, origin: Origin) -> Origin:
    """Returns an origin with its run looked up in MLflow, where that answers and has it."""
    from dataclasses import replace

    from storage.record.find_run import find_trial_run

    if origin.run_id is not None or origin.trial is None:
        return origin
    run_id = find_trial_run(layout, origin.study, origin.trial)
    return replace(origin, run_id=run_id, was_looked_for=True)


def submission_path_faults(path: Path) -> list[str]:
    """Says that a file is not there."""
    if path.is_file():
        return []
    what = "is a folder" if path.is_dir() else "no such file"
    return [f"got {path}: {what}; allowed: a submission file; do: correct the path"]
