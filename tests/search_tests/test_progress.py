from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from search.loop import progress
from search.loop.progress import SearchProgress, duration_text
from search.loop.standing import Standing

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 1_000.0

    def monotonic(self) -> float:
        """The time it was set to."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The only clock the display reads."""
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def _trial(state: str, value: float | None = None, *, interrupted: bool = False) -> FrozenTrial:
    attributes = {"metrics": {"cv_rmse_std": 0.25}} | ({"interrupted": True} if interrupted else {})
    return create_trial(state=TrialState[state], value=value, user_attrs=attributes)


def _close(display: SearchProgress, study: optuna.Study, trial: FrozenTrial) -> None:
    # As a coordinator does, which alone makes this thread read the trials anew.
    asked = study.ask()
    for name, value in trial.user_attrs.items():
        asked.set_user_attr(name, value)
    if trial.state == TrialState.PRUNED:
        asked.report(1.0, 1)
    display.trial_closed(study.tell(asked, trial.value, state=trial.state))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (45.4, "45 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (3_599.7, "1 h 0 min"),
        (7_500, "2 h 5 min"), (360_000, "100 h 0 min"),
    ],
)  # fmt: skip
def test_durations_are_for_people(seconds: float, text: str) -> None:
    """Two units at most, and no 60 in the smaller one."""
    assert duration_text(seconds) == text


def test_one_plain_line_for_each_trial(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Finished of total, best score ± spread, pruned and failed count; an interrupted trial has no line."""
    study = optuna.create_study()
    display = SearchProgress(Standing(study), 10, float("inf"))
    with display.shown():
        _close(display, study, _trial("FAIL"))
        _close(display, study, _trial("COMPLETE", 2.0))
        _close(display, study, _trial("FAIL", interrupted=True))
        clock.now += 30
        _close(display, study, _trial("PRUNED"))

    assert capsys.readouterr().out.splitlines() == [
        "[ 1/10] no complete trial yet | 0 pruned, 1 failed | time left: measuring",
        "[ 2/10] best 2.0000 ± 0.2500 (trial 1) | 0 pruned, 1 failed | time left: measuring",
        "[ 3/10] best 2.0000 ± 0.2500 (trial 1) | 1 pruned, 1 failed | 1 min 45 s left",
    ]


def test_the_time_left_is_this_commands_pace(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Trials of an earlier command took none of this one's time."""
    study = optuna.create_study()
    for _ in range(4):
        study.add_trial(_trial("COMPLETE", 1.0))
    display = SearchProgress(Standing(study), 10, float("inf"))
    for _ in range(3):
        clock.now += 20
        _close(display, study, _trial("COMPLETE", 1.0))

    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(" | ")[2] for line in lines] == [
        "time left: measuring", "time left: measuring", "1 min 0 s left",
    ]  # fmt: skip


def test_the_slow_start_is_forgotten(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """The first trials run to their end; the estimate is that of the later half, where most are pruned."""
    study = optuna.create_study()
    display = SearchProgress(Standing(study), 30, float("inf"))
    for seconds in [100] * 5 + [10] * 5:
        clock.now += seconds
        _close(display, study, _trial("COMPLETE", 1.0))

    assert capsys.readouterr().out.splitlines()[-1].endswith("| 3 min 20 s left")


def test_the_time_left_knows_the_timeout(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """A search that will be stopped before its end says when that is."""
    study = optuna.create_study()
    display = SearchProgress(Standing(study), 1_000, clock.now + 100)
    for _ in range(3):
        clock.now += 20
        _close(display, study, _trial("COMPLETE", 1.0))

    assert capsys.readouterr().out.splitlines()[-1].endswith("| 40 s left (--timeout)")
