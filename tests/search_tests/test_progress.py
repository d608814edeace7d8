from __future__ import annotations

import os
import pty
import re
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from search.loop import progress, time_left
from search.loop.progress import SearchProgress, duration_text
from search.loop.sparkline import can_show, sparkline
from search.loop.standing import Standing
from search.loop.time_left import TryoutPace

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
    """The only clock that the display and its forecasts read."""
    clock = Clock()
    for module in (progress, time_left):
        monkeypatch.setattr(module, "time", clock)
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
        "[ 2/10] best 2.00000 ± 0.25000 (trial 1) | 0 pruned, 1 failed | time left: measuring",
        "[ 3/10] best 2.00000 ± 0.25000 (trial 1) | 1 pruned, 1 failed | 1 min 45 s left",
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


def _tried_out(study: optuna.Study, seconds: float, last_step: int = 7) -> optuna.Trial:
    trial = study.ask()
    trial.report(1.0, last_step)
    trial.set_user_attr("metrics", {"seconds": seconds})
    return trial


def test_what_went_on_says_what_the_rest_will_cost(clock: Clock) -> None:
    """Each missing trial costs a tryout, and a whole evaluation as often as one went on, whenever that was."""
    study = optuna.create_study()
    left = TryoutPace(study, tryout_step=7)
    seen = []
    for seconds, last_step in [(100, 47), *[(2, 7)] * 9]:
        clock.now += seconds
        study.tell(_tried_out(study, seconds, last_step), 1.0)
        left.look(len(seen) + 1)
        seen.append(left.seconds(20))

    assert seen[0] is None
    assert seen[-1] == pytest.approx(20 * (0.1 * 100 + 0.9 * 2))


def test_what_has_gone_on_costs_what_is_left_of_it(clock: Clock) -> None:
    """A running whole evaluation is neither forgotten nor begun anew, and two at once take half the time."""
    study = optuna.create_study()
    left = TryoutPace(study, tryout_step=7)
    clock.now += 50
    study.tell(_tried_out(study, 98, 47), 1.0)
    study.tell(_tried_out(study, 2), 1.0)
    left.look(2)
    _tried_out(study, 0, 8)
    for finished, seconds in ((3, 0), (4, 30)):
        clock.now += seconds
        study.tell(_tried_out(study, seconds), 1.0)
        left.look(finished)

    # Two of five went on, and the three others took 32 s together; what was done, 160 s of work, took 80 s.
    each = 0.4 * 98 + 0.6 * 32 / 3
    assert left.seconds(4) == pytest.approx((98 - 30 + 3 * each) * 80 / (130 + 30))


def test_what_earlier_commands_tried_counts_and_their_time_does_not(clock: Clock) -> None:
    """A repeated command knows from its first trial on what trials cost, not how many workers there were."""
    study = optuna.create_study()
    for last_step, seconds in ((47, 98), (7, 2)):
        study.tell(_tried_out(study, seconds, last_step), 1.0)
    left = TryoutPace(study, tryout_step=7)
    assert left.seconds(10) is None
    clock.now += 2
    study.tell(_tried_out(study, 2), 1.0)
    left.look(3)

    assert left.seconds(10) == pytest.approx(10 * (98 / 3 + 2 * 2 / 3))


def test_the_time_left_knows_the_timeout(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """A search that will be stopped before its end says when that is."""
    study = optuna.create_study()
    display = SearchProgress(Standing(study), 1_000, clock.now + 100)
    for _ in range(3):
        clock.now += 20
        _close(display, study, _trial("COMPLETE", 1.0))

    assert capsys.readouterr().out.splitlines()[-1].endswith("| 40 s left (--timeout)")


def test_brief_lines_do_not_flood_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    """A notebook keeps every line: it gets one for a new best, for each twentieth of the trials, and for the last."""
    study = optuna.create_study()
    display = SearchProgress(Standing(study), 100, float("inf"), brief=True)
    for number in range(100):
        _close(display, study, _trial("COMPLETE", 1.0 if number < 52 else 0.5))

    said = [int(line[1:].split("/")[0]) for line in capsys.readouterr().out.splitlines()]
    assert said == [1, *range(6, 52, 5), 53, *range(58, 100, 5), 100]


class Terminal:
    """A real terminal of 60 columns that is read all the while, for else a writer would wait.

    Args:
        shown: Descriptor of the side that shows.
    """

    def __init__(self, shown: int) -> None:
        self._shown = shown
        self._got: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def text(self) -> str:
        """What it got until the writer closed it, without the control sequences."""
        self._reader.join(timeout=60)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(self._got).decode())

    def _read(self) -> None:
        # Linux reports the closing of the other side as an error.
        with suppress(OSError):
            while got := os.read(self._shown, 4096):
                self._got.append(got)


def test_a_terminal_shows_the_best_and_its_way_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bar, count, sparkline of the best score, and the best as of now, on lines that are drawn over."""
    shown, end = pty.openpty()
    terminal = Terminal(shown)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    study = optuna.create_study()
    with open(end, "w", encoding="utf-8") as out, monkeypatch.context() as patch:  # noqa: PTH123 - a descriptor
        patch.setattr(sys, "stdout", out)
        display = SearchProgress(Standing(study), 4, float("inf"))
        with display.shown():
            for value in (4.0, 3.0, 5.0, 1.0):
                _close(display, study, _trial("COMPLETE", value))

    lines = [line.strip() for line in re.split(r"[\r\n]+", terminal.text()) if line.strip()]
    os.close(shown)
    assert lines[-2].endswith("4/4 █▆▆▁")
    assert lines[-1].startswith("best 1.00000 ± 0.25000 (trial 3) | 0 pruned |")
    assert all(len(line) <= 60 for line in lines)


@pytest.mark.parametrize(
    ("values", "width", "bars"),
    [
        ([], 8, ""),
        ([3.0], 8, "▄"),
        ([2.0, 2.0], 8, "▄▄"),
        ([8.0, 1.0, 4.5], 8, "█▁▅"),
        (list(range(100)), 8, "▁▂▃▄▅▆▇█"),
        ([9.0, *[1.0] * 50, 0.0], 3, "█▂▁"),
    ],
)
def test_a_sparkline_has_both_ends(values: list[float], width: int, bars: str) -> None:
    """Lowest and highest shown are at the ends of the scale; first and last value are always shown."""
    assert sparkline(values, width) == bars


def test_no_bars_where_the_terminal_has_none() -> None:
    """An encoding without the characters gets no sparkline, rather than an error."""
    assert can_show("utf-8")
    assert not can_show("ascii")
    assert not can_show("cp932")
    assert not can_show(None)
