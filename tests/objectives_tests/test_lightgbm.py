from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from objectives import predictor
from objectives.data.folds import Fold, make_folds
from objectives.data.metrics import METRICS
from objectives.data.read import read_table
from objectives.models import boosting
from objectives.models.lightgbm import LightGBMObjective

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.data.dataset import Dataset
    from tests.objectives_tests.conftest import Competition, Listener

FAST = {"learning_rate": 0.2, "num_leaves": 7, "min_data_in_leaf": 5}
REFUSED = ["面積(㎡)", "a[0]", "a_0_", 'say "hi"', "c:d,e", "{json}", "two words", "tab\there"]


def bind(
    dataset: Dataset, *, folds: tuple[Fold, ...] | None = None, metric: str | None = None, seed: int = 1
) -> LightGBMObjective:
    """The objective on three folds."""
    folds = folds or make_folds(dataset.target, dataset.task, 3, seed=0)
    scored = METRICS[metric] if metric else dataset.metric
    return LightGBMObjective(dataset, folds, scored, seed=seed, threads=1)


@pytest.fixture
def big(competition: Competition) -> Dataset:
    """1,500 rows with holes, a category of 300 levels and a rare one: what binning may merge."""
    rng = np.random.default_rng(3)
    n = 2000
    street = rng.integers(0, 300, n).astype(str)
    area = np.where(rng.random(n) < 0.2, np.nan, rng.uniform(15, 90, n))
    kind = np.where(rng.random(n) < 0.002, "castle", rng.choice(["flat", "house"], n))
    rent = np.nan_to_num(area, nan=30) + street.astype(int) / 5 + (kind == "house") * 20 + rng.normal(0, 3, n)
    table = pd.DataFrame({"id": range(n), "area": area, "street": street, "kind": kind, "rent": rent})
    table.loc[rng.random(n) < 0.1, "kind"] = None
    competition.asked["categorical"] = ("street",)
    competition.train, competition.test = table[:1500], table[1500:].drop(columns="rent")
    return competition.load()


def test_any_column_name_works(competition: Competition, listen: type[Listener], tmp_path: Path) -> None:
    """Japanese names and names that LightGBM refuses go through fit, save and load."""
    rng = np.random.default_rng(0)
    for table in (competition.train, competition.test):
        for name in REFUSED:
            table[name] = rng.random(len(table)).round(3)
    objective = bind(competition.load())
    result = objective.evaluate(FAST, listen())
    folder = tmp_path / "模型 1"
    folder.mkdir()
    objective.save_model(result, folder)

    loaded = predictor.load(folder)

    assert set(REFUSED) < set(loaded.encoder.names)
    assert np.array_equal(loaded.predict(read_table(tmp_path / "test.csv")), result.test_prediction)


def test_the_saved_model_is_the_scored_one(big: Dataset, listen: type[Listener]) -> None:
    """Predicting a fold's rows from raw features gives the out-of-fold prediction of the binned ones."""
    objective = bind(big)
    result = objective.evaluate({**FAST, "min_data_in_leaf": 2, "cat_smooth": 1.0}, listen())

    for booster, (_, val) in zip(result.models, objective._folds, strict=True):
        assert booster.predict(big.train[val]) == pytest.approx(result.oof_prediction[val], rel=1e-9)


def test_the_order_within_a_fold_does_not_matter(big: Dataset, listen: type[Listener]) -> None:
    """Shuffled row positions give the same scores, each prediction at its own row."""
    folds = make_folds(big.target, big.task, 3, seed=0)
    rng = np.random.default_rng(5)
    shuffled = tuple(Fold(rng.permutation(train), rng.permutation(val)) for train, val in folds)

    ordered, mixed = (bind(big, folds=f).evaluate(FAST, listen()) for f in (folds, shuffled))

    assert np.array_equal(ordered.oof_prediction, mixed.oof_prediction)
    assert ordered.scores == pytest.approx(mixed.scores, rel=1e-12)


def test_min_data_in_leaf_may_vary(competition: Competition, listen: type[Listener]) -> None:
    """Data binned once keeps a feature that only small leaves can use."""
    rare = np.arange(60) % 6 == 0
    competition.train = competition.train[["id"]].assign(rare=rare.astype(int), rent=rare * 50.0)
    competition.test = competition.test[["id"]].assign(rare=1)
    competition.asked["task"] = "regression"
    objective = bind(competition.load())

    spreads = [
        float(np.ptp(objective.evaluate({**FAST, "min_data_in_leaf": n}, listen()).oof_prediction))
        for n in (30, 2, 30)
    ]

    assert spreads[0] == spreads[2] < 20 < spreads[1]


def test_the_seed_matters(big: Dataset, listen: type[Listener]) -> None:
    """Another seed draws other rows and features."""
    params = {**FAST, "bagging_fraction": 0.5}
    a, b = (bind(big, seed=seed).evaluate(params, listen()) for seed in (1, 2))

    assert not np.array_equal(a.oof_prediction, b.oof_prediction)


def test_fast_and_slow_learners_report_at_the_same_progress(big: Dataset, listen: type[Listener]) -> None:
    """A step is a fixed learning_rate x rounds, so a slow learner is not judged too early."""
    for rate in (0.05, 0.2):
        listener = listen()
        bind(big).evaluate({**FAST, "learning_rate": rate}, listener)
        for progress in listener.heard:
            assert progress.step // boosting.STEPS_PER_FOLD == progress.fold
            rung = progress.step % boosting.STEPS_PER_FOLD
            if rung < len(boosting.RUNGS):
                assert 0 <= progress.iteration * rate - boosting.RUNGS[rung] < rate + 1e-9


def test_early_stopping_keeps_the_best_round(big: Dataset, listen: type[Listener]) -> None:
    """Each fold model ends at its best round; later rounds are cut off, and the end itself is reported."""
    listener = listen()
    result = bind(big).evaluate(FAST, listener)
    rounds = [max(p.iteration for p in listener.heard if p.fold == k) for k in range(3)]

    assert [model.num_trees() for model in result.models] == list(result.best_iterations)
    assert {7, 15, 23} < {progress.step for progress in listener.heard}
    assert all(0 < best < ran for best, ran in zip(result.best_iterations, rounds, strict=True))


def test_nothing_to_learn_is_the_mean(competition: Competition, listen: type[Listener]) -> None:
    """Where no split is possible, every prediction is the mean and no feature matters."""
    dataset = competition.load()
    result = bind(dataset).evaluate({**FAST, "min_data_in_leaf": 200}, listen())

    assert result.test_prediction == pytest.approx(dataset.target.mean(), rel=0.2)
    assert np.ptp(result.test_prediction) == 0
    assert result.importance.tolist() == [0, 0, 0]


def test_categorical_parameters_need_categories(competition: Competition) -> None:
    """The categorical parameters are searched only where there are categories."""
    with_text = set(bind(competition.load()).space())
    for table in (competition.train, competition.test):
        del table["kind"]

    assert with_text - set(bind(competition.load()).space()) == {"cat_smooth", "cat_l2", "max_cat_threshold"}


@pytest.mark.parametrize("metric", ["rmse", "mae", "mape", "rmsle", "r2"])
def test_every_regression_metric_can_be_searched(big: Dataset, listen: type[Listener], metric: str) -> None:
    """Any metric of the task runs to its end and keeps the better round by its own direction."""
    listener = listen()
    result = bind(big, metric=metric).evaluate(FAST, listener)

    first = listener.heard[0].value
    assert METRICS[metric].is_better(result.scores[0], first)


def test_unbalanced_classes_do_not_diverge_with_enough_hessian(
    competition: Competition, listen: type[Listener]
) -> None:
    """The parameter that tames unbalanced classes is in the space and does its work."""
    rng = np.random.default_rng(0)
    n = 900
    label = np.repeat(np.arange(6), [600, 150, 60, 40, 30, 20])
    table = pd.DataFrame(
        {"id": range(n), "x": label + rng.normal(0, 2, n), "z": rng.random(n), "rent": label}
    )
    competition.train = table.sample(frac=1, random_state=0)
    competition.test = competition.train.drop(columns="rent").assign(id=lambda t: t["id"] + n)
    competition.asked["task"] = "multiclass"
    dataset = competition.load()
    objective = bind(dataset)
    shares = np.bincount(dataset.target.astype(int)) / n
    params = {**objective.default_params(), "min_sum_hessian_in_leaf": 1.0}

    assert objective.evaluate(params, listen()).mean < -np.sum(shares * np.log(shares))
