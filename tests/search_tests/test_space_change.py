"""A space changed under a study's trials: none is lost, none is refused by Optuna, and the sampler goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from search.loop.sampler import make_sampler
from search.loop.study import change_space, study_faults
from search.loop.tally import best_trial, tally
from search.space.change import OUTSIDE, SPACE, outside_trials
from search.space.conditional import ConditionalSpace, carried, fitted, space_fingerprint
from search.space.drawing import draw
from search.space.view import CHANGES, SpaceView
from storage.coordination.shared_seat import SharedSeat
from tests.search_tests.fakes import FakeObjective, climb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.distributions import BaseDistribution
    from optuna.study import Study

    from objectives.base import CVResult, Params, Report
    from tests.search_tests.conftest import Bench

SPACES: list[dict[str, BaseDistribution]] = [
    {"x": FloatDistribution(0.0, 1.0), "n": IntDistribution(1, 8)},
    {"x": FloatDistribution(0.25, 2.0, log=True), "n": IntDistribution(3, 8, log=True)},
    {"x": CategoricalDistribution([0.1, 0.5, 0.9]), "n": FloatDistribution(1.0, 4.0)},
    {"x": CategoricalDistribution(["low", 0.5]), "n": IntDistribution(2, 2)},
    {"x": FloatDistribution(0.5, 0.5), "n": CategoricalDistribution([8, 3])},
    {
        "x": FloatDistribution(0.0, 1.0),
        "n": IntDistribution(1, 8),
        "more": CategoricalDistribution([False, True]),
    },
    {"x": FloatDistribution(0.3, 0.7)},
]
CONDITIONAL = ConditionalSpace(SPACES[5], {"n": {"more": (True,)}})
WITHOUT = {"more": False, "n": 3}


class Searched(FakeObjective):
    """The parabola over any space whose parameters it understands."""

    def __init__(self, space: dict[str, BaseDistribution]) -> None:
        when = space.when if isinstance(space, ConditionalSpace) else {}
        super().__init__(_parabola, ConditionalSpace(space, when, WITHOUT))

    def default_params(self) -> dict[str, Any]:
        """The nearest to the middle."""
        return fitted(self.space(), {"x": 0.5, "n": 3, "more": False})


def _parabola(params: Params, report: Report) -> CVResult:
    x = params["x"] if isinstance(params["x"], float) else 0.0
    return climb({"x": x, "n": params.get("n", 3)}, report)


def _question(space: dict[str, BaseDistribution]) -> dict[str, str]:
    return {"data": "abc", "space": f"fake {space_fingerprint(space)}"}


def _search(
    bench: Bench, name: str, space: dict[str, BaseDistribution], trials: int
) -> tuple[Study, tuple[str, ...]]:
    """As the command does it: checked, opened, changed, noted, run."""
    objective = Searched(space)
    question = _question(objective.space())
    assert study_faults(bench.ledger, name, question) == []
    study = bench.open(name, objective, trials=trials)
    lines = change_space(study, objective, question)
    study.set_user_attr("question", question)
    bench.run(study, objective, trials)
    return study, lines


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*SPACES, CONDITIONAL]), min_size=2, max_size=3))
def test_any_change_can_be_gone_on_with(
    bench: Bench, new_name: Iterator[str], spaces: list[dict[str, BaseDistribution]]
) -> None:
    """From any space to any other, new trials lie in the new one and all old ones stay, and count, as they were."""
    name, total = next(new_name), 0
    before: list[Any] = []
    for space in spaces:
        study, _ = _search(bench, name, space, total + 8)
        trials = study.get_trials()
        assert trials[: len(before)] == before
        assert all(carried(Searched(space).space(), t.params) == t.params for t in trials[len(before) :])
        assert tally(study).finished == len(trials) <= total + 8
        marked = outside_trials(study)
        assert marked <= {t.number for t in before}
        assert all(
            (carried(Searched(space).space(), t.params) is None) == (t.number in marked) for t in before
        )
        before, total = trials, len(trials)


def test_the_sampler_uses_what_lies_inside(bench: Bench, new_name: Iterator[str]) -> None:
    """After choices, scale and bounds have changed, suggestions are those of a study that was always so, to the bit."""
    wide: dict[str, BaseDistribution] = {"x": FloatDistribution(0.0, 1.0), "n": IntDistribution(1, 4)}
    narrow = Searched({"x": FloatDistribution(0.05, 0.9, log=True), "n": CategoricalDistribution([1, 2, 3])})
    changed, always = (bench.open(next(new_name), narrow) for _ in range(2))
    changed.set_user_attr("question", _question(wide))
    for i in range(40):
        params, value = {"x": i / 40, "n": i % 4 + 1}, (i / 40 - 0.8) ** 2
        changed.add_trial(create_trial(params=params, distributions=wide, value=value))
        if carried(narrow.space(), params):
            always.add_trial(create_trial(params=params, distributions=dict(narrow.space()), value=value))

    lines = change_space(changed, narrow, _question(narrow.space()))
    suggested = []
    for study in (changed, always):
        study.sampler = make_sampler(narrow, trials=100, seed=1)
        suggested.append([draw(study.ask(), narrow.space()).params for _ in range(6)])

    assert suggested[0] == suggested[1]
    assert lines[-1] == (
        "Space changed: 26 of 40 earlier trials lie in it and guide the sampler; 14 outside are marked, count and "
        "stay valid scores"
    )


def test_a_trial_outside_guides_nobody(bench: Bench, new_name: Iterator[str]) -> None:
    """The sampler sees the trials inside, as of the new space, and none of the others; the study keeps all."""
    name = next(new_name)
    study, _ = _search(bench, name, SPACES[0], 12)
    narrow = Searched({"x": FloatDistribution(0.2, 0.8), "n": IntDistribution(1, 8)})
    change_space(study, narrow, _question(narrow.space()))

    view = SpaceView(narrow.space()).of(study)

    inside = {trial.number for trial in view.trials}
    assert inside == {trial.number for trial in study.trials} - outside_trials(study)
    assert 0 < len(inside) < 12
    assert all(trial.distributions == dict(narrow.space()) for trial in view.trials)
    assert {t.number: t.value for t in view.trials}.items() <= {
        t.number: t.value for t in study.trials
    }.items()
    assert all(trial.distributions == SPACES[0] for trial in study.trials)


def test_what_a_dead_coordinator_left_running_disturbs_nobody(bench: Bench, new_name: Iterator[str]) -> None:
    """A trial that still counts as running, drawn from earlier choices, is not shown to the sampler."""
    name, old = next(new_name), Searched(SPACES[2])
    study, _ = _search(bench, name, SPACES[2], 12)
    study.ask(fixed_distributions=dict(old.space()))
    new = Searched(SPACES[0])
    change_space(study, new, _question(new.space()))
    study.sampler = make_sampler(new, trials=20, seed=3)

    asked = [draw(study.ask(), new.space()) for _ in range(3)]

    assert all(carried(new.space(), trial.params) == trial.params for trial in asked)
    assert {trial.number for trial in asked} <= {t.number for t in SpaceView(new.space()).of(study).trials}
    assert 12 not in {t.number for t in SpaceView(new.space()).of(study).trials}


def test_a_study_that_never_changed_is_shown_as_it_is(bench: Bench, new_name: Iterator[str]) -> None:
    """Without a change nothing stands between the sampler and the study, and nothing is written about it."""
    study, lines = _search(bench, next(new_name), SPACES[0], 3)

    assert SpaceView(SPACES[0]).of(study) is study
    assert lines == ()
    assert not {SPACE, CHANGES, OUTSIDE} & study.user_attrs.keys()


def test_what_changed_is_said(bench: Bench, new_name: Iterator[str]) -> None:
    """One line for each parameter that changed, with both sides, and one for the trials."""
    name = next(new_name)
    _search(bench, name, SPACES[0], 6)

    _, lines = _search(bench, name, {**CONDITIONAL, "x": FloatDistribution(0.5, 0.5)}, 6)
    _, again = _search(bench, name, CONDITIONAL, 6)
    _, same = _search(bench, name, CONDITIONAL, 6)

    assert lines[:2] == (
        "Space: x was 0 to 1, is fixed at 0.5",
        "Space: more was not searched, is False or True",
    )
    assert set(again[:-1]) == {
        "Space: x was fixed at 0.5, is 0 to 1",
        "Space: n was 1 to 8, is 1 to 8 when more is True",
    }
    assert same == ()


def test_the_best_may_lie_outside(bench: Bench, new_name: Iterator[str]) -> None:
    """A score stays the answer to the study's question, whatever is searched next; its trial is marked."""
    name = next(new_name)
    study, _ = _search(bench, name, SPACES[0], 10)
    best = best_trial(study)
    assert best is not None

    study, _ = _search(bench, name, {"x": FloatDistribution(0.95, 1.0), "n": IntDistribution(7, 8)}, 14)

    after = best_trial(study)
    assert after is not None
    assert after.number == best.number
    assert best.number in outside_trials(study)


def test_a_mark_goes_when_the_space_is_widened(bench: Bench, new_name: Iterator[str]) -> None:
    """What lies inside again is marked so, for its run has the old mark."""
    name = next(new_name)
    for space in (SPACES[0], SPACES[3]):
        study, _ = _search(bench, name, space, 6)
    marked = study.user_attrs[OUTSIDE]
    assert marked
    assert all(marked.values())

    study, _ = _search(bench, name, SPACES[0], 6)

    assert study.user_attrs[OUTSIDE] == dict.fromkeys(marked, False)


def test_what_was_queued_moves_inside(bench: Bench, new_name: Iterator[str]) -> None:
    """The configuration of an interrupted trial takes the nearest place in the new space, also with new choices."""
    name, first = next(new_name), Searched(SPACES[0])
    study = bench.open(name, first)
    study.set_user_attr("question", _question(first.space()))
    study.enqueue_trial({"x": 0.9, "n": 7})
    bench.run(study, first, 1)
    study.ask(fixed_distributions=dict(first.space()))

    study, _ = _search(
        bench, name, {"x": FloatDistribution(0.0, 0.5), "n": CategoricalDistribution([4, 5])}, 2
    )

    retry = study.trials[2]
    assert (retry.state, retry.params) == (TrialState.COMPLETE, {"x": 0.5, "n": 4})
    assert retry.user_attrs["retry_of"] == 1


def test_a_change_cut_short_is_made_again(bench: Bench, new_name: Iterator[str]) -> None:
    """A command killed between changing the space and noting the question leaves nothing wrong behind."""
    name = next(new_name)
    study, _ = _search(bench, name, SPACES[0], 6)
    other = Searched(SPACES[3])
    change_space(study, other, _question(other.space()))

    study, lines = _search(bench, name, SPACES[0], 8)

    assert lines
    assert outside_trials(study) == frozenset()
    assert tally(study).finished == 8


@pytest.mark.slow
def test_those_at_work_keep_their_space(new_database: str) -> None:
    """A coordinator knows of another at the study, and so with another space it is refused; alone it is not."""
    with SharedSeat(new_database, "rent", 0.0).taken() as first:
        assert not first.has_others()
        with SharedSeat(new_database, "rent", 0.0).taken() as second:
            assert first.has_others()
            assert second.has_others()
        assert not first.has_others()
