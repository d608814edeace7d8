from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from objectives.base import EvaluationStopped, Progress
from search.config import MOST_FAILURES_IN_A_ROW
from search.loop.coordinator import Coordinator
from search.loop.ending import EXHAUSTED, TIME_UP, Ending
from search.loop.ground import Ground
from search.loop.in_process import InProcessEngine
from search.loop.tally import NEEDED, is_counted
from tests.search_tests.bodies import outruns_the_answer, until_stopped
from tests.search_tests.fakes import (
    DEFAULTS,
    HOPELESS,
    NEEDED_SECONDS,
    FakeObjective,
    LateAt,
    ShuffledEngine,
    climb,
    cv_result,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.pruners import BasePruner
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult, Params, Report
    from tests.search_tests.conftest import Bench

OUTCOMES = {"complete": "COMPLETE", "prune": "PRUNED", "fail": "FAIL"}


class Script:
    """A body that does the next thing on a list at each call."""

    def __init__(self, outcomes: list[str]) -> None:
        self._outcomes = iter(outcomes)

    def __call__(self, params: Params, report: Report) -> CVResult:
        """Ends as the script says."""
        outcome = next(self._outcomes)
        if outcome == "fail":
            raise ValueError("as told")
        if outcome == "interrupt":
            raise KeyboardInterrupt
        value = HOPELESS if outcome == "prune" else 1.0
        if report(Progress(0, value, 0, 1)):
            raise EvaluationStopped
        return cv_result(params["x"])


def test_each_start_is_told(bench: Bench, new_name: Iterator[str]) -> None:
    """Whoever wants to show running trials hears of each when it is asked for, before it ends."""
    study = bench.open(next(new_name))
    heard: list[tuple[str, int]] = []

    def closed(trial: FrozenTrial) -> None:
        heard.append(("closed", trial.number))

    def started(number: int) -> None:
        assert study.trials[number].state == TrialState.RUNNING
        assert study.trials[number].params.keys() == DEFAULTS.keys()
        heard.append(("started", number))

    objective = FakeObjective()
    engine = InProcessEngine(Ground(objective))
    told = {"trial_closed": closed, "trial_started": started}
    Coordinator(study, objective, engine, lambda _: {}, lambda *_: None, **told).run(3, math.inf)
    assert heard == [(what, number) for number in range(3) for what in ("started", "closed")]


def _states(study: Study) -> list[str]:
    return [trial.state.name for trial in study.get_trials(deepcopy=False) if is_counted(trial)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    # Never so many failures in a row, in any order of arrival, that the search gives up.
    outcomes=st.lists(st.sampled_from(["complete", "prune"]), min_size=1, max_size=6).flatmap(
        lambda some: st.permutations([*some, *["fail"] * (MOST_FAILURES_IN_A_ROW - 1)][:8])
    ),
    slots_and_seed=st.tuples(st.sampled_from([1, 2, 5]), st.integers(0, 3)),
)
def test_exactly_as_many_trials_as_asked_for(
    bench: Bench,
    new_name: Iterator[str],
    hopeless: BasePruner,
    outcomes: list[str],
    slots_and_seed: tuple[int, int],
) -> None:
    """Whatever becomes of the trials and however many run at once, the study ends with exactly N of them."""
    objective = FakeObjective(Script(outcomes))
    study = bench.open(next(new_name), objective)
    study.pruner = hopeless

    engine = ShuffledEngine(objective, *slots_and_seed)
    assert bench.drive(study, objective, engine, len(outcomes)).reason is None
    assert sorted(_states(study)) == sorted(OUTCOMES[outcome] for outcome in outcomes)
    assert len(study.get_trials(deepcopy=False)) == len(outcomes)


def test_the_first_trial_is_the_default(bench: Bench, new_name: Iterator[str]) -> None:
    """Trial 0 is the objective's default configuration, so every study has the line to beat."""
    study = bench.open(next(new_name))
    bench.run(study, FakeObjective(), 2)

    assert study.trials[0].params == DEFAULTS
    assert study.trials[1].params != DEFAULTS


@pytest.mark.parametrize("workers", [0, 1])
def test_the_same_seed_gives_the_same_trials(bench: Bench, new_name: Iterator[str], workers: int) -> None:
    """With one slot, parameters, values, states and reports repeat to the bit."""

    def once() -> list[tuple[Any, ...]]:
        study = bench.open(next(new_name), trials=12)
        bench.run(study, FakeObjective(), 12, workers)
        return [(t.number, t.params, t.value, t.state, t.intermediate_values) for t in study.trials]

    first = once()

    assert once() == first
    assert len({str(params) for _, params, *_ in first}) == 12


def test_another_seed_gives_other_trials(bench: Bench, new_name: Iterator[str]) -> None:
    """The seed is what fixes a study, not the program."""

    def params(seed: int) -> list[dict[str, Any]]:
        study = bench.open(next(new_name), seed=seed)
        bench.run(study, FakeObjective(), 4)
        return [trial.params for trial in study.trials[1:]]

    assert params(1) != params(2)


def test_a_failure_keeps_its_reason_and_harms_nobody(bench: Bench, new_name: Iterator[str]) -> None:
    """A failing configuration is FAIL with type and message; the others run to their end."""
    objective = FakeObjective(Script(["complete", "fail", "complete"]))
    study = bench.open(next(new_name), objective)

    assert bench.run(study, objective, 3) is None
    assert _states(study) == ["COMPLETE", "FAIL", "COMPLETE"]
    assert study.trials[1].user_attrs["reason"] == "ValueError: as told"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (cv_result(math.nan), "FloatingPointError: the score is not finite in every fold: [nan, nan]"),
        (replace(cv_result(1.0), scores=(1.0, math.inf)), "FloatingPointError: the score is not finite"),
        (None, "TypeError: evaluate returned NoneType, not CVResult"),
    ],
    ids=["nan", "inf", "none"],
)
def test_a_result_without_a_score_is_a_failure(
    bench: Bench, new_name: Iterator[str], result: CVResult, reason: str
) -> None:
    """What came back without an error but cannot be told to the study is FAIL with its reason."""
    objective = FakeObjective(lambda *_: result)
    study = bench.open(next(new_name), objective)
    bench.run(study, objective, 1)

    assert study.trials[0].state == TrialState.FAIL
    assert study.trials[0].user_attrs["reason"].startswith(reason)
    assert bench.kept == []


def test_an_objective_that_stops_unasked_is_a_failure(bench: Bench, new_name: Iterator[str]) -> None:
    """Nobody waits for ever for a trial that gave up by itself."""

    def body(*_: Any) -> CVResult:
        raise EvaluationStopped

    study = bench.open(next(new_name))
    bench.run(study, FakeObjective(body), 1)

    assert study.trials[0].user_attrs["reason"] == "EvaluationStopped: it stopped without being told to"


@pytest.mark.parametrize("bad", [Progress(0, None, 0, 1), Progress(-1, 1.0, 0, 1)], ids=["value", "step"])  # type: ignore[arg-type]
@pytest.mark.parametrize("workers", [0, 1])
def test_a_report_that_is_none_is_a_failure(
    bench: Bench, new_name: Iterator[str], bad: Progress, workers: int
) -> None:
    """A value that is no number, or a step before the first, fails its trial and not the search."""

    def body(params: Params, report: Report) -> CVResult:
        if params != DEFAULTS:
            return climb(params, report)
        if report(bad):
            raise EvaluationStopped
        return cv_result(1.0)

    study = bench.open(next(new_name))

    assert bench.run(study, FakeObjective(body), 2, workers) is None
    assert _states(study) == ["FAIL", "COMPLETE"]
    assert "Error: a report was refused" in study.trials[0].user_attrs["reason"]


def test_a_complete_trial_keeps_its_hashes(bench: Bench, new_name: Iterator[str]) -> None:
    """A replay has something to compare with."""
    result = cv_result(0.25)
    study = bench.open(next(new_name))
    bench.run(study, FakeObjective(lambda *_: result), 1)

    assert study.trials[0].user_attrs["oof_hash"] == result.oof_hash
    assert study.trials[0].user_attrs["model_hash"] == result.model_hash


def test_a_pruned_trial_says_where(bench: Bench, new_name: Iterator[str], hopeless: BasePruner) -> None:
    """Step, fold and round of the deciding report are kept; the value stays a partial one."""
    objective = FakeObjective(Script(["complete", "prune"]))
    study = bench.open(next(new_name), objective)
    study.pruner = hopeless
    bench.run(study, objective, 2)

    metrics = study.trials[1].user_attrs["metrics"]
    assert study.trials[1].state == TrialState.PRUNED
    assert (metrics["pruned_step"], metrics["pruned_fold"], metrics["pruned_iteration"]) == (0, 0, 1)
    assert "cv_rmse_std" not in metrics


def test_a_pruning_that_comes_late_still_counts(
    bench: Bench, new_name: Iterator[str], hopeless: BasePruner
) -> None:
    """A trial is pruned at the report that decided it, even where its evaluation outran the answer."""
    study = bench.open(next(new_name))
    study.pruner = hopeless
    bench.run(study, FakeObjective(outruns_the_answer), 2, workers=1)

    assert _states(study) == ["PRUNED", "PRUNED"]
    assert [list(trial.intermediate_values) for trial in study.trials] == [[0], [0]]
    assert bench.kept == []


def test_results_are_kept_before_they_are_told(bench: Bench, new_name: Iterator[str]) -> None:
    """Whenever a process dies, each complete trial has its files."""
    study = bench.open(next(new_name))
    states: list[TrialState] = []

    def keep(number: int, result: CVResult) -> None:  # noqa: ARG001 - the coordinator's form
        states.append(study.trials[number].state)

    objective = FakeObjective()
    engine = InProcessEngine(Ground(objective))
    Coordinator(study, objective, engine, lambda _: {}, keep, bench.closed.append).run(3, math.inf)

    assert states == [TrialState.RUNNING] * 3


def test_every_closed_trial_is_handed_out_once(
    bench: Bench, new_name: Iterator[str], hopeless: BasePruner
) -> None:
    """The record hears of complete, pruned and failed trials, as the ledger has them."""
    objective = FakeObjective(Script(["complete", "prune", "fail"]))
    study = bench.open(next(new_name), objective)
    study.pruner = hopeless
    bench.run(study, objective, 3)

    assert [(t.number, t.state.name) for t in bench.closed] == [(0, "COMPLETE"), (1, "PRUNED"), (2, "FAIL")]


def test_an_interrupted_trial_is_closed_and_queued_again(bench: Bench, new_name: Iterator[str]) -> None:
    """Ctrl-C closes what runs as FAIL (interrupted), not counted, and the same configuration comes next."""
    objective = FakeObjective(Script(["complete", "interrupt", "complete", "complete"]))
    study = bench.open(next(new_name), objective)
    with pytest.raises(KeyboardInterrupt):
        bench.run(study, objective, 3)

    interrupted = study.trials[1]
    assert interrupted.state == TrialState.FAIL
    assert interrupted.user_attrs["interrupted"] is True
    assert not is_counted(interrupted)

    assert bench.run(study, objective, 3) is None
    assert _states(study) == ["COMPLETE"] * 3
    assert study.trials[2].params == interrupted.params
    assert study.trials[2].user_attrs["retry_of"] == 1


class _InterruptedSampler(optuna.samplers.RandomSampler):
    """Ctrl-C while the next configuration is being chosen."""

    def sample_relative(self, *args: Any) -> dict[str, Any]:  # noqa: ARG002
        raise KeyboardInterrupt

    def sample_independent(self, *args: Any) -> Any:  # noqa: ARG002
        raise KeyboardInterrupt


def test_an_interrupt_while_asking_leaves_nothing_running(bench: Bench, new_name: Iterator[str]) -> None:
    """A trial that has no configuration yet is closed too."""
    study = bench.open(next(new_name))
    bench.run(study, FakeObjective(), 1)
    study.sampler = _InterruptedSampler()
    with pytest.raises(KeyboardInterrupt):
        bench.run(study, FakeObjective(), 2)

    assert not study.get_trials(states=(TrialState.RUNNING,))
    assert _states(study) == ["COMPLETE"]


@pytest.mark.parametrize("workers", [0, 2])
def test_the_deadline_closes_what_runs(bench: Bench, new_name: Iterator[str], workers: int) -> None:
    """When the time is up, running trials are interrupted, queued again and not counted."""
    objective = FakeObjective(until_stopped)
    study = bench.open(next(new_name), objective)

    assert bench.run(study, objective, 4, workers, deadline=time.monotonic()) == "the time was up"
    assert _states(study) == []
    assert not study.get_trials(states=(TrialState.RUNNING,))
    assert all(trial.user_attrs["interrupted"] for trial in study.get_trials(states=(TrialState.FAIL,)))

    assert bench.run(study, FakeObjective(), 4, workers) is None
    assert len(_states(study)) == 4


def test_what_would_not_end_in_time_makes_room_and_is_queued_again(
    bench: Bench, new_name: Iterator[str]
) -> None:
    """A trial that is given up for the time counts as little as one that the time's end has hit."""
    objective = FakeObjective(Script(["complete"] * 6))
    study = bench.open(next(new_name), objective)
    engine = InProcessEngine(Ground(objective))

    ending = bench.drive(study, objective, engine, 3, plan=LateAt(1))

    assert ending.reason is None
    assert _states(study) == ["COMPLETE"] * 3
    given_up, again = study.trials[1], study.trials[4]
    assert given_up.user_attrs[NEEDED] == pytest.approx(NEEDED_SECONDS, abs=60)
    assert (given_up.user_attrs["interrupted"], given_up.state.name) == (True, "FAIL")
    assert (again.state, again.user_attrs["retry_of"]) == (TrialState.WAITING, 1)
    assert bench.run(study, objective, 4) is None
    assert study.trials[4].params == given_up.params


def test_what_was_given_up_is_not_begun_again_without_the_time(bench: Bench, new_name: Iterator[str]) -> None:
    """A repeated command with as little time does not spend it on the same folds again, and keeps the trial queued."""
    objective = FakeObjective(Script(["complete"] * 9))
    study = bench.open(next(new_name), objective)
    for trials, plan in ((3, LateAt(1)), (5, LateAt())):
        bench.drive(study, objective, InProcessEngine(Ground(objective)), trials, plan=plan)

    assert [trial.number for trial in study.trials if NEEDED in trial.user_attrs] == [1, 4]
    assert not study.trials[4].intermediate_values
    assert [study.trials[k].user_attrs["retry_of"] for k in (4, 7)] == [1, 4]
    assert bench.ending(study, objective, 6).reason is None
    assert (study.trials[7].state, study.trials[7].params) == (TrialState.COMPLETE, study.trials[1].params)


def test_the_default_configuration_is_never_given_up(bench: Bench, new_name: Iterator[str]) -> None:
    """Without it nobody knows what the search was worth."""
    objective = FakeObjective(Script(["complete"] * 3))
    study = bench.open(next(new_name), objective)

    bench.drive(study, objective, InProcessEngine(Ground(objective)), 2, plan=LateAt(0))

    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE"]


def test_where_only_what_was_given_up_is_left_the_time_is_up(bench: Bench, new_name: Iterator[str]) -> None:
    """Not every configuration has been tried then, and the same command with more time tries the rest."""
    space = {"x": CategoricalDistribution([0.25, 0.5, 0.75]), "n": CategoricalDistribution([3])}
    objective = FakeObjective(Script(["complete"] * 4), space)
    study = bench.open(next(new_name), objective)
    engine = InProcessEngine(Ground(objective))

    assert bench.drive(study, objective, engine, 9, plan=LateAt(2)) == TIME_UP

    assert _states(study) == ["COMPLETE", "COMPLETE"]
    assert bench.ending(study, objective, 9) == EXHAUSTED
    assert _states(study) == ["COMPLETE"] * 3


def test_what_cannot_end_in_time_is_not_begun(bench: Bench, new_name: Iterator[str]) -> None:
    """What runs by then is waited for, no trial is closed for nothing, and the time left is not waited for."""
    objective = FakeObjective(Script(["complete"] * 5))
    study = bench.open(next(new_name), objective)

    assert bench.drive(study, objective, ShuffledEngine(objective, 2), 5, plan=LateAt(last=0)) == TIME_UP

    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE"]
    assert bench.run(study, objective, 5) is None


def test_enough_is_enough(bench: Bench, new_name: Iterator[str]) -> None:
    """A search ends when it is told that more trials are not worth it, and the same command then runs none."""
    objective, study = FakeObjective(), bench.open(next(new_name))

    def enough(study: Study) -> Ending | None:
        return Ending("stable") if len(study.trials) >= 4 else None

    for _ in range(2):
        engine = InProcessEngine(Ground(objective))
        assert bench.drive(study, objective, engine, 9, enough=enough) == Ending("stable")
        assert len(_states(study)) == 4


def test_a_finished_study_is_left_alone(bench: Bench, new_name: Iterator[str]) -> None:
    """Asking for as many trials as there are, or fewer, changes nothing."""
    name = next(new_name)
    bench.run(bench.open(name), FakeObjective(), 3)
    before = _snapshot(bench.open(name))

    for trials in (3, 2):
        assert bench.run(bench.open(name), FakeObjective(), trials) is None
        assert _snapshot(bench.open(name)) == before


def _snapshot(study: Study) -> list[FrozenTrial]:
    return study.get_trials()


def test_a_dead_coordinators_trials_are_run_again(bench: Bench, new_name: Iterator[str]) -> None:
    """Trials left RUNNING are closed and queued again, and the study still ends with exactly N."""
    name = next(new_name)
    study = bench.open(name)
    bench.run(study, FakeObjective(), 2)
    left = [study.ask(fixed_distributions=FakeObjective().space()) for _ in range(2)]

    resumed = bench.open(name)
    bench.run(resumed, FakeObjective(), 5)

    assert [resumed.trials[t.number].state for t in left] == [TrialState.FAIL] * 2
    assert len(_states(resumed)) == 5
    assert not resumed.get_trials(states=(TrialState.RUNNING, TrialState.WAITING))
    params = [trial.params for trial in resumed.trials if is_counted(trial)]
    assert all(trial.params in params for trial in left)


def test_a_resumed_search_does_not_repeat_itself(bench: Bench, new_name: Iterator[str]) -> None:
    """The second command draws new configurations, not the first one's once more."""
    name = next(new_name)
    bench.run(bench.open(name), FakeObjective(), 4)
    study = bench.open(name)
    bench.run(study, FakeObjective(), 8)

    assert len({str(trial.params) for trial in study.trials}) == 8


def test_no_limit_means_infinity(bench: Bench, new_name: Iterator[str]) -> None:
    """Without a deadline the search runs to its end, whichever the engine."""
    for workers in (0, 2):
        assert bench.run(bench.open(next(new_name)), FakeObjective(climb), 2, workers, math.inf) is None
