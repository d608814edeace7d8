"""Where the files of a trial are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.results.package import study_submission
from storage.kept_models import ModelKey

if TYPE_CHECKING:
    from pathlib import Path

    from storage.layout import Layout


def trial_places(layout: Layout, study: str, number: int) -> list[Path]:
    """Files that are here of a trial: predictions, models, submissions."""
    from storage.predictions import PredictionStore

    folder = layout.predictions(study)
    paths = [
        PredictionStore(folder).path(number),
        folder / ModelKey(number).file_name,
        study_submission(layout, study, number),
    ]
    return [path for path in paths if path.is_file()]
