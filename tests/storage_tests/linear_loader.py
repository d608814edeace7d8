"""The smallest model there is: a JSON of coefficients, for the tests of packing and registering."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class LinearPredictor:
    """Sums coefficient x column; a column that is absent, or a value that is no number, counts as 0."""

    coefficients: dict[str, float]

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Returns shape (n,) for a frame of n rows."""
        import pandas as pd

        total = np.zeros(len(frame))
        for name, coefficient in self.coefficients.items():
            if name in frame:
                total += coefficient * pd.to_numeric(frame[name], errors="coerce").fillna(0).to_numpy(float)
        return total


def load(folder: Path) -> LinearPredictor:
    """Reads `coefficients.json`."""
    return LinearPredictor(json.loads((folder / "coefficients.json").read_text(encoding="utf-8")))
