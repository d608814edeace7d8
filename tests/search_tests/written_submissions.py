"""A project with written submissions, without a search: as the commands find it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.layout import Layout
from storage.submission.drift import summarise
from storage.submission.form import Wanted
from storage.submission.reading import read_format
from storage.submission.writing import oof_values, write_submission
from storage.submission_records import keep_contract, remember

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IDS = tuple(f"{number:06d}" for number in range(50))
SAMPLE = "".join(f"{name},0\n" for name in IDS).encode()


@dataclass(frozen=True)
class Written:
    """A folder with submissions.

    Attributes:
        home: The folder.
    """

    home: Path

    @property
    def layout(self) -> Layout:
        """Its paths."""
        return Layout(self.home)

    def submission(
        self, trial: int, score: float, prediction: NDArray[np.float64] | None = None, **facts: Any
    ) -> Path:
        """Writes a trial's submission, in a headerless format, and remembers it."""
        form = read_format(SAMPLE, Wanted(IDS, target="money_room"))
        values = predictions(trial) if prediction is None else prediction
        path = self.home / "loose" / f"trial_{trial}.csv"
        path.parent.mkdir(exist_ok=True)
        write_submission(path, values, form)
        made = {
            "kind": "trial",
            "study": "rents",
            "trial": trial,
            "run": f"trial_{trial:05d}",
            "metric": "rmse",
            "greater_is_better": False,
            "score": score,
            "std": 0.5,
            "n_folds": 5,
            "n_train": 200,
            "data_fingerprint": "f00d",
            "contract": keep_contract(self.layout, form),
            "oof": [one.to_json() for one in summarise(oof_values(predictions(0), form), form)],
        }
        remember(self.layout, path, made | facts)
        return path


def predictions(trial: int) -> NDArray[np.float64]:
    """Predictions of a trial, of its own and yet like the others'."""
    rng = np.random.default_rng(0)
    common = rng.normal(100, 10, len(IDS))
    return common + np.random.default_rng(trial + 1).normal(0, 2, len(IDS))
