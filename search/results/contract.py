"""What the competition wants uploaded, found from its sample file, and a prediction written so and checked."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import FloatArray
    from objectives.data.dataset import Dataset
    from search.competition import Competition
    from storage.layout import Layout
    from storage.submission.form import SubmissionFormat, Wanted

LABEL_METRICS = frozenset({"accuracy", "f1", "macro_f1", "kappa", "quadratic_kappa"})
"""Scores of classes rather than of probabilities; they decide where the sample's values could mean either."""


@dataclass(frozen=True)
class Maker:
    """What made a submission.

    Attributes:
        kind: `trial`, `blend`, `final fit`, `stopgap`, `promotion` or `baseline`.
        run: Name of its run in MLflow; of a blend, that of its heaviest trial.
        score: Cross-validated.
        std: Standard deviation of the score over the folds.
        trial: Number of the trial, of a blend the heaviest; None for a baseline and a stopgap.
        run_id: The run, where it is known already.
        candidate: What was submitted, for people, such as `blend of 4`; None: the trial.
    """

    kind: str
    run: str
    score: float
    std: float
    trial: int | None = None
    run_id: str | None = None
    candidate: str | None = None


def wanted_of(dataset: Dataset, column: str | None) -> Wanted:
    """What is to be submitted for a data set; `column` is the prediction column where the user says so."""
    from storage.submission.form import Wanted

    return Wanted(
        ids=dataset.test_ids,
        id_name=dataset.id_name,
        target=dataset.target_name,
        classes=dataset.classes,
        wants_labels=dataset.metric.name in LABEL_METRICS,
        column=column,
    )


def find_format(
    dataset: Dataset, sample: Path | None, column: str | None
) -> tuple[SubmissionFormat | None, list[str]]:
    """Returns the format of the competition's submissions, and what is wrong with its sample."""
    from storage.submission.reading import read_format, read_sample

    wanted = wanted_of(dataset, column)
    return (read_format(None, wanted), []) if sample is None else read_sample(sample, wanted)


def format_note(form: SubmissionFormat, sample: Path | None) -> str:
    """Says how submissions are written, and after what."""
    source = f"as in {sample}" if sample else "no sample given, so by convention"
    return f"Submission ({source}): {form.description}"


def write_checked_submission(
    competition: Competition,
    prediction: FloatArray,
    path: Path,
    *,
    oof: FloatArray,
) -> None:
    """Writes a submission, reads it back and compares it with the out-of-fold predictions.

    Args:
        competition: What was searched.
        prediction: On the test rows, shape (n_test,) or (n_test, n_classes).
        path: The file.
        oof: Out-of-fold predictions, shape (n_train,) or (n_train, n_classes).

    Raises:
        ValueError: If the written file is not a valid submission; it is removed then.
    """
    from storage.submission.checking import submission_faults
    from storage.submission.drift import drift_warnings, summarise
    from storage.submission.writing import oof_values, read_submission, write_submission

    form = competition.submission_format
    path.parent.mkdir(parents=True, exist_ok=True)
    write_submission(path, prediction, form)
    faults = submission_faults(path, form)
    if faults:
        path.unlink()
        raise ValueError("\n".join(faults))
    known = summarise(oof_values(oof, form), form)
    for line in drift_warnings(read_submission(path, form), form, known):
        print(f"Warning: submission {path}: {line}", file=sys.stderr, flush=True)


def remember_submission(
    layout: Layout, competition: Competition, path: Path, maker: Maker, oof: FloatArray
) -> None:
    """Remembers by the file's checksum what made a submission, and what it was checked against."""
    from storage.submission.drift import summarise
    from storage.submission.writing import oof_values
    from storage.submission_records import keep_contract, remember

    form, data = competition.submission_format, competition.dataset
    facts = {
        **asdict(maker),
        "study": competition.study,
        "experiment": competition.experiment,
        "metric": data.metric.name,
        "greater_is_better": data.metric.greater_is_better,
        "n_folds": len(competition.folds),
        "n_train": len(data.target),
        "data_fingerprint": data.fingerprint,
        "contract": keep_contract(layout, form),
        "oof": [summary.to_json() for summary in summarise(oof_values(oof, form), form)],
    }
    remember(layout, path, facts)
