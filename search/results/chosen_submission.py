"""The submission of what a study came to: of one trial, of a blend, or of a stopgap for want of both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from search.results.contract import Maker, remember_submission, write_checked_submission
from search.results.package import study_submission

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import FloatArray
    from search.competition import Competition
    from search.conclusion.candidates import Candidate
    from search.conclusion.conclude import Concluded
    from search.conclusion.stopgap import Stopgap
    from storage.layout import Layout


def chosen_path(layout: Layout, study: str, candidate: Candidate) -> Path:
    """Where a candidate's submission is written; a plain trial's is the same as ever."""
    from storage.layout import folder_name

    if not candidate.is_single:
        return layout.submissions / f"submission_{folder_name(study)}_blend.csv"
    path = study_submission(layout, study, candidate.lead.trial)
    variant = re.sub(r"\W+", "_", candidate.lead.variant)
    more = [] if len(candidate.parts) == 1 else ["of_all_rows"]
    return path.with_stem("_".join([path.stem, *([variant] if variant else []), *more]))


def stopgap_path(layout: Layout, study: str) -> Path:
    """Where the submission of a study without a complete trial is written."""
    from storage.layout import folder_name

    return layout.submissions / f"submission_{folder_name(study)}_stopgap.csv"


def write_chosen(competition: Competition, concluded: Concluded, layout: Layout) -> Path:
    """Writes the chosen candidate's submission, checked, and remembers what made it.

    Raises:
        ValueError: If the written file is not a valid submission.
    """
    line, prediction = concluded.conclusion.chosen_line, concluded.prediction
    candidate = concluded.conclusion.chosen
    path = chosen_path(layout, competition.study, candidate)
    write_checked_submission(competition, prediction.test, path, oof=prediction.oof)
    kind = "trial" if candidate.is_plain else "final fit" if candidate.is_single else "blend"
    lead = candidate.lead.trial
    std = spread(competition, prediction.oof)
    maker = Maker(kind, f"trial_{lead:05d}", line.apparent, std, lead, candidate=candidate.name)
    remember_submission(layout, competition, path, maker, prediction.oof)
    return path


def spread(competition: Competition, oof: FloatArray) -> float:
    """Standard deviation of a prediction's score over the study's folds, as a trial has it."""
    data = competition.dataset
    return float(
        np.std([data.metric.score(data.target[f.val_idx], oof[f.val_idx]) for f in competition.folds])
    )


def write_stopgap(competition: Competition, stopgap: Stopgap, layout: Layout) -> Path:
    """Writes a stopgap's submission, checked, and remembers that no trial made it.

    Raises:
        ValueError: If the written file is not a valid submission.
    """
    path = stopgap_path(layout, competition.study)
    write_checked_submission(competition, stopgap.test, path, oof=stopgap.oof)
    maker = Maker("stopgap", "stopgap", stopgap.score, 0.0)
    remember_submission(layout, competition, path, maker, stopgap.oof)
    return path
