from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.study import StudyDirection

from objectives.data.metrics import METRICS
from search.loop import best
from search.loop.best import KeptResults
from search.loop.tally import best_trial, complete_trials
from storage.predictions import PredictionStore
from tests.search_tests.fakes import FakeObjective, cv_result

if TYPE_CHECKING:
    from search.competition import Competition

KEEP = 3


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few files are kept, so that few trials show what happens."""
    monkeypatch.setattr(best, "KEEP_PREDICTIONS", KEEP)


def _results(folder: Path, metric: str = "rmse") -> KeptResults:
    competition: Any = SimpleNamespace(dataset=SimpleNamespace(metric=METRICS[metric]))
    return KeptResults(
        cast("Competition", competition), FakeObjective(), folder, PredictionStore(folder, KEEP)
    )


def _run(
    results: KeptResults, scores: list[float], order: list[int], direction: str = "minimize"
) -> optuna.Study:
    """Trials that begin in the order of their numbers and end in another."""
    study = optuna.create_study(direction=StudyDirection[direction.upper()])
    trials = [study.ask() for _ in scores]
    for number in order:
        results.keep(study, number, cv_result(scores[number]))
        study.tell(trials[number], scores[number])
    return study


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    case=st.lists(st.sampled_from([0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=9).flatmap(
        lambda scores: st.tuples(st.just(scores), st.permutations(range(len(scores))))
    ),
    metric=st.sampled_from(["rmse", "auc"]),
)
def test_the_best_are_kept_whatever_the_order(case: tuple[list[float], list[int]], metric: str) -> None:
    """Predictions of the best few and the model of the best are there, ties and late comers included."""
    scores, order = case
    direction = "maximize" if METRICS[metric].greater_is_better else "minimize"
    with tempfile.TemporaryDirectory() as folder:
        results = _results(Path(folder), metric)
        study = _run(results, scores, order, direction)
        leading = best_trial(study)
        assert leading is not None

        assert set(results.store.numbers()) == {t.number for t in complete_trials(study)[:KEEP]}
        assert len(list(Path(folder).glob("model_*"))) <= 2
        saved = results.model_folder(leading.number) / "model.txt"
        assert saved.read_text(encoding="utf-8") == repr(leading.value)


def test_kept_predictions_are_the_trials_own(tmp_path: Path) -> None:
    """Out-of-fold and test predictions come back as they were given."""
    results = _results(tmp_path)
    _run(results, [0.5], [0])
    stored = results.store.load(0)

    assert stored.oof.tolist() == [0.5] * 3
    assert stored.test.tolist() == [0.5] * 2


def test_the_best_that_is_told_has_its_model(tmp_path: Path) -> None:
    """A command killed between keeping a better result and telling it leaves the ledger's best whole."""
    results = _results(tmp_path)
    study = _run(results, [0.75, 0.5], [0, 1])
    results.keep(study, study.ask().number, cv_result(0.25))

    assert results.model_folder(1).is_dir()
    assert results.model_folder(2).is_dir()
    assert not results.model_folder(0).exists()


def test_a_half_written_model_is_replaced(tmp_path: Path) -> None:
    """What a killed command left of a model is no obstacle, and never taken for one."""
    results = _results(tmp_path)
    (tmp_path / ".model_00000.partial").mkdir()
    (tmp_path / ".model_00000.partial" / "torn.txt").touch()
    _run(results, [0.5], [0])

    assert [path.name for path in results.model_folder(0).iterdir()] == ["model.txt"]


def test_the_best_keeps_its_model_until_a_better_one_is_told(tmp_path: Path) -> None:
    """Killed between a better trial's files and its telling, the ledger's best has its model still."""
    results = _results(tmp_path)
    study = _run(results, [0.5, 0.25], [0, 1])
    results.keep(study, study.ask().number, cv_result(0.125))

    assert (results.model_folder(1) / "model.txt").read_text(encoding="utf-8") == "0.25"
