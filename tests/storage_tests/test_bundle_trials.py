from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from storage.bundle.members import canonical, from_lines, to_lines
from storage.bundle.trials import trial_from_json, trial_lines, trial_to_json
from storage.ledger import open_ledger

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from storage.layout import Layout

numbers = st.floats(allow_nan=False)
finite = st.floats(-1e300, 1e300)
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
moments = st.datetimes(datetime(2001, 1, 1), datetime(2037, 1, 1))  # noqa: DTZ001 - naive, as Optuna keeps them


@st.composite
def _floats(draw: st.DrawFn) -> tuple[BaseDistribution, Any]:
    low, high = sorted((draw(finite), draw(finite)))
    value = draw(st.floats(low, high))
    if low > 0 and draw(st.booleans()):
        return FloatDistribution(low, high, log=True), value
    return FloatDistribution(low, high), value


@st.composite
def _integers(draw: st.DrawFn) -> tuple[BaseDistribution, Any]:
    is_log = draw(st.booleans())
    low = draw(st.integers(1 if is_log else -(2**40), 2**40))
    step = 1 if is_log else draw(st.integers(1, 50))
    steps = draw(st.integers(0, 100))
    distribution = IntDistribution(low, low + steps * step, log=is_log, step=step)
    return distribution, low + step * draw(st.integers(0, steps))


@st.composite
def _choices(draw: st.DrawFn) -> tuple[BaseDistribution, Any]:
    # Optuna itself does not tell 1 from True or 1.0 among choices.
    kinds = st.none() | st.booleans() | st.integers(2, 99) | st.floats(100, 1e9) | st.text(max_size=9)
    choices = draw(st.lists(kinds, min_size=1, max_size=5, unique_by=repr))
    return CategoricalDistribution(choices), draw(st.sampled_from(choices))


@st.composite
def _trials(draw: st.DrawFn) -> FrozenTrial:
    state = draw(st.sampled_from([s for s in TrialState if s != TrialState.RUNNING]))
    params = draw(st.dictionaries(names, _floats() | _integers() | _choices(), max_size=4))
    start = None if state == TrialState.WAITING else draw(moments)
    seconds = draw(st.floats(0, 1e6))
    end = start + timedelta(seconds=seconds) if start is not None and state.is_finished() else None
    has_value = state == TrialState.COMPLETE or (state == TrialState.PRUNED and draw(st.booleans()))
    return FrozenTrial(
        number=0,
        trial_id=-1,
        state=state,
        value=draw(numbers) if has_value else None,
        datetime_start=start,
        datetime_complete=end,
        params={name: value for name, (_, value) in params.items()},
        distributions={name: distribution for name, (distribution, _) in params.items()},
        user_attrs=draw(st.dictionaries(names, plain, max_size=3)),
        system_attrs=draw(st.dictionaries(names, plain, max_size=2)),
        intermediate_values=draw(st.dictionaries(st.integers(0, 2**31 - 1), st.floats(), max_size=5)),
    )


@given(trial=_trials())
@settings(max_examples=300, deadline=None)
def test_a_trial_survives_its_line(trial: FrozenTrial) -> None:
    """Whatever a trial holds, reading its line gives a trial with the same line."""
    line = trial_to_json(trial)
    again = trial_from_json(from_lines(to_lines([line]))[0])

    assert canonical(trial_to_json(again)) == canonical(line)
    assert (again.state, again.distributions) == (trial.state, trial.distributions)
    assert repr(again.params) == repr({n: _unsigned_zero(trial.params[n]) for n in sorted(trial.params)})
    assert again.datetime_start == trial.datetime_start
    assert again.datetime_complete == trial.datetime_complete


def _unsigned_zero(value: Any) -> Any:
    return value + 0.0 if isinstance(value, float) else value


@given(trials=st.lists(_trials(), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_trials_survive_sqlite(layout: Layout, trials: list[FrozenTrial]) -> None:
    """A ledger gives back what a bundle put in, numbers in order."""
    _assert_survive(layout.ledger_url, trials)


@given(trials=st.lists(_trials(), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_trials_survive_postgresql(postgresql_url: str, trials: list[FrozenTrial]) -> None:
    """Another make of database gives back the same."""
    _assert_survive(postgresql_url, trials)


def _assert_survive(url: str, trials: list[FrozenTrial]) -> None:
    storage = open_ledger(url)
    study = optuna.create_study(storage=storage)
    # Parameters of one name must be of one kind within a study, so each trial has names of its own.
    for number, trial in enumerate(trials):
        trial.number = number
        trial.params = {f"{number}{name}"[:30]: value for name, value in trial.params.items()}
        trial.distributions = {f"{number}{name}"[:30]: value for name, value in trial.distributions.items()}
    lines = from_lines(to_lines(trial_lines(trials)))
    study.add_trials(trial_from_json(line) for line in lines)
    again = open_ledger(url)
    found = optuna.load_study(study_name=study.study_name, storage=again)

    assert to_lines(trial_lines(found.get_trials())) == to_lines(lines)
    optuna.delete_study(study_name=study.study_name, storage=storage)
    for ledger in (storage, again):
        assert isinstance(ledger, RDBStorage)
        ledger.engine.dispose()


def test_reports_that_are_no_numbers_survive(layout: Layout) -> None:
    """NaN and the infinities come back as themselves."""
    study = optuna.create_study(storage=open_ledger(layout.ledger_url))
    study.add_trial(
        optuna.trial.create_trial(
            value=math.inf, intermediate_values={0: math.nan, 1: math.inf, 2: -math.inf, 3: 5e-324}
        )
    )
    [line] = trial_lines(study.get_trials())
    [again] = from_lines(to_lines([line]))

    assert repr(again["intermediate_values"]) == "[[0, nan], [1, inf], [2, -inf], [3, 5e-324]]"
    assert again["values"] == [math.inf]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/Berlin", "America/St_Johns", "UTC"])
def test_a_moment_is_the_same_moment_in_another_time_zone(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Optuna's local times are carried as the moments they were, also in the hour that clocks repeat."""
    for hour in range(24):
        moment = datetime(2026, 10, 25, hour, 30, 0, 123456, tzinfo=UTC)
        line = {
            **trial_to_json(optuna.trial.create_trial(value=1.0)),
            "start": moment.replace(tzinfo=None).isoformat(),
            "complete": moment.replace(tzinfo=None).isoformat(),
        }
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        try:
            trial = trial_from_json(line)
            assert trial.datetime_start is not None
            assert trial.datetime_start.tzinfo is None
            assert trial.datetime_start.astimezone(UTC) == moment
            assert trial_to_json(trial)["start"] == line["start"]
        finally:
            monkeypatch.delenv("TZ")
            time.tzset()
