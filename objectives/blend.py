"""A blend as a saved model: the packed models of its parts, each of any objective, and their weights."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from objectives.base import FloatArray

_WEIGHTS = "blend.json"


class RawPredictor(Protocol):
    """Takes raw rows as in the test file."""

    def predict(self, frame: pd.DataFrame) -> FloatArray:
        """Returns predictions, shape (n,) or (n, n_classes)."""
        ...


@dataclass(frozen=True)
class Blend:
    """The weighted mean of other predictors.

    Attributes:
        parts: Each with its weight, in the order in which they are added up.
    """

    parts: tuple[tuple[RawPredictor, float], ...]

    def predict(self, frame: pd.DataFrame) -> FloatArray:
        """Predicts raw rows; shape (n,), or (n, n_classes) for multiclass."""
        (first, weight), *others = self.parts
        # The same float operations in the same order as where the blend was chosen: the same submission.
        total = weight * first.predict(frame)
        for part, weight in others:
            total = total + weight * part.predict(frame)
        return total


def save_blend(parts: Sequence[tuple[Path, float]], folder: Path) -> None:
    """Writes a blend into an empty folder.

    Args:
        parts: Zip files of what `Objective.save_model` wrote, each with its weight.
        folder: For `objectives.predictor.load` to read.
    """
    for k, (packed, _) in enumerate(parts):
        shutil.copyfile(packed, folder / _part_name(k))
    weights = json.dumps({"weights": [weight for _, weight in parts]})
    (folder / _WEIGHTS).write_text(weights + "\n", encoding="utf-8")


def is_blend(folder: Path) -> bool:
    """Whether `save_blend` wrote the folder."""
    return (folder / _WEIGHTS).is_file()


@contextmanager
def opened_parts(folder: Path) -> Iterator[list[tuple[Path, float]]]:
    """Unpacks a blend's parts into folders, each with its weight, that are there as long as the block runs."""
    weights = json.loads((folder / _WEIGHTS).read_text(encoding="utf-8"))["weights"]
    with tempfile.TemporaryDirectory() as name:
        parts = []
        for k, weight in enumerate(weights):
            with zipfile.ZipFile(folder / _part_name(k)) as packed:
                packed.extractall(Path(name, str(k)))
            parts.append((Path(name, str(k)), float(weight)))
        yield parts


def _part_name(k: int) -> str:
    return f"part_{k:02d}.zip"
