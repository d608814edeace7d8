from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import Progress
    from objectives.data.checks import DataFiles
    from objectives.data.dataset import Dataset

N_TRAIN, N_TEST = 60, 20


@dataclass
class Competition:
    """Two small tables to spoil, and what is asked of them; written to files only when loaded."""

    folder: Path
    train: pd.DataFrame
    test: pd.DataFrame
    asked: dict[str, Any] = field(default_factory=dict)

    def files(self, suffix: str = ".csv", **how: Any) -> DataFiles:
        """Writes both tables in the format of the suffix."""
        from objectives.data.checks import DataFiles

        paths = self.folder / f"train{suffix}", self.folder / f"test{suffix}"
        for path, table in zip(paths, (self.train, self.test), strict=True):
            if suffix == ".parquet":
                table.to_parquet(path)
            else:
                table.to_csv(path, index=False, **how)
        return DataFiles(*paths, **{"target": "rent", "id": "id", **self.asked})

    def load(self, suffix: str = ".csv", **how: Any) -> Dataset:
        """Writes and loads."""
        from objectives.data.dataset import load_dataset

        return load_dataset(self.files(suffix, **how))


@pytest.fixture
def competition(tmp_path: Path) -> Competition:
    """A sound regression competition: zero-padded ids, a number, a date and a text column."""
    table = _listings(N_TRAIN + N_TEST)
    train, test = table.iloc[:N_TRAIN], table.iloc[N_TRAIN:].drop(columns="rent")
    return Competition(tmp_path, train.reset_index(drop=True), test.reset_index(drop=True))


def _listings(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    area = rng.uniform(15, 90, n).round(2)
    return pd.DataFrame(
        {
            "id": [f"{i:06d}" for i in range(n)],
            "area": np.where(rng.random(n) < 0.1, np.nan, area),
            "built": [f"{1990 + i % 30}-0{1 + i % 9}-1{i % 10}" for i in range(n)],
            "kind": rng.choice(["flat", "house", "room"], n),
            "rent": (1000 * area + rng.normal(0, 5000, n)).round(0),
        }
    )


class Listener:
    """A report line that keeps what it hears, and may say stop.

    Args:
        stop_at: Answers stop to the report with this number, counted from 1.
        stopped: What `stopped` answers.
    """

    def __init__(self, stop_at: int | None = None, *, stopped: bool = False) -> None:
        self.heard: list[Progress] = []
        self._stop_at = stop_at
        self._stopped = stopped

    def __call__(self, progress: Progress) -> bool:
        """Hears a report."""
        self.heard.append(progress)
        return len(self.heard) == self._stop_at

    def stopped(self) -> bool:
        """Whether a stop came between two reports."""
        return self._stopped


@pytest.fixture(scope="session")
def listen() -> type[Listener]:
    """Makes report lines."""
    return Listener
