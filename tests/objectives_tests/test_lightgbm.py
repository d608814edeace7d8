from __future__ import annotations

import gc
import math
import pickle
from typing import TYPE_CHECKING

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from objectives import predictor
from objectives.base import EvaluationStopped
from objectives.data.folds import Fold, make_folds
from objectives.data.metrics import METRICS
from objectives.data.read import read_table
from objectives.models import ladder
from objectives.models.lightgbm import LightGBMObjective
from objectives.result_faults import result_fault

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import Params, Progress
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

    for model, (_, val) in zip(result.models, objective._folds, strict=True):
        booster = lgb.Booster(model_str=model)
        assert booster.predict(big.train[val]) == pytest.approx(result.oof_prediction[val], rel=1e-9)


def test_the_order_within_a_fold_does_not_matter(big: Dataset, listen: type[Listener]) -> None:
    """Shuffled row positions give the same scores, each prediction at its own row."""
    folds = make_folds(big.target, big.task, 3, seed=0)
    rng = np.random.default_rng(5)
    shuffled = tuple(Fold(rng.permutation(train), rng.permutation(val)) for train, val in folds)

    ordered, mixed = (bind(big, folds=f).evaluate(FAST, listen()) for f in (folds, shuffled))

    assert np.array_equal(ordered.oof_prediction, mixed.oof_prediction)
    assert ordered.scores == pytest.approx(mixed.scores, rel=1e-12)


def test_the_model_behind_time_folds_has_seen_all_rows(
    competition: Competition, listen: type[Listener], tmp_path: Path
) -> None:
    """Folds that go forward have not seen the latest rows; what is submitted, and served, comes from all of them."""
    month = np.arange(60) // 10
    competition.train = competition.train[["id"]].assign(
        month=month, rent=1_000.0 * month + np.arange(60) % 2
    )
    competition.test = competition.test[["id"]].assign(month=9)
    dataset, parts = competition.load(), np.split(np.arange(60), 6)
    folds = tuple(Fold(np.arange(val[0]), val) for val in parts[3:])
    objective, line = bind(dataset, folds=folds), listen()
    result = objective.evaluate(FAST, line)
    objective.save_model(result, tmp_path)

    (model,) = result.models
    assert np.all(result.test_prediction > 4_500)
    assert lgb.Booster(model_str=model).predict(dataset.test) == pytest.approx(result.test_prediction)
    served = predictor.load(tmp_path).predict(read_table(tmp_path / "test.csv"))
    assert np.array_equal(served, result.test_prediction)
    assert len(result.scores) == len(result.best_iterations) == 3
    assert np.isnan(result.oof_prediction[:30]).all()
    assert np.isfinite(result.oof_prediction[30:]).all()
    assert {progress.fold for progress in line.heard} == {0, 1, 2}
    assert result_fault(dataset, folds, result) is None


def test_a_stop_reaches_the_model_of_all_rows(competition: Competition, listen: type[Listener]) -> None:
    """A search whose time is up does not wait for it."""
    folds = tuple(Fold(np.arange(n), np.arange(n, n + 15)) for n in (30, 45))
    objective, line = bind(competition.load(), folds=folds), listen()
    objective.evaluate(FAST, line)
    stopping = _StopsAfter(line.heard[-1])

    with pytest.raises(EvaluationStopped):
        objective.evaluate(FAST, stopping)
    assert stopping.is_over


class _StopsAfter:
    """A report line on which the stop comes after the last report of the folds."""

    def __init__(self, last: Progress) -> None:
        self._last = last
        self.is_over = False

    def __call__(self, progress: Progress) -> bool:
        self.is_over = progress == self._last
        return False

    def stopped(self) -> bool:
        return self.is_over


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
            assert progress.step // ladder.STEPS_PER_FOLD == progress.fold
            rung = progress.step % ladder.STEPS_PER_FOLD
            if rung < len(ladder.RUNGS):
                assert 0 <= progress.iteration * rate - ladder.RUNGS[rung] < rate + 1e-9


def test_many_rows_are_tried_out_on_a_few_first(
    big: Dataset, listen: type[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tryout within the first fold reports before it, and changes nothing of the result."""
    without, plain = listen(), bind(big)
    assert plain.tryout_step() is None
    expected = plain.evaluate(FAST, without)
    monkeypatch.setattr("objectives.models.lightgbm._MANY_ROWS", len(big.target))
    listener, objective = listen(), bind(big)

    result = objective.evaluate(FAST, listener)

    tryout = [progress for progress in listener.heard if progress.step < ladder.STEPS_PER_FOLD]
    later = [progress._replace(step=progress.step - ladder.STEPS_PER_FOLD) for progress in listener.heard]
    assert later[len(tryout) :] == without.heard
    assert {progress.fold for progress in tryout} == {0}
    assert result.oof_hash == expected.oof_hash
    assert objective.tryout_step() == ladder.STEPS_PER_FOLD - 1
    few = objective._few
    assert few is not None
    for rows, whole in zip(few, objective._folds[0], strict=True):
        assert set(rows) < set(whole)
        assert len(set(rows)) == len(whole) // 4


def test_on_many_values_small_gains_are_not_worth_it(
    big: Dataset, listen: type[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a tolerance the folds end sooner, and none scores better for it; without one, any gain counts."""
    values = math.prod(big.shape)
    slow = {**FAST, "learning_rate": 0.05}
    whole, short = listen(), listen()
    plain = bind(big).evaluate(slow, whole)
    monkeypatch.setattr("objectives.models.lightgbm._MANY_ROWS", len(big.target))
    monkeypatch.setattr("objectives.models.lightgbm._TOLERANCE_ON_MANY_VALUES", 0.2)
    monkeypatch.setattr("objectives.models.lightgbm._MANY_VALUES", values)

    sooner = bind(big).evaluate(slow, short)
    monkeypatch.setattr("objectives.models.lightgbm._MANY_VALUES", values + 1)
    cheap = bind(big).evaluate(slow, listen())

    assert cheap.oof_hash == plain.oof_hash
    assert all(few < many for few, many in zip(_rounds(short), _rounds(whole), strict=True))
    assert all(better <= worse for better, worse in zip(plain.scores, sooner.scores, strict=True))


def _rounds(listener: Listener) -> list[int]:
    """Rounds of each of the three folds, tryout aside."""
    return [max(p.iteration for p in listener.heard[-24:] if p.fold == k) for k in range(3)]


def test_early_stopping_keeps_the_best_round(big: Dataset, listen: type[Listener]) -> None:
    """Each fold model ends at its best round; later rounds are cut off, and the end itself is reported."""
    listener = listen()
    result = bind(big).evaluate(FAST, listener)
    rounds = [max(p.iteration for p in listener.heard if p.fold == k) for k in range(3)]

    trees = [lgb.Booster(model_str=model).num_trees() for model in result.models]
    assert trees == list(result.best_iterations)
    assert {7, 15, 23} < {progress.step for progress in listener.heard}
    assert all(0 < best < ran for best, ran in zip(result.best_iterations, rounds, strict=True))


def test_the_test_prediction_is_of_the_models_read_back(big: Dataset, listen: type[Listener]) -> None:
    """What the booster predicts before its text is read back is what the text predicts, to the bit."""
    result = bind(big).evaluate(FAST, listen())

    read_back = np.zeros(len(big.test))
    for model in result.models:
        read_back += np.asarray(lgb.Booster(model_str=model).predict(big.test)) / len(result.models)

    assert np.array_equal(result.test_prediction, read_back)


def test_a_model_does_not_say_how_many_threads_fitted_it(big: Dataset, listen: type[Listener]) -> None:
    """One thread and two give the same bits and the same texts, so their hashes can be compared."""
    folds = make_folds(big.target, big.task, 3, seed=0)
    one, two = (
        LightGBMObjective(big, folds, big.metric, seed=1, threads=n).evaluate(FAST, listen()) for n in (1, 2)
    )

    assert (one.scores, one.oof_hash, one.model_hash) == (two.scores, two.oof_hash, two.model_hash)
    assert "num_threads" not in one.models[0]


def test_the_binned_data_stays_at_home(big: Dataset, listen: type[Listener]) -> None:
    """What crosses to another process is not larger for having been used here."""
    objective = bind(big)
    before = len(pickle.dumps(objective))
    objective.evaluate(FAST, listen())

    assert len(pickle.dumps(objective)) == before


def test_where_it_has_crossed_to_the_raw_rows_go(big: Dataset, listen: type[Listener]) -> None:
    """A copy lets go of its raw training rows once they are binned, scores alike, and does not cross any further."""
    original = bind(big)
    copy = pickle.loads(pickle.dumps(original))  # noqa: S301 - our own bytes

    first, second = copy.evaluate(FAST, listen()), copy.evaluate(FAST, listen())

    assert copy._dataset.train.nbytes == 0
    assert len({first.oof_hash, second.oof_hash, original.evaluate(FAST, listen()).oof_hash}) == 1
    assert len(big.train)
    with pytest.raises(pickle.PicklingError, match="let go"):
        pickle.dumps(copy)


def test_only_the_result_outlives_an_evaluation(big: Dataset, listen: type[Listener]) -> None:
    """No booster, which would keep a fold's data and trees alive, is left when the result is there."""
    objective = bind(big)
    # Held, so that none of theirs is taken for a new one: other tests of this process may keep a model.
    others = [thing for thing in gc.get_objects() if isinstance(thing, lgb.Booster)]
    result = objective.evaluate(FAST, listen())
    gc.collect()

    left = [thing for thing in gc.get_objects() if isinstance(thing, lgb.Booster)]
    assert not [thing for thing in left if all(thing is not other for other in others)]
    assert all(isinstance(model, str) for model in result.models)


def test_a_round_without_a_split_is_not_the_last(competition: Competition, listen: type[Listener]) -> None:
    """Where a round's random features allow no split the next one goes on, and the saved model is the scored one."""
    rng = np.random.default_rng(7)
    n = 400
    table = pd.DataFrame({"id": range(n), "area": rng.uniform(10, 90, n).round(1)})
    for k in range(4):
        table[f"rare_{k}"] = (np.arange(n) == 3 * k).astype(int)
    competition.train = table.assign(rent=table["area"] * 2 + rng.normal(0, 1, n))
    competition.test = table.assign(id=table["id"] + n)
    data = competition.load()
    objective = bind(data)

    result = objective.evaluate({**FAST, "min_data_in_leaf": 20, "feature_fraction": 0.2}, listen())

    assert result.mean < 10 < float(np.std(data.target)) / 2
    assert min(result.best_iterations) > 5
    for model, (_, val) in zip(result.models, objective._folds, strict=True):
        assert lgb.Booster(model_str=model).predict(data.train[val]) == pytest.approx(
            result.oof_prediction[val], rel=1e-9
        )


def test_nothing_to_learn_is_the_mean(competition: Competition, listen: type[Listener]) -> None:
    """Where no split is possible, every prediction is the mean and no feature matters."""
    dataset = competition.load()
    result = bind(dataset).evaluate({**FAST, "min_data_in_leaf": 200}, listen())

    assert result.test_prediction == pytest.approx(dataset.target.mean(), rel=0.2)
    assert np.ptp(result.test_prediction) == 0
    assert result.importance.tolist() == [0, 0, 0]


def test_of_many_classes_no_first_configuration_is_dear(
    competition: Competition, listen: type[Listener]
) -> None:
    """A tree a round for each class: the portfolio there grows no more than a few times the default's rounds."""
    table = load_digits(as_frame=True).frame.rename(columns={"target": "digit"})[:600]
    table["digit"] = "d" + table["digit"].astype(str)
    table.insert(0, "id", range(len(table)))
    competition.asked["target"] = "digit"
    competition.train, competition.test = table[:500], table[500:].drop(columns="digit")
    objective = bind(competition.load())

    def rounds(params: Params) -> int:
        return sum(objective.evaluate(params, listen()).best_iterations)

    assert max(map(rounds, objective.portfolio())) < 3 * rounds(objective.default_params())


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
