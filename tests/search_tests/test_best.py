from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.study import StudyDirection

from objectives.data.metrics import METRICS
from search.loop import best, keeping
from search.loop.best import KeptResults
from search.loop.tally import best_trial, complete_trials
from storage.kept_models import ModelKey, ModelStore
from storage.predictions import PredictionStore
from tests.search_tests.fakes import FakeObjective, cv_result

if TYPE_CHECKING:
    from objectives.base import CVResult
    from search.competition import Competition

KEEP = 3


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few files are kept, so that few trials show what happens."""
    monkeypatch.setattr(keeping, "KEEP_PREDICTIONS", KEEP)
    monkeypatch.setattr(keeping, "KEEP_OF_EACH_OBJECTIVE", 1)


def _competition(metric: str = "rmse") -> Competition:
    dataset = SimpleNamespace(metric=METRICS[metric], target=np.zeros(3))
    return cast("Competition", SimpleNamespace(dataset=dataset, config=SimpleNamespace(seed=0)))


def _results(folder: Path, metric: str = "rmse", objective: FakeObjective | None = None) -> KeptResults:
    return KeptResults(
        _competition(metric), objective or FakeObjective(), PredictionStore(folder), ModelStore(folder)
    )


def _model_of(results: KeptResults, number: int) -> str | None:
    """What `FakeObjective` wrote into a trial's model; None where there is none."""
    with results.models.opened(ModelKey(number)) as folder:
        return None if folder is None else (folder / "model.txt").read_text(encoding="utf-8")


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
    """Files of the best few are there, ties and late comers among them, and nobody else's but the first."""
    scores, order = case
    direction = "maximize" if METRICS[metric].greater_is_better else "minimize"
    with tempfile.TemporaryDirectory() as folder:
        results = _results(Path(folder), metric)
        study = _run(results, scores, order, direction)
        leading = best_trial(study)
        assert leading is not None

        best_few = {t.number for t in complete_trials(study)[:KEEP]}
        assert best_few <= set(results.store.numbers()) <= best_few | {0}
        assert {key.trial for key in results.models.sizes()} == set(results.store.numbers())
        assert _model_of(results, leading.number) == repr(leading.value)


def test_kept_predictions_are_the_trials_own(tmp_path: Path) -> None:
    """Out-of-fold and test predictions come back as they were given."""
    results = _results(tmp_path)
    _run(results, [0.5], [0])
    stored = results.store.load(0)

    assert stored.oof.tolist() == [0.5] * 3
    assert stored.test.tolist() == [0.5] * 2


def test_a_half_written_model_is_no_model(tmp_path: Path) -> None:
    """What a killed command left of a model is no obstacle, and never taken for one."""
    results = _results(tmp_path)
    (tmp_path / "model_00000.zip").write_bytes(b"PK torn")
    assert _model_of(results, 0) is None
    _run(results, [0.5], [0])
    assert _model_of(results, 0) == "0.5"


def test_the_best_two_keep_their_files_whatever_they_weigh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the ledger's best is whole, also between a better trial's files and its telling."""
    monkeypatch.setattr(best, "KEEP_BYTES", 1)
    results = _results(tmp_path)
    study = _run(results, [0.75, 0.5, 0.25], [0, 1, 2])
    results.keep(study, study.ask().number, cv_result(0.125))
    assert results.store.numbers() == (2, 3)
    assert _model_of(results, 2) == "0.25"
    assert _model_of(results, 3) == "0.125"


def test_models_go_before_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full the worst trials' models are dropped first, since they can be fitted again."""
    results = _results(tmp_path)
    study = _run(results, [0.75, 0.5, 0.25], [0, 1, 2])
    bound = sum(results.store.sizes().values()) + 2 * max(results.models.sizes().values())
    monkeypatch.setattr(best, "KEEP_BYTES", bound)
    results.keep(study, study.ask().number, cv_result(1.0))
    assert results.store.numbers() == (0, 1, 2)
    assert [key.trial for key in results.models.sizes()] == [1, 2]


def test_models_fitted_anew_are_kept_beside_the_trials(tmp_path: Path) -> None:
    """A variant of a trial has a model of its own, which goes with the trial's files and not before."""
    results = _results(tmp_path)
    study = _run(results, [0.5, 0.25], [0, 1])
    results.keep_model(ModelKey(1, "slow, seed 2"), cv_result(0.125))
    results.keep(study, study.ask().number, cv_result(1.0))
    assert _model_of(results, 1) == "0.25"
    with results.models.opened(ModelKey(1, "slow, seed 2")) as folder:
        assert folder is not None
        assert (folder / "model.txt").read_text(encoding="utf-8") == "0.125"


def test_models_fitted_anew_have_what_room_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk a variant's model is not kept, and takes no trial's place."""
    results = _results(tmp_path)
    _run(results, [0.5, 0.25], [0, 1])
    monkeypatch.setattr(best, "KEEP_BYTES", results.bytes_on_disk())
    results.keep_model(ModelKey(1, "slow"), cv_result(0.125))
    assert results.models.sizes().keys() == {ModelKey(0), ModelKey(1)}


def test_models_are_wanted_of_what_will_be_kept(tmp_path: Path) -> None:
    """While there is room all models are wanted, then those of trials that have a place among the best."""
    results = _results(tmp_path)
    study = _run(results, [0.75, 0.5], [0, 1])
    assert results.models_from({}) is None
    for score in (0.25, 0.125):
        trial = study.ask()
        results.keep(study, trial.number, cv_result(score))
        study.tell(trial, score)
    threshold = results.models_from({})
    assert threshold is not None
    assert threshold.score == 0.5


def test_what_another_is_about_to_tell_is_spared(tmp_path: Path) -> None:
    """Files of a trial whose coordinator has kept it and not told it yet outlive another's better ones."""
    results = _results(tmp_path)
    study = optuna.create_study()
    trials = [study.ask() for _ in range(KEEP + 2)]
    results.keep(study, 1, cv_result(0.9))
    for trial in (trials[0], *trials[2:]):
        results.keep(study, trial.number, cv_result(0.5 / (1 + trial.number)))
        study.tell(trial, 0.5 / (1 + trial.number))

    assert 1 in results.store.numbers()
    assert _model_of(results, 1) is not None
    study.tell(trials[1], 0.9)
    another = study.ask()
    results.keep(study, another.number, cv_result(0.01))
    assert 1 not in results.store.numbers()
    assert _model_of(results, 1) is None


def test_processes_keep_one_at_a_time(tmp_path: Path) -> None:
    """Threads with a store of their own, as coordinators that share a folder, never save at the same time."""
    folder = tmp_path / "kept"
    inside, most, guard = 0, 0, threading.Lock()

    class Counting(FakeObjective):
        def save_model(self, result: CVResult, folder: Path) -> None:
            nonlocal inside, most
            with guard:
                inside += 1
                most = max(most, inside)
            super().save_model(result, folder)
            with guard:
                inside -= 1

    study = optuna.create_study()
    numbers = [study.ask().number for _ in range(12)]

    def keep(number: int) -> None:
        _results(folder, objective=Counting()).keep(study, number, cv_result(float(number)))

    threads = [threading.Thread(target=keep, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1
    assert len(list(folder.glob("model_*.zip"))) == len(numbers)
