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
REQUIREMENTS = ("lightgbm", "mlflow", "numpy", "pandas")


def write_checked_submission(competition: Competition, prediction: FloatArray, path: Path) -> None:
    """Writes a submission and reads it back against the test ids.

    Raises:
        ValueError: If the written file is not a valid submission; it is removed then.
    """
    from storage.submissions import submission_faults, write_submission

    ids, form = competition.dataset.test_ids, competition.submission_format
    path.parent.mkdir(parents=True, exist_ok=True)
    write_submission(path, ids, prediction, form)
    faults = submission_faults(path, ids, form)
    if faults:
        path.unlink()
        raise ValueError("\n".join(faults))


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
    from storage.model_registry import save_pyfunc

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        features = folder / "features.txt"
        features.write_text("\n".join(competition.dataset.encoder.names) + "\n", encoding="utf-8")
        source = folder / "source"
        shutil.copytree(saved_model, source)
        example = competition.dataset.raw_test
        save_pyfunc(
            source,
            folder / "model",
            loader=LOADER,
            input_example=example,
            output_example=prediction[: len(example)],
            requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
            code=[Path(objectives.__path__[0])],
        )
        yield {"features.txt": features, submission.name: submission, "model": folder / "model"}
