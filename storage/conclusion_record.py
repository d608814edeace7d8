"""What a study came to: the record with the study and beside its predictions, and those of what was chosen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.atomic import temporary_save_path
from storage.predictions import StoredPrediction
from storage.record.mirror import CONCLUSION, FIGURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.study import Study

    from storage.layout import Layout


def save_conclusion(
    layout: Layout,
    study: Study,
    record: Mapping[str, Any],
    prediction: StoredPrediction,
    figures: Mapping[str, Mapping[str, Any]],
) -> None:
    """Writes or replaces a study's conclusion; the ledger has it last, so that it never lacks its predictions.

    Args:
        layout: The project.
        study: The study.
        record: Values that JSON knows.
        prediction: Of the chosen candidate.
        figures: As for `keep_figures`.

    Raises:
        OSError: If the folder cannot be written.
    """
    save_chosen(layout, study.study_name, record, prediction)
    keep_figures(study, figures)
    study.set_user_attr(CONCLUSION, dict(record))


def save_chosen(layout: Layout, study: str, record: Mapping[str, Any], prediction: StoredPrediction) -> None:
    """Writes or replaces the files alone, as where another host has concluded the study.

    Args:
        layout: The project.
        study: The study's name.
        record: Values that JSON knows.
        prediction: Of the chosen candidate.

    Raises:
        OSError: If the folder cannot be written.
    """
    record_file = layout.conclusion(study)
    record_file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    with temporary_save_path(record_file.with_suffix(".npz")) as path:
        np.savez_compressed(path, allow_pickle=False, oof=prediction.oof, test=prediction.test)
    with temporary_save_path(record_file) as path:
        path.write_text(text + "\n", encoding="utf-8", newline="\n")


def keep_figures(study: Study, figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Adds to what the ledger says of runs after their end; the runs' tags follow by the next synchronisation.

    Args:
        study: The study.
        figures: Values by name, by trial number as text or `study`; what else is known stays.
    """
    known = study.user_attrs.get(FIGURES, {})
    merged = {**known, **{run: {**known.get(run, {}), **values} for run, values in figures.items()}}
    if merged != known:
        study.set_user_attr(FIGURES, merged)


def conclusion_of(study: Study) -> dict[str, Any] | None:
    """Returns the record that the ledger has, if any."""
    record = study.user_attrs.get(CONCLUSION)
    return record if isinstance(record, dict) else None


def load_chosen(layout: Layout, study: str, record: Mapping[str, Any]) -> StoredPrediction | None:
    """Returns the predictions of what a conclusion chose; None where they are of another one, or not here."""
    path = layout.conclusion(study)
    try:
        if json.loads(path.read_text(encoding="utf-8")) != json.loads(json.dumps(record)):
            return None
        with path.with_suffix(".npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return StoredPrediction(oof=arrays["oof"], test=arrays["test"])
    except (OSError, ValueError, KeyError, EOFError):
        return None
