"""The folder of a saved model: encoders, fold models and what reads them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from objectives.base import find_objective
from objectives.blend import is_blend, opened_parts
from objectives.models.threads_limit import one_thread
from objectives.own_objective import OwnPlace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from objectives.base import CVResult, FloatArray
    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold
    from objectives.models.fold_model import Predicts

_SPEC = "objective.json"
_FIRST = "lightgbm"


class Kind(NamedTuple):
    """What made a model.

    Attributes:
        objective: Its name; `read_model` of its class reads the models.
        requirements: Packages that it needs.
        own: Where the class is, if it is the user's.
    """

    objective: str
    requirements: tuple[str, ...]
    own: OwnPlace | None = None


def save_model(kind: Kind, dataset: Dataset, folds: Sequence[Fold], result: CVResult, folder: Path) -> None:
    """Writes what `objectives.predictor.load` reads.

    Args:
        kind: What made the models.
        dataset: The data, whose encoders it takes.
        folds: Those that the models were fitted to.
        result: With the models.
        folder: Exists and is empty.
    """
    for k, model in enumerate(result.models):
        content = model.encode() if isinstance(model, str) else model
        (folder / f"fold_{k}.model").write_bytes(content)
    for k, transform in enumerate(result.transforms):
        (folder / f"fold_{k}.json").write_text(transform, encoding="utf-8")
    (folder / "encoder.json").write_text(dataset.encoder.to_json(), encoding="utf-8")
    dataset.learned.save(folds, dataset.target, folder)
    spec = {**kind._asdict(), "own": None if kind.own is None else asdict(kind.own)}
    (folder / _SPEC).write_text(json.dumps(spec), encoding="utf-8")


def model_requirements(folder: Path) -> tuple[str, ...]:
    """Packages that a saved model, or any part of a blend, needs beside those that every one needs."""
    if is_blend(folder):
        with opened_parts(folder) as parts:
            needed = [package for part, _ in parts for package in model_requirements(part)]
        return tuple(dict.fromkeys(needed))
    spec = folder / _SPEC
    if not spec.is_file():
        return (_FIRST,)
    return tuple(json.loads(spec.read_text(encoding="utf-8"))["requirements"])


def read_models(folder: Path) -> tuple[Predicts, ...]:
    """The fold models of a folder, in the order of the folds."""
    spec = folder / _SPEC
    if not spec.is_file():
        return _lightgbm_models(folder)
    said = json.loads(spec.read_text(encoding="utf-8"))
    own = said.get("own")
    objective = find_objective(said["objective"]) if own is None else OwnPlace(**own).find()
    read = objective.read_model  # type: ignore[attr-defined]
    return tuple(_InOneThread(read(path.read_bytes())) for path in _in_order(folder, "*.model"))


@dataclass(frozen=True)
class _InOneThread:
    """A model that predicts here what it did in the search, to the bit."""

    model: Predicts

    def predict(self, rows: FloatArray, /) -> FloatArray:
        with one_thread():
            return np.asarray(self.model.predict(rows))


def _lightgbm_models(folder: Path) -> tuple[Predicts, ...]:
    """LightGBM's own text; a folder from before there were other objectives says nothing of which it is."""
    import lightgbm as lgb

    return tuple(lgb.Booster(model_file=path) for path in _in_order(folder, "*.txt"))


def _in_order(folder: Path, ending: str) -> list[Path]:
    return sorted(folder.glob(f"fold_{ending}"), key=lambda path: int(path.stem.removeprefix("fold_")))
