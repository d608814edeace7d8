from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.trial import TrialState

from search.config import MOST_FAILURES_IN_A_ROW
from search.loop.ending import ALL_THERE
from tests.search_tests.fakes import FakeObjective, climb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from objectives.base import CVResult, Params, Report
    from tests.search_tests.conftest import Bench


class Failing:
    """A body that raises the messages on a list, one a call; where there is none, it evaluates."""

    def __init__(self, *messages: str | None) -> None:
        self._messages = iter(messages)
        self.calls = 0

    def __call__(self, params: Params, report: Report) -> CVResult:
        """Fails as told."""
        self.calls += 1
        message = next(self._messages, None)
        if message is not None:
            raise ValueError(message)
        return climb(params, report)


def test_a_search_that_only_fails_stops(bench: Bench, new_name: Iterator[str]) -> None:
    """After a few failures in a row it stops as failed, with the most frequent cause, its numbers aside."""
    body = Failing(None, "disk full", *(f"nan at round {i}" for i in range(MOST_FAILURES_IN_A_ROW - 1)))
    study = bench.open(next(new_name))

    ending = bench.ending(study, FakeObjective(body), 100)

    n = MOST_FAILURES_IN_A_ROW
    assert ending.status == "FAILED"
    assert ending.reason is not None
    assert ending.reason.startswith(
        f"{n} trials failed in a row, {n - 1} of them with: ValueError: nan at round"
    )
    assert [t.state.name for t in study.trials] == ["COMPLETE", *["FAIL"] * n]


def test_failures_with_successes_between_do_not_stop(bench: Bench, new_name: Iterator[str]) -> None:
    """However many fail in all, a search goes on as long as others succeed."""
    messages = [*["bad"] * (MOST_FAILURES_IN_A_ROW - 1), None] * 3
    study = bench.open(next(new_name))

    assert bench.ending(study, FakeObjective(Failing(*messages)), len(messages)) == ALL_THERE


def test_a_failing_search_started_again_tries_once(bench: Bench, new_name: Iterator[str]) -> None:
    """A command that is started over and over cannot burn a study: one more failure, and it stops again."""
    name = next(new_name)
    bench.run(bench.open(name), FakeObjective(Failing(*["bad"] * 100)), 100)

    again = Failing(*["still bad"] * 100)
    study = bench.open(name)
    ending = bench.ending(study, FakeObjective(again), 100)

    n = MOST_FAILURES_IN_A_ROW
    assert again.calls == 1
    assert ending.reason == f"{n + 1} trials failed in a row, {n} of them with: ValueError: bad"
    assert len(study.get_trials(states=(TrialState.FAIL,))) == n + 1


def test_a_mended_search_goes_on(bench: Bench, new_name: Iterator[str]) -> None:
    """Earlier failures do not stop a command whose trials succeed."""
    name = next(new_name)
    bench.run(bench.open(name), FakeObjective(Failing(*["bad"] * 100)), 100)

    assert bench.ending(bench.open(name), FakeObjective(), MOST_FAILURES_IN_A_ROW + 3) == ALL_THERE


def test_interrupted_trials_are_no_failures(bench: Bench, new_name: Iterator[str]) -> None:
    """A search that is stopped again and again is not taken for one that fails."""
    name = next(new_name)
    for _ in range(MOST_FAILURES_IN_A_ROW):
        bench.open(name).ask(fixed_distributions=FakeObjective().space())

    assert bench.ending(bench.open(name), FakeObjective(Failing("bad")), 3) == ALL_THERE
