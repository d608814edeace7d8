from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from objectives import predictor
from objectives.base import find_objective
from objectives.blend import is_blend, save_blend
from objectives.data.folds import make_folds
from objectives.data.read import read_table
from objectives.models.saved_model import model_requirements

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import FloatArray
    from tests.objectives_tests.conftest import Competition, Listener

OBJECTIVES = ("lightgbm", "linear", "extra_trees")
WEIGHTS = (0.7, 1 / 6, 2 / 15)


@pytest.fixture(params=["regression", "multiclass"])
def blend(
    request: pytest.FixtureRequest, competition: Competition, listen: type[Listener], tmp_path: Path
) -> tuple[Path, FloatArray]:
    """A saved blend of three objectives' defaults, and the same mean of what they predicted in the search."""
    if request.param == "multiclass":
        competition.train["rent"] = competition.train.pop("kind").to_numpy()
        competition.test = competition.test.drop(columns="kind")
    dataset = competition.load()
    folds = make_folds(dataset.target, dataset.task, 3, seed=0)
    parts, expected = [], np.zeros(1)
    for k, (name, weight) in enumerate(zip(OBJECTIVES, WEIGHTS, strict=True)):
        objective = find_objective(name)(dataset, folds, dataset.metric, seed=1, threads=1)
        result = objective.evaluate(objective.default_params(), listen())
        source = tmp_path / f"source {k}"
        source.mkdir()
        objective.save_model(result, source)
        with zipfile.ZipFile(tmp_path / f"{k}.zip", "w") as packed:
            for file in source.rglob("*"):
                packed.write(file, file.relative_to(source))
        parts.append((tmp_path / f"{k}.zip", weight))
        expected = expected + weight * result.test_prediction if k else weight * result.test_prediction
    folder = tmp_path / "blend"
    folder.mkdir()
    save_blend(parts, folder)
    return folder, expected


def test_a_saved_blend_predicts_raw_rows(blend: tuple[Path, FloatArray], tmp_path: Path) -> None:
    """Loaded and given the raw test file, a blend predicts the mean of its parts' predictions, to the bit."""
    folder, expected = blend
    raw = read_table(tmp_path / "test.csv")
    assert is_blend(folder)
    assert np.array_equal(predictor.load(folder).predict(raw), expected)


def test_a_saved_blend_can_be_moved(blend: tuple[Path, FloatArray], tmp_path: Path) -> None:
    """The folder holds all it needs, and loading it leaves nothing behind in it."""
    folder, expected = blend
    moved = folder.rename(tmp_path / "移した 場所")
    before = sorted(moved.rglob("*"))
    for part in tmp_path.glob("*.zip"):
        part.unlink()
    assert np.array_equal(predictor.load(moved).predict(read_table(tmp_path / "test.csv")), expected)
    assert sorted(moved.rglob("*")) == before


def test_a_blend_needs_what_its_parts_need(blend: tuple[Path, FloatArray]) -> None:
    """The packages of all parts, each once."""
    needed = model_requirements(blend[0])
    assert "lightgbm" in needed
    assert len(needed) == len({*needed}) > 1


def test_a_saved_blend_has_no_pickle(blend: tuple[Path, FloatArray]) -> None:
    """A blend is weights as JSON and its parts' own files, none of them a pickle."""
    folder, _ = blend
    for path in folder.glob("*.zip"):
        with zipfile.ZipFile(path) as packed:
            contents = [packed.read(name) for name in packed.namelist()]
        assert contents
        assert not any(content.startswith(b"\x80") for content in contents)
    assert {path.suffix for path in folder.iterdir()} == {".json", ".zip"}
