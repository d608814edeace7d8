"""What a fold is fitted on: labels, weights and loss, learned from its training rows alone."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from objectives import predictor
from objectives.data.approach import Approach, losses_for
from objectives.data.folds import make_folds
from objectives.data.metrics import METRICS
from objectives.data.own_metric import find_own
from objectives.data.read import read_table
from objectives.data.split.sampling import sample_rows
from objectives.models.fold_labels import make_labelling
from objectives.models.lightgbm import LightGBMObjective

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.data.dataset import Dataset
    from tests.objectives_tests.conftest import Competition, Listener

FAST = {"learning_rate": 0.2, "num_leaves": 7, "min_data_in_leaf": 5}
TRANSFORMS = ("none", "log1p", "sqrt", "quantile", "per:area")
N_SPLITS = 3


@pytest.fixture
def dataset(competition: Competition) -> Dataset:
    """300 skewed rents that are mostly area times a rate, every loss and transform allowed."""
    rng = np.random.default_rng(3)
    n = 400
    area, age = rng.uniform(15, 90, n).round(1), rng.integers(0, 50, n)
    rent = (area * 30 * np.exp(-age / 60) * rng.lognormal(0, 0.15, n)).round(2)
    table = pd.DataFrame({"id": range(n), "area": area, "age": age, "rent": rent})
    competition.train, competition.test = table[:300], table[300:].drop(columns="rent")
    losses = tuple(name for name in losses_for("regression") if name not in ("poisson", "tweedie", "gamma"))
    competition.asked |= {"task": "regression", "losses": losses, "transforms": TRANSFORMS}
    return competition.load()


def bind(dataset: Dataset, metric: str = "rmse") -> LightGBMObjective:
    """The objective on three folds."""
    folds = make_folds(dataset.target, dataset.task, N_SPLITS, seed=0)
    return LightGBMObjective(dataset, folds, METRICS[metric], seed=1, threads=1)


def with_losses(dataset: Dataset, *losses: str) -> Dataset:
    """The same data with other losses to choose from, on the plain target."""
    return replace(dataset, approach=Approach(losses))


def test_several_are_parameters(dataset: Dataset) -> None:
    """Of several losses and transforms the search chooses; what only one loss has is searched with it."""
    space = bind(dataset).space()

    assert space["loss"].choices == dataset.approach.losses  # type: ignore[attr-defined]
    assert space["target_transform"].choices == TRANSFORMS  # type: ignore[attr-defined]
    assert {"huber_delta", "fair_scale", "quantile_alpha"} < set(space)
    assert "tweedie_variance_power" not in space
    single = set(bind(with_losses(dataset, "tweedie")).space())
    assert "tweedie_variance_power" in single
    assert not {"loss", "target_transform"} & single


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_all_is_on_the_targets_own_scale(
    dataset: Dataset, listen: type[Listener], tmp_path: Path, competition: Competition, transform: str
) -> None:
    """Scores, out-of-fold and test predictions and the served model speak of rents, whatever is trained on."""
    objective, listener = bind(dataset), listen()
    result = objective.evaluate({**FAST, "loss": "l2", "target_transform": transform}, listener)
    objective.save_model(result, tmp_path)

    scores = [METRICS["rmse"].score(dataset.target[v], result.oof_prediction[v]) for _, v in objective._folds]
    assert tuple(scores) == result.scores
    assert listener.heard[-1].value == pytest.approx(result.mean, rel=1e-12)
    assert result.mean < np.std(dataset.target) / 2
    served = predictor.load(tmp_path).predict(read_table(competition.files().test))
    assert np.array_equal(served, result.test_prediction)
    assert len(result.transforms) == (0 if transform == "none" else N_SPLITS)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_stages_of_boosting_are_scored_without_predicting_anew(
    dataset: Dataset, listen: type[Listener], transform: str
) -> None:
    """The prediction kept at the best round is that of the model cut there, on the target's own scale."""
    objective = bind(dataset)
    result = objective.evaluate({**FAST, "loss": "l2", "target_transform": transform}, listen())
    labelling, _ = make_labelling({"loss": "l2", "target_transform": transform}, dataset)

    import lightgbm as lgb

    for model, (train, val) in zip(result.models, objective._folds, strict=True):
        labels = labelling.fit(np.sort(train), val)
        read_back = labels.validation(np.asarray(lgb.Booster(model_str=model).predict(dataset.train[val])))
        assert read_back == pytest.approx(result.oof_prediction[val], rel=1e-9)


@pytest.mark.parametrize("loss", losses_for("regression"))
@pytest.mark.parametrize("metric", ["rmse", "smape"])
def test_every_loss_learns(dataset: Dataset, listen: type[Listener], loss: str, metric: str) -> None:
    """Each loss gets well below the best constant, by a metric that is not its own."""
    plain = with_losses(dataset, loss)
    result = bind(plain, metric).evaluate(FAST, listen())
    score = METRICS[metric].score
    constants = [score(dataset.target, np.full(300, c)) for c in np.quantile(dataset.target, [0.3, 0.5, 0.7])]

    assert result.mean < min(constants) * 0.75


@pytest.mark.parametrize("transform", ["none", "per:area"])
@pytest.mark.parametrize("scale", [1.0, 1e5])
def test_the_relative_error_is_learned_on_any_scale(
    dataset: Dataset, listen: type[Listener], transform: str, scale: float
) -> None:
    """MAPE's loss is not drowned by regularisation where targets are large, and beats the absolute error's."""
    large = replace(dataset, target=dataset.target * scale)
    scores = {
        loss: bind(large, "mape")
        .evaluate({**FAST, "lambda_l1": 0.05, "loss": loss, "target_transform": transform}, listen())
        .mean
        for loss in ("mape", "l2")
    }

    assert scores["mape"] < scores["l2"]


def test_weights_are_those_of_the_relative_error(dataset: Dataset) -> None:
    """An error in rent per unit weighs what it is of the rent; a target of next to nothing does not outweigh all."""
    target = dataset.target.copy()
    target[0] = 0.0
    labelling, _ = make_labelling(
        {"loss": "mape", "target_transform": "per:area"}, replace(dataset, target=target)
    )
    weights = labelling.fit(np.arange(200), np.arange(200, 300)).weights

    assert weights is not None
    expected = dataset.divisors["area"].train[1:200] / target[1:200]
    assert weights[1:] / weights[1] == pytest.approx(expected / expected[0])
    assert weights.mean() == pytest.approx(1)
    assert weights[0] < 120 * weights[1:].mean()


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("loss", ["l2", "huber", "mape"])
def test_nothing_is_learned_from_the_validation_rows(dataset: Dataset, transform: str, loss: str) -> None:
    """Other targets in a fold's validation part change neither labels nor weights, loss, or the way back."""
    params = {"loss": loss, "target_transform": transform}
    train, val = np.arange(200), np.arange(200, 300)
    spoiled = dataset.target.copy()
    spoiled[val] = spoiled[val] * 1000 + 1
    (honest, _), (other, _) = (
        make_labelling(params, data) for data in (dataset, replace(dataset, target=spoiled))
    )

    ours, theirs = honest.fit(train, val), other.fit(train, val)

    assert ours.transform.to_json() == theirs.transform.to_json()
    assert ours.params == theirs.params
    for name in ("labels", "weights"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))


def test_a_permuted_target_cannot_be_learned(dataset: Dataset, listen: type[Listener]) -> None:
    """With its rows shuffled, a learned transform scores like a constant: nothing crosses from fold to fold."""
    rng = np.random.default_rng(11)
    shuffled = replace(dataset, target=rng.permutation(dataset.target))
    trivial = float(np.std(shuffled.target))
    scores = [
        bind(shuffled)
        .evaluate({**FAST, "num_leaves": leaves, "loss": loss, "target_transform": "quantile"}, listen())
        .mean
        for leaves in (4, 31)
        for loss in ("l2", "l1")
    ]

    assert min(scores) > trivial * 0.96


def test_the_result_repeats_to_the_bit(dataset: Dataset, listen: type[Listener]) -> None:
    """A configuration gives the same models and predictions again, whatever was evaluated between, and by a copy."""
    objective = bind(dataset)
    params: dict[str, Any] = {**objective.default_params(), "loss": "fair", "target_transform": "quantile"}
    first = objective.evaluate(params, listen())
    objective.evaluate({**params, "loss": "mape", "target_transform": "per:area"}, listen())

    for again in (objective, pickle.loads(pickle.dumps(objective))):  # noqa: S301 - we have just written it
        result = again.evaluate(params, listen())
        assert (result.oof_hash, result.model_hash) == (first.oof_hash, first.model_hash)


def test_another_transform_is_another_model(dataset: Dataset, listen: type[Listener]) -> None:
    """The hash of a model covers the way back: equal trees behind another transform are not equal models."""
    result = bind(dataset).evaluate({**FAST, "loss": "l2", "target_transform": "log1p"}, listen())

    assert replace(result, transforms=(), model_hash="").model_hash != result.model_hash


def test_an_own_metric_is_searched(dataset: Dataset, listen: type[Listener]) -> None:
    """A user's function scores each round, on the target's own scale, by its own direction."""
    code = "def near(y, p):\n    return float((abs(y - p) < 200).mean())\n"
    metric = replace(find_own("near.py:near", code=code), greater_is_better=True)
    folds = make_folds(dataset.target, dataset.task, N_SPLITS, seed=0)
    objective = LightGBMObjective(dataset, folds, metric, seed=1, threads=1)
    listener = listen()
    result = objective.evaluate({**FAST, "target_transform": "log1p"}, listener)

    oof = result.oof_prediction
    assert result.scores[0] == float((abs(dataset.target - oof) < 200)[folds[0].val_idx].mean())
    assert result.mean > listener.heard[0].value


def test_an_own_metric_that_breaks_later_is_named(dataset: Dataset, listen: type[Listener]) -> None:
    """What the user's function raises in a trial reaches the trial's reason as it is."""
    metric = find_own("broken.py:broken", code="def broken(y, p):\n    return y.absent\n")
    folds = make_folds(dataset.target, dataset.task, N_SPLITS, seed=0)
    objective = LightGBMObjective(dataset, folds, metric, seed=1, threads=1)

    with pytest.raises(AttributeError, match="absent"):
        objective.evaluate(FAST, listen())


def test_a_row_without_the_divisor_has_no_prediction(
    dataset: Dataset, listen: type[Listener], tmp_path: Path
) -> None:
    """The served model says NaN where rent per square metre cannot become a rent, and predicts the other rows."""
    objective = bind(dataset)
    objective.save_model(objective.evaluate({**FAST, "target_transform": "per:area"}, listen()), tmp_path)
    rows = pd.DataFrame({"area": [30.0, None, 50.0], "age": [5, 5, 5]})

    prediction = predictor.load(tmp_path).predict(rows)

    assert np.isnan(prediction).tolist() == [False, True, False]
    assert np.isnan(predictor.load(tmp_path).predict(rows[["age"]])).all()


def test_a_sample_of_rows_keeps_what_they_are_divided_by(dataset: Dataset) -> None:
    """A comparison on fewer rows divides each target by its own row's value."""
    sample = sample_rows(dataset, 100, seed=0)
    area = sample.encoder.names.index("area")

    assert np.array_equal(sample.divisors["area"].train, sample.train[:, area])
    assert np.array_equal(sample.divisors["area"].test, sample.test[:, area])
