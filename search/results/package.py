"""What an upload needs and what a run keeps: submission, served model, lists of features."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from objectives.base import FloatArray
    from search.competition import Competition
    from storage.layout import Layout

LOADER = "objectives.predictor:load"
REQUIREMENTS = ("mlflow", "numpy", "pandas")


def study_submission(layout: Layout, study: str, number: int) -> Path:
    """Where the submission of a study's best trial is written."""
    from storage.layout import folder_name

    return layout.submissions / f"submission_{folder_name(study)}_trial_{number:05d}.csv"


@contextmanager
def run_files(
    competition: Competition, prediction: FloatArray, saved_model: Path, submission: Path
) -> Iterator[dict[str, Path]]:
    """Makes the artifacts of a run that was worth keeping, by artifact path, for as long as the block runs.

    Args:
        competition: What was searched.
        prediction: On the test rows.
        saved_model: Folder that `Objective.save_model` wrote.
        submission: The written submission.
    """
    import objectives
    from objectives.models.saved_model import model_requirements
    from storage.layout import artifact_name
    from storage.record.model_registry import save_pyfunc

    # Where time is up, the process ends in the middle of this.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        features = folder / "features.txt"
        names = (" ".join(name.splitlines()) for name in competition.dataset.feature_names)
        features.write_text("\n".join(names) + "\n", encoding="utf-8")
        source = folder / "source"
        shutil.copytree(saved_model, source)
        needed = (*REQUIREMENTS, *model_requirements(source), *competition.dataset.requirements)
        packages = list(dict.fromkeys(needed))
        example = competition.dataset.raw_test
        save_pyfunc(
            source,
            folder / "model",
            loader=LOADER,
            input_example=example,
            output_example=prediction[: len(example)],
            requirements=[f"{package}=={version(package)}" for package in packages],
            code=[Path(objectives.__path__[0])],
        )
        yield {
            "features.txt": features,
            artifact_name(submission.name): submission,
            "model": folder / "model",
        }
