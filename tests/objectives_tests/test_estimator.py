"""Estimators of scikit-learn's kind as objectives of one's own, the documented example among them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from objectives import predictor
from objectives.data.checks import DataFiles
from objectives.data.dataset import load_dataset
from objectives.data.folds import make_folds
from objectives.data.read import read_table
from objectives.models.estimator import EstimatorModel, EstimatorObjective
from objectives.own_objective import find_own_objective
from tests.documented_example import NAME, PLACE, example

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.distributions import BaseDistribution

    from objectives.base import Objective, Params
    from objectives.models.fold_model import FoldData
    from tests.conftest import CsvPair
    from tests.objectives_tests.conftest import Listener

_PREDICT = """
import sys, numpy as np
from pathlib import Path
from objectives import predictor
from objectives.data.read import read_table
np.save(sys.argv[3], predictor.load(Path(sys.argv[1])).predict(read_table(Path(sys.argv[2]))))
"""


class Bayes(EstimatorObjective):
    """Needs numbers in each cell, which these data have."""

    name = "bayes"

    def own_space(self) -> dict[str, BaseDistribution]:
        """One parameter."""
        from optuna.distributions import FloatDistribution

        return {"var_smoothing": FloatDistribution(1e-12, 1e-3, log=True)}

    def own_defaults(self) -> dict[str, float]:
        """As scikit-learn has it."""
        return {"var_smoothing": 1e-9}

    def estimator(self, params: Params, data: FoldData) -> GaussianNB:
        """Naive Bayes."""
        assert data.n_classes
        return GaussianNB(**params)


def _bind(factory: type[Objective], pair: CsvPair) -> Objective:
    dataset = load_dataset(DataFiles(pair.train, pair.test, pair.target, pair.id))
    folds = make_folds(dataset.target, dataset.task, 2, seed=0)
    return factory(dataset, folds, dataset.metric, seed=1, threads=1)  # type: ignore[call-arg]


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Objective]:
    """The class of the guide, whose file is gone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).write_text(example(), encoding="utf-8")
    found: type[Objective] = find_own_objective(PLACE)  # type: ignore[assignment]
    (tmp_path / NAME).unlink()
    return found


def test_the_example_is_short() -> None:
    """Twenty lines and a few are enough."""
    assert sum(bool(line.strip()) for line in example().splitlines()) <= 22


def test_the_example_is_served_where_nobody_has_the_file(
    documented: type[Objective], lucas_csvs: CsvPair, listen: type[Listener], tmp_path: Path
) -> None:
    """It learns, fits the same again, and its saved model, with the class, predicts raw rows elsewhere, to the bit."""
    objective = _bind(documented, lucas_csvs)
    result = objective.evaluate(objective.default_params(), listen())
    folder, served = tmp_path / "model", tmp_path / "served.npy"
    folder.mkdir()
    objective.save_model(result, folder)
    assert objective.evaluate(objective.default_params(), listen()).model_hash == result.model_hash
    subprocess.run([sys.executable, "-c", _PREDICT, folder, lucas_csvs.test, served], check=True)

    assert np.array_equal(np.load(served), result.test_prediction)
    assert lucas_csvs.test_target is not None
    assert np.corrcoef(result.test_prediction, lucas_csvs.test_target)[0, 1] > 0.7


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_classes_are_predicted_as_probabilities(
    kind: str, request: pytest.FixtureRequest, listen: type[Listener], tmp_path: Path
) -> None:
    """A classifier predicts the second class's probability or those of all classes; its model is found by module."""
    pair: CsvPair = request.getfixturevalue(f"{kind}_csvs")
    objective = _bind(Bayes, pair)
    result = objective.evaluate(objective.default_params(), listen())
    objective.save_model(result, tmp_path)
    prediction = predictor.load(tmp_path).predict(read_table(pair.test))

    assert np.array_equal(prediction, result.test_prediction)
    assert prediction.ndim == (1 if kind == "binary" else 2)
    assert prediction.min() >= 0
    assert prediction.max() <= 1


def test_a_model_of_strangers_is_not_read() -> None:
    """Only parts of scikit-learn, numpy and scipy are built anew from a model's file."""
    content = EstimatorModel(Bayes.__new__(Bayes), 0).to_bytes()

    with pytest.raises(ValueError, match=r"got a model with .*Bayes; allowed: parts of scikit-learn"):
        EstimatorModel.from_bytes(content)
