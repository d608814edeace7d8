"""A saved model that takes raw rows: encoder and fold models, no pickle."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from objectives.blend import Blend, is_blend, opened_parts
from objectives.data.approach import divisor
from objectives.data.columns import ColumnEncoder
from objectives.data.features.learned import Learned, LearnedEncoder, load_learned
from objectives.data.target_transform import TargetTransform, column_of
from objectives.models.saved_model import read_models

if TYPE_CHECKING:
    import pandas as pd

    from objectives.base import FloatArray
    from objectives.blend import RawPredictor
    from objectives.models.fold_model import Predicts


@dataclass(frozen=True)
class Predictor:
    """The mean of the fold models, each fed through the encoders it was trained behind.

    Attributes:
        encoder: What all fold models share.
        models: One for each fold.
        transforms: From each model's output to the target's own scale.
        learned_encoder: What makes the learned features.
        learned: What each fold has learned; empty if nothing was.
    """

    encoder: ColumnEncoder
    models: tuple[Predicts, ...]
    transforms: tuple[TargetTransform, ...]
    learned_encoder: LearnedEncoder = field(default_factory=LearnedEncoder)
    learned: tuple[Learned, ...] = ()

    def predict(self, frame: pd.DataFrame) -> FloatArray:
        """Predicts raw rows as in the test file.

        Returns:
            Shape (n,): numbers, or probabilities of the second class; (n, n_classes) for multiclass. NaN where
            the target is learned per unit of a column that the row lacks.
        """
        own = self.learned_encoder.own
        raw, frame = frame, frame if own is None else own.columns_of(frame)
        rows = self.encoder.transform(frame)
        # Summed in fold order, like the search does: the same float operations, the same submission.
        total = np.zeros(1)
        for k, (model, transform) in enumerate(zip(self.models, self.transforms, strict=True)):
            column = column_of(transform.name)
            per = None if column is None else divisor(raw, column)
            prediction = np.asarray(model.predict(self._rows(k, rows, frame)))
            total = total + transform.back(prediction, per) / len(self.models)
        return total

    def _rows(self, fold: int, rows: FloatArray, frame: pd.DataFrame) -> FloatArray:
        if not self.learned:
            return rows
        return np.hstack([rows, self.learned_encoder.transform(frame, self.learned[fold])])


def load(folder: Path) -> RawPredictor:
    """Loads what `Objective.save_model` or `save_blend` wrote."""
    folder = Path(folder)
    if not is_blend(folder):
        return load_one(folder)
    with opened_parts(folder) as parts:
        return Blend(tuple((load_one(part), weight) for part, weight in parts))


def load_one(folder: Path) -> Predictor:
    """Loads what `Objective.save_model` wrote."""
    encoder = ColumnEncoder.from_json((folder / "encoder.json").read_text(encoding="utf-8"))
    models = read_models(folder)
    transforms = tuple(_transform(folder / f"fold_{k}.json") for k in range(len(models)))
    return Predictor(encoder, models, transforms, *load_learned(folder))


def _transform(path: Path) -> TargetTransform:
    return TargetTransform.from_json(path.read_text(encoding="utf-8")) if path.exists() else TargetTransform()
