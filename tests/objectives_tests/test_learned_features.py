from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from objectives import predictor
from objectives.data.checks import DataFiles
from objectives.data.dataset import load_dataset
from objectives.data.features.choice import FeatureChoice
from objectives.data.folds import Fold, make_folds
from objectives.data.split.sampling import sample_rows
from objectives.models.fold_labels import make_labelling
from objectives.models.lightgbm import LightGBMObjective

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import CVResult
    from objectives.data.dataset import Dataset
    from tests.objectives_tests.conftest import Listener

OWN = """
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


def features(train, test):
    return tuple(table.assign(square=table["area"] ** 2)[["square"]] for table in (train, test))


class MeanByFloor(TransformerMixin, BaseEstimator):
    def fit(self, rows, target):
        self.means_ = np.array([target[rows["floor"] == floor].mean() for floor in range(5)])
        return self

    def transform(self, rows):
        return self.means_[rows["floor"].to_numpy()][:, None]


transformer = MeanByFloor()
"""
N = 300


def every_kind(n: int, seed: int) -> pd.DataFrame:
    """A table with a column of every kind, and a target that some of them tell."""
    rng = np.random.default_rng(seed)
    area, city = rng.uniform(15, 90, n), rng.integers(0, 30, n)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "area": area,
            "floor": rng.integers(0, 5, n),
            "kind": rng.choice(["flat", "house"], n),
            "city": [f"市{i}" for i in city],
            "tags": [
                "/".join(sorted(rng.choice(list("abcdefgh"), rng.integers(1, 6), replace=False)))
                for _ in range(n)
            ],
            "note": [
                f"駅から徒歩{i}分の明るい部屋です。ペット相談可、バストイレ別。{'南向き' * (i % 4)}"
                for i in range(n)
            ],
            "built": rng.integers(1980, 2020, n) * 100 + rng.integers(1, 13, n),
            "listed": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "lat": rng.uniform(35, 36, n),
            "lon": rng.uniform(139, 140, n),
            "rent": 100 * area + 500 * (city % 9) + rng.normal(0, 500, n),
        }
    )


@dataclass(frozen=True)
class Case:
    """A data set with every kind of feature, and its default configuration cross-validated."""

    dataset: Dataset
    objective: LightGBMObjective
    result: CVResult
    raw_test: pd.DataFrame


def load(folder: Path, table: pd.DataFrame, **choice: Any) -> Dataset:
    """Writes the table as a competition with a user's own features, and loads it."""
    (folder / "mine.py").write_text(OWN, encoding="utf-8")
    table.iloc[:N].to_csv(folder / "train.csv", index=False)
    table.iloc[N:].drop(columns="rent").to_csv(folder / "test.csv", index=False)
    choices = FeatureChoice(own=folder / "mine.py", **choice)
    return load_dataset(DataFiles(folder / "train.csv", folder / "test.csv", "rent", "id", choice=choices))


def objective_of(dataset: Dataset) -> LightGBMObjective:
    """Bound to three folds."""
    folds = make_folds(dataset.target, dataset.task, 3, seed=0)
    return LightGBMObjective(dataset, folds, dataset.metric, seed=0, threads=1)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, listen: type[Listener]) -> Case:
    """Every kind of feature, evaluated once."""
    folder = tmp_path_factory.mktemp("kinds")
    dataset = load(folder, every_kind(N + 60, seed=0), target_encode=("city",), calendar=("listed",))
    objective = objective_of(dataset)
    result = objective.evaluate(objective.default_params(), listen())
    return Case(dataset, objective, result, pd.read_csv(folder / "test.csv"))


def test_every_kind_is_there(case: Case) -> None:
    """The case has what it says: all kinds found out, and both kinds of learned features."""
    kinds = {part.kind for part in case.dataset.encoder.columns}

    assert kinds == {"number", "category", "date", "date_parts", "months", "tags", "text", "geo"}
    assert case.dataset.learned.names == ("city.target", "transformer.0")
    assert len(case.result.importance) == len(case.dataset.feature_names)
    assert case.result.importance[case.dataset.feature_names.index("city.target")] > 0.01


def test_the_served_model_of_folds_that_go_forward_in_time(
    case: Case, listen: type[Listener], tmp_path: Path
) -> None:
    """One model of all rows is submitted there, and what it has learned of all rows is saved with it."""
    half = N // 2
    folds = (
        Fold(np.arange(half), np.arange(half, half + 50)),
        Fold(np.arange(half + 50), np.arange(half + 50, N)),
    )
    objective = LightGBMObjective(case.dataset, folds, case.dataset.metric, seed=0, threads=1)
    result = objective.evaluate(objective.default_params(), listen())
    objective.save_model(result, tmp_path)

    assert len(result.models) == 1
    assert np.array_equal(predictor.load(tmp_path).predict(case.raw_test), result.test_prediction)


def test_the_served_model_is_the_scored_one(case: Case, tmp_path: Path) -> None:
    """From raw rows the saved model predicts to the bit what was submitted, row by row too; and has no pickle."""
    case.objective.save_model(case.result, tmp_path)
    served = predictor.load(tmp_path)

    assert np.array_equal(served.predict(case.raw_test), case.result.test_prediction)
    assert np.array_equal(served.predict(case.raw_test.iloc[5:6]), case.result.test_prediction[5:6])
    assert {path.suffix for path in tmp_path.iterdir()} == {".txt", ".json", ".py", ".skops"}


def test_any_process_gives_the_same(case: Case, listen: type[Listener]) -> None:
    """Sent to another process the objective learns the same again, from what it carries."""
    sent = pickle.loads(pickle.dumps(case.objective))  # noqa: S301 - our own bytes

    again = sent.evaluate(sent.default_params(), listen())

    assert again.model_hash == case.result.model_hash
    assert again.oof_hash == case.result.oof_hash


def test_learned_columns_are_binned_as_all_at_once(case: Case) -> None:
    """Added to the binned data, the learned columns make the model that binning everything together makes."""
    dataset, fold = case.dataset, case.objective._folds[1]
    labelling, _ = make_labelling({}, dataset)
    rows = case.objective._rows.of(1, labelling)
    columns = dataset.learned.in_fold(fold, case.objective._folds, dataset.target)
    together = lgb.Dataset(
        np.hstack([dataset.train, columns.train]),
        dataset.target,
        categorical_feature=dataset.encoder.categorical,
        params={"max_bin": 255, "feature_pre_filter": False, "verbosity": -1, "num_threads": 1},
    )
    params = {"verbosity": -1, "num_threads": 1, "deterministic": True, "force_col_wise": True}

    models = [lgb.train(params, data, 20) for data in (rows.train, together)]

    one, other = (model.predict(rows.test) for model in models)
    assert np.array_equal(one, other)


def test_some_rows_are_learned_alone(case: Case) -> None:
    """A sample of the data takes the raw material of its learned features along."""
    sample = sample_rows(case.dataset, N // 2, seed=0)
    folds = make_folds(sample.target, sample.task, 2, seed=0)

    columns = sample.learned.in_fold(folds[0], folds, sample.target)

    assert (len(columns.train), len(columns.test)) == (len(sample.train), len(sample.test))
    assert len(sample.train) < N


def test_a_fold_is_learned_once(case: Case) -> None:
    """What a fold learns is kept for the process, not learned again by each trial."""
    labelling, _ = make_labelling({}, case.dataset)

    assert case.objective._rows.of(0, labelling).train is case.objective._rows.of(0, labelling).train


@pytest.mark.slow
def test_a_permuted_target_teaches_nothing(tmp_path: Path, listen: type[Listener]) -> None:
    """The best of 50 trials on a permuted target is trivial but for noise: nothing learned leaks between folds."""
    import optuna

    table = every_kind(N + 20, seed=1)
    table["rent"] = np.random.default_rng(5).permutation(table["rent"])
    dataset = load(tmp_path, table, target_encode=("city", "kind"), calendar=("listed",))
    objective = objective_of(dataset)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    for _ in range(50):
        trial = study.ask(objective.space())
        study.tell(trial, objective.evaluate(trial.params, listen()).mean)

    trivial = np.mean(
        [
            np.sqrt(np.mean((dataset.target[fold.val_idx] - dataset.target[fold.train_idx].mean()) ** 2))
            for fold in objective._folds
        ]
    )
    # A score of n rows has a standard error of 1 / sqrt(2 n) of itself.
    assert study.best_value > trivial * (1 - 2 / np.sqrt(2 * N))
