"""A saved model that takes raw rows: encoder and fold models, no pickle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from objectives.data.columns import ColumnEncoder

if TYPE_CHECKING:
    import lightgbm as lgb
    import pandas as pd

    from objectives.base import FloatArray


@dataclass(frozen=True)
class Predictor:
    """The mean of the fold models, fed through the encoder they were trained behind."""

    encoder: ColumnEncoder
    models: tuple[lgb.Booster, ...]

    def predict(self, frame: pd.DataFrame) -> FloatArray:
        """Predicts raw rows as in the test file.

        Returns:
            Shape (n,): numbers, or probabilities of the second class; (n, n_classes) for multiclass.
        """
        rows = self.encoder.transform(frame)
        # Summed in fold order, like the search does: the same float operations, the same submission.
        total = np.zeros(1)
        for model in self.models:
            total = total + np.asarray(model.predict(rows)) / len(self.models)
        return total


def load(folder: Path) -> Predictor:
    """Loads what `Objective.save_model` wrote."""
    import lightgbm as lgb

    folder = Path(folder)
    encoder = ColumnEncoder.from_json((folder / "encoder.json").read_text(encoding="utf-8"))
    paths = sorted(folder.glob("fold_*.txt"), key=lambda path: int(path.stem.removeprefix("fold_")))
    return Predictor(encoder, tuple(lgb.Booster(model_file=path) for path in paths))
