"""Trials evaluated again from other processes, as a user would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from optuna.trial import TrialState

from tests.end_to_end_tests.project import data_flags
from tests.end_to_end_tests.story import STUDY, Step, best_of, trial_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.project import Project

SAME = "The same to the bit"


def test_default_best_and_pruned_are_the_same(searched: Step) -> None:
    """The line to beat, the winner and a loser come out the same in another process."""
    pruned = [trial.number for trial in searched.state.trials if trial.state == TrialState.PRUNED]
    for number in (0, best_of(searched).number, pruned[0]):
        output = searched.project.run("replay", STUDY, str(number)).stdout
        assert output.splitlines()[-1] == SAME
        assert "oof_hash, model_hash" in output or number == pruned[0]


def test_the_runs_carry_what_a_replay_compares(searched: Step) -> None:
    """Hashes and circumstances are tags of a complete trial's run."""
    best = best_of(searched)
    tags = trial_runs(searched)[best.number].data.tags

    assert tags["oof_hash"] == best.user_attrs["oof_hash"]
    assert tags["model_hash"] == best.user_attrs["model_hash"]
    assert '"lightgbm"' in tags["environment"]


def _search(project: Project, pair: CsvPair, workers: int) -> list[tuple[Any, ...]]:
    flags = ["--study", STUDY, "--trials", "8", "--folds", "2", "--seed", "5", "--workers", str(workers)]
    project.run("run", *data_flags(pair), *flags)
    return [
        (
            t.params,
            t.value,
            t.intermediate_values,
            t.state,
            t.user_attrs.get("oof_hash"),
            t.user_attrs.get("model_hash"),
        )
        for t in project.study(STUDY).trials
    ]


@pytest.mark.slow
def test_one_worker_and_a_seed_give_the_same_trials(
    new_project: Callable[[str], Project], regression_csvs: CsvPair
) -> None:
    """The same command in two folders: parameters, values, reports, states, predictions and models alike."""
    first, second = (_search(new_project(f"twin_{i}"), regression_csvs, workers=1) for i in range(2))

    assert first == second


@pytest.mark.slow
def test_every_trial_of_two_workers_replays(
    new_project: Callable[[str], Project], regression_csvs: CsvPair
) -> None:
    """However trials ran side by side, each comes out the same alone."""
    project = new_project("pair")
    trials = _search(project, regression_csvs, workers=2)

    for number in range(len(trials)):
        assert project.run("replay", STUDY, str(number)).stdout.splitlines()[-1] == SAME


def test_a_wrong_word_is_refused(searched: Step) -> None:
    """Bad input exits 2 and says what is allowed."""
    done = searched.project.run("replay", STUDY, "many", code=2)
    assert "TRIAL: got 'many'; allowed: integer" in done.stderr
    assert "got no TRIAL" in searched.project.run("replay", STUDY, code=2).stderr
