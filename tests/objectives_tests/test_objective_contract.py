"""One suite for every objective: a name in `OBJECTIVES` is all that a new one adds."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from objectives import predictor
from objectives.base import OBJECTIVES, EvaluationStopped, find_objective, missing_extra
from objectives.data.checks import DataFiles
from objectives.data.dataset import load_dataset
from objectives.data.folds import TASKS, Fold, make_folds
from objectives.data.read import read_table
from objectives.data.split.plan import SplitPlan
from objectives.result_faults import whole_fault

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import CVResult, FloatArray, Objective, Progress
    from objectives.data.dataset import Dataset
    from objectives.data.metrics import Metric
    from tests.conftest import CsvPair
    from tests.objectives_tests.conftest import Listener

MOST_REPORTS_A_FOLD = 8
N_SPLITS = 3
INSTALLED = [name for name in OBJECTIVES if missing_extra(name) is None]


@dataclass(frozen=True)
class Case:
    """An objective's name, real data for it, and its default configuration's result with all reports."""

    name: str
    pair: CsvPair
    dataset: Dataset
    folds: tuple[Fold, ...]
    objective: Objective
    result: CVResult
    heard: tuple[Progress, ...]

    def make(self, metric: Metric | None = None) -> Objective:
        """A new instance, as another process would make it."""
        return _make(self.name, self.dataset, self.folds, metric)


@pytest.fixture(scope="module", params=list(product(INSTALLED, TASKS)), ids="-".join)
def case(
    request: pytest.FixtureRequest,
    lucas_csvs: CsvPair,
    binary_csvs: CsvPair,
    multiclass_csvs: CsvPair,
    listen: type[Listener],
) -> Case:
    """One objective on one task, evaluated once for all tests."""
    name, task = request.param
    pair = {"regression": lucas_csvs, "binary": binary_csvs, "multiclass": multiclass_csvs}[task]
    dataset = load_dataset(
        DataFiles(pair.train, pair.test, pair.target, pair.id, split=SplitPlan(folds=N_SPLITS))
    )
    assert dataset.task == task
    folds = make_folds(dataset.target, dataset.task, N_SPLITS, seed=0)
    objective, listener = _make(name, dataset, folds), listen()
    result = objective.evaluate(objective.default_params(), listener)
    return Case(name, pair, dataset, folds, objective, result, tuple(listener.heard))


_EVALUATE = """
import pickle, sys
from pathlib import Path

class Deaf:
    def __call__(self, progress): return False
    def stopped(self): return False

objective = pickle.loads(Path(sys.argv[1]).read_bytes())
result = objective.evaluate(objective.default_params(), Deaf())
Path(sys.argv[2]).write_bytes(pickle.dumps(result))
"""


def _make(name: str, dataset: Dataset, folds: tuple[Fold, ...], metric: Metric | None = None) -> Objective:
    return find_objective(name)(dataset, folds, metric or dataset.metric, seed=1, threads=1)


def _same(a: CVResult, b: CVResult) -> bool:
    arrays = ("oof_prediction", "test_prediction", "importance")
    return (
        all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)
        and a.scores == b.scores
        and a.best_iterations == b.best_iterations
    )


def _shape(dataset: Dataset, rows: FloatArray) -> tuple[int, ...]:
    return (len(rows), len(dataset.classes)) if dataset.task == "multiclass" else (len(rows),)


class TestObjectiveContract:
    """What the search relies on, whatever it tunes."""

    def test_is_found_by_its_name(self, case: Case) -> None:
        """The registry's name is the objective's own."""
        assert case.objective.name == case.name

    def test_first_configurations_are_inside_the_space(self, case: Case) -> None:
        """Default and portfolio give every parameter of the space, within its bounds: they can be the first trials."""
        space = case.objective.space()

        for params in (case.objective.default_params(), *case.objective.portfolio()):
            assert list(params) == list(space)
            for name, distribution in space.items():
                inner = distribution.to_internal_repr(params[name])
                assert distribution._contains(inner), name
                assert distribution.to_external_repr(inner) == params[name]

    def test_same_configuration_same_result(self, case: Case, listen: type[Listener]) -> None:
        """An evaluation repeats to the bit, by the same instance and by a new one."""
        for objective in (case.objective, case.make()):
            assert _same(objective.evaluate(objective.default_params(), listen()), case.result)

    def test_crosses_to_another_process(self, case: Case, tmp_path: Path) -> None:
        """Read back from its pickle elsewhere, it gives the same result; the result comes back whole."""
        sent, returned = tmp_path / "objective", tmp_path / "result"
        sent.write_bytes(pickle.dumps(case.objective))
        subprocess.run([sys.executable, "-c", _EVALUATE, sent, returned], check=True)

        result: CVResult = pickle.loads(returned.read_bytes())  # noqa: S301 - we have just written it

        assert _same(result, case.result)
        assert (result.oof_hash, result.model_hash) == (case.result.oof_hash, case.result.model_hash)

    def test_on_other_folds_it_is_as_if_made_for_them(self, case: Case, listen: type[Listener]) -> None:
        """Folds and seed are all that changes, to the bit, where it has crossed to and has evaluated before too."""
        folds = make_folds(case.dataset.target, case.dataset.task, N_SPLITS, seed=5)
        params = case.objective.default_params()
        new = find_objective(case.name)(case.dataset, folds, case.dataset.metric, seed=3, threads=1)
        expected = new.evaluate(params, listen())
        crossed: Objective = pickle.loads(pickle.dumps(case.make()))  # noqa: S301 - we have just written it

        assert _same(case.objective.on(folds, 3).evaluate(params, listen()), expected)
        assert _same(crossed.on(folds, 3).evaluate(params, listen()), expected)
        assert _same(crossed.evaluate(params, listen()), case.result)
        assert _same(crossed.on(folds, 3).on(folds).evaluate(params, listen()), expected)

    def test_on_the_same_folds_without_a_seed_nothing_changes(
        self, case: Case, listen: type[Listener]
    ) -> None:
        """A final fit on the study's own folds can stand beside its trials."""
        same = case.objective.on(case.folds)

        assert _same(same.evaluate(case.objective.default_params(), listen()), case.result)

    @pytest.mark.parametrize("side", ["low", "high"])
    def test_corners_of_the_space(self, case: Case, listen: type[Listener], side: str) -> None:
        """Every parameter at its lowest, or every one at its highest, still gives a finite result."""
        result = case.objective.evaluate(_corner(case.objective, side), listen())

        assert np.isfinite(result.mean)
        assert np.isfinite(result.test_prediction).all()

    def test_scores_are_of_the_oof_prediction(self, case: Case) -> None:
        """Each score is the metric of that fold's part of the out-of-fold prediction, to the bit."""
        scores = tuple(
            case.dataset.metric.score(case.dataset.target[val], case.result.oof_prediction[val])
            for _, val in case.folds
        )

        assert scores == case.result.scores

    def test_oof_covers_each_row(self, case: Case) -> None:
        """Every training row has a finite prediction of the task's shape."""
        assert case.result.oof_prediction.shape == _shape(case.dataset, case.dataset.train)
        assert np.isfinite(case.result.oof_prediction).all()

    def test_test_prediction(self, case: Case) -> None:
        """Every test row has a finite prediction of the task's shape."""
        assert case.result.test_prediction.shape == _shape(case.dataset, case.dataset.test)
        assert np.isfinite(case.result.test_prediction).all()

    def test_probabilities(self, case: Case) -> None:
        """Class predictions are probabilities: within 0 and 1, a row's sum is 1."""
        if case.dataset.task == "regression":
            pytest.skip("a quantity is no probability")
        for prediction in (case.result.oof_prediction, case.result.test_prediction):
            assert prediction.min() >= 0
            assert prediction.max() <= 1
            if prediction.ndim > 1:
                assert prediction.sum(axis=1) == pytest.approx(1)

    def test_one_of_each_per_fold(self, case: Case) -> None:
        """A fold has a score, a model and a length; a feature has a share of the importance."""
        result = case.result

        assert (len(result.scores), len(result.models), len(result.best_iterations)) == (N_SPLITS,) * 3
        assert min(result.best_iterations) >= 1
        assert result.importance.shape == (len(case.dataset.encoder.names),)
        assert result.importance.min() >= 0
        assert result.importance.sum() == pytest.approx(1)

    def test_steps_grow(self, case: Case) -> None:
        """Report steps increase strictly, over all folds: none is lost to one with the same number."""
        steps = [progress.step for progress in case.heard]

        assert all(a < b for a, b in pairwise(steps))
        assert steps[0] >= 0

    def test_reports_are_few(self, case: Case) -> None:
        """A fold reports at least once and at most eight times: each report is a commit."""
        per_fold = np.bincount([progress.fold for progress in case.heard], minlength=N_SPLITS)

        assert len(per_fold) == N_SPLITS
        assert per_fold.min() >= 1
        assert per_fold.max() <= MOST_REPORTS_A_FOLD

    def test_how_many_folds_there_are_is_said(self, case: Case) -> None:
        """Each report says so: what the rest will take is reckoned by it."""
        assert {progress.folds for progress in case.heard} == {N_SPLITS}

    def test_reports_estimate_the_final_score(self, case: Case) -> None:
        """A fold's last report is the mean score so far, the very last one the result's."""
        last = {progress.fold: progress.value for progress in case.heard}

        assert [last[k] for k in range(N_SPLITS)] == pytest.approx(
            [np.mean(case.result.scores[: k + 1]) for k in range(N_SPLITS)], rel=1e-12
        )
        assert case.heard[-1].value == pytest.approx(case.result.mean, rel=1e-12)

    def test_reports_never_get_worse_within_a_fold(self, case: Case) -> None:
        """A report tells the best so far: early stopping keeps it, so it is the honest estimate."""
        metric = case.dataset.metric
        for k in range(N_SPLITS):
            values = [p.value for p in case.heard if p.fold == k]
            assert not [1 for a, b in pairwise(values) if metric.is_better(a, b)]

    @pytest.mark.parametrize("stop_at", [1, 2, 6])
    def test_stop_at_a_report(self, case: Case, listen: type[Listener], stop_at: int) -> None:
        """After the answer stop there is no further report, and no result."""
        stop_at = min(stop_at, len(case.heard))
        listener = listen(stop_at)
        with pytest.raises(EvaluationStopped):
            case.objective.evaluate(case.objective.default_params(), listener)

        assert listener.heard == list(case.heard[:stop_at])

    def test_stop_between_reports(self, case: Case, listen: type[Listener]) -> None:
        """A stop that came meanwhile is noticed before the next report but one."""
        listener = listen(stopped=True)
        with pytest.raises(EvaluationStopped):
            case.objective.evaluate(case.objective.default_params(), listener)

        assert len(listener.heard) <= 1

    def test_a_stop_leaves_no_trace(self, case: Case, listen: type[Listener]) -> None:
        """After a stopped evaluation the instance gives the same results as before."""
        objective = case.make()
        with pytest.raises(EvaluationStopped):
            objective.evaluate(objective.default_params(), listen(2))

        assert _same(objective.evaluate(objective.default_params(), listen()), case.result)

    def test_models_are_text_or_bytes(self, case: Case) -> None:
        """The fold models cross to other processes and outlive the library that made them."""
        assert all(isinstance(model, (str, bytes)) and model for model in case.result.models)

    def test_saved_model_predicts_raw_rows(self, case: Case, tmp_path: Path) -> None:
        """The model read back predicts the raw test file as the search did, to the bit."""
        case.objective.save_model(case.result, tmp_path)

        prediction = predictor.load(tmp_path).predict(read_table(case.pair.test))

        assert np.array_equal(prediction, case.result.test_prediction)

    def test_models_of_all_rows(self, case: Case, listen: type[Listener], tmp_path: Path) -> None:
        """They are others than the folds', score nothing, and predict test rows, here, elsewhere and from the file."""
        whole = case.objective.of_all_rows(2, float(np.mean(case.result.best_iterations)))

        result = whole.evaluate(whole.default_params(), listen())

        assert len({*result.models} - {*case.result.models}) >= 1
        assert whole_fault(case.dataset, result, 2) is None
        assert result.scores == ()
        assert np.isnan(result.oof_prediction).all()
        there = pickle.loads(pickle.dumps(whole)).evaluate(whole.default_params(), listen())  # noqa: S301
        assert there.model_hash == result.model_hash
        case.objective.save_model(result, tmp_path)
        prediction = predictor.load(tmp_path).predict(read_table(case.pair.test))
        assert np.array_equal(prediction, result.test_prediction)
        assert not np.array_equal(prediction, case.result.test_prediction)

    def test_learns(self, case: Case) -> None:
        """On rows it has never seen, it beats the mean or the class shares."""
        dataset, answers = case.dataset, case.pair.test_target
        assert answers is not None
        if dataset.classes:
            target = np.array([dataset.classes.index(str(label)) for label in answers], np.float64)
            shares = np.bincount(dataset.target.astype(int)) / len(dataset.target)
            trivial = np.tile(shares, (len(target), 1))
            trivial = trivial[:, 1] if dataset.task == "binary" else trivial
        else:
            target = answers.to_numpy(np.float64)
            trivial = np.full(len(target), dataset.target.mean())

        score = dataset.metric.score(target, case.result.test_prediction)
        assert score < dataset.metric.score(target, trivial) / 2

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_divergence_is_an_error(self, case: Case, listen: type[Listener], value: float) -> None:
        """A score that is not finite ends the evaluation with the metric and the round named."""
        metric = replace(case.dataset.metric, score=_diverging(case.dataset.metric.score, value))

        with pytest.raises(FloatingPointError, match=rf"{metric.name} is {value} at round \d+"):
            case.make(metric).evaluate(case.objective.default_params(), listen())


def _diverging(score: Any, value: float) -> Any:
    """The score, until its second call: a fold of a model that has no rounds is scored once."""
    calls = iter([False])
    return lambda y, p: score(y, p) if next(calls, True) is False else value


def _corner(objective: Objective, side: str) -> dict[str, Any]:
    """Each parameter at its lowest or highest value, or its first or last choice."""
    choice = {"low": 0, "high": -1}[side]
    return {
        name: getattr(distribution, side) if hasattr(distribution, side) else distribution.choices[choice]  # type: ignore[attr-defined]
        for name, distribution in objective.space().items()
    }
