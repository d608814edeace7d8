"""Several objectives as one: a choice, and each with its own parameters under it."""

from __future__ import annotations

import math
import pickle
import time
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState

from search.loop.study import open_study
from search.space.combined import CHOICE, CombinedObjective
from search.space.conditional import active, carried
from search.space.table import SpaceTable
from search.space.tuned import table_faults, tuned
from tests.search_tests.fakes import FakeObjective, cv_result
from tests.search_tests.two_objectives import Lightgbm, Nobody, Trees

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import CVResult


@pytest.fixture
def both() -> CombinedObjective:
    """Two objectives as one."""
    return CombinedObjective([Lightgbm(), Trees()])


def test_each_has_its_own_parameters_under_the_choice(both: CombinedObjective) -> None:
    """LightGBM's parameters have their plain names, others' their objective's before them, all under the choice."""
    space = both.space()

    assert [*space] == [CHOICE, "x", "n", "trees.x", "trees.n", "trees.mode"]
    assert space.when["x"] == {CHOICE: ("lightgbm",)}
    assert space.when["trees.mode"] == {CHOICE: ("trees",)}
    assert active(space, {CHOICE: "trees", "x": 0.1, "trees.x": 0.2}) == {CHOICE: "trees", "trees.x": 0.2}


def test_a_trial_of_lightgbm_alone_is_one_of_them(both: CombinedObjective) -> None:
    """A configuration that names no objective, as of a study begun with LightGBM alone, is LightGBM's."""
    assert carried(both.space(), {"x": 0.1, "n": 3}) == {CHOICE: "lightgbm", "x": 0.1, "n": 3}
    assert both.evaluate({"x": 0.1, "n": 3}, Nobody()).objective == "lightgbm"


def test_the_default_is_the_first_ones_and_the_other_defaults_follow(both: CombinedObjective) -> None:
    """The line to beat is LightGBM's default; the next trials are the others'."""
    assert both.default_params() == {CHOICE: "lightgbm", "x": 0.5, "n": 3}
    assert both.portfolio() == [{CHOICE: "trees", "trees.x": 0.25, "trees.n": 2, "trees.mode": "a"}]
    assert both.starts_of("lightgbm")[1:] == [{CHOICE: "lightgbm", "x": 0.1, "n": 1}]


def test_a_configuration_goes_to_its_objective_under_its_own_names(
    both: CombinedObjective, tmp_path: Path
) -> None:
    """Evaluation, cost, slower fits and saving are the named objective's, which sees its own names only."""
    params = {CHOICE: "trees", "trees.x": 0.5, "trees.n": 2, "trees.mode": "b"}

    result = both.evaluate(params, Nobody())
    assert (result.objective, result.mean) == ("trees", pytest.approx(0.06))
    assert both.work(params) == 0.5
    assert both.slower(params, 2) == {**params, "trees.x": 0.25}
    both.save_model(result, tmp_path)
    assert (tmp_path / "model.txt").read_text(encoding="utf-8") == repr(result.mean)


def test_what_is_no_result_is_passed_on() -> None:
    """An objective that returns nonsense is judged by what judges all results, not by a crash here."""

    class Wrong(Trees):
        @staticmethod
        def body(*_: object) -> CVResult:
            return None  # type: ignore[return-value]

    assert CombinedObjective([Lightgbm(), Wrong()]).evaluate({CHOICE: "trees"}, Nobody()) is None


def test_it_crosses_to_other_processes(both: CombinedObjective) -> None:
    """Workers get it by pickle, whole."""
    copy = pickle.loads(pickle.dumps(both))  # noqa: S301 - our own

    assert copy.space() == both.space()
    assert copy.evaluate(both.default_params(), Nobody()).mean == pytest.approx(0.07)


def test_one_objective_stays_as_it_is() -> None:
    """Alone, an objective has its plain space: nothing of the choice is in it."""
    alone = Lightgbm()

    assert tuned([alone], None) is alone


def test_a_table_is_laid_over_each_objective() -> None:
    """Plain entries are LightGBM's, those of an objective's own table that objective's, with its conditions."""
    table = SpaceTable.model_validate(
        {"x": 0.5, "trees": {"n": [2, 4], "x": {"low": 0.2, "when": {"mode": "b"}}}}
    )
    both = tuned([Lightgbm(), Trees()], table)
    space = both.space()

    assert space["x"] == FloatDistribution(0.5, 0.5)
    assert space["trees.x"] == FloatDistribution(0.2, 1.0)
    assert isinstance(both, CombinedObjective)
    assert active(space, {CHOICE: "trees", "trees.mode": "a", "trees.x": 0.3}).keys() == {
        CHOICE,
        "trees.mode",
    }
    assert both.starts_of("trees")[0] == {CHOICE: "trees", "trees.n": 2, "trees.mode": "a"}


def test_a_table_of_scalars_is_an_objectives_where_its_name_is_known() -> None:
    """`[space.lightgbm] x = 1` is no entry with an unknown key."""
    assert SpaceTable.model_validate({"lightgbm": {"x": 0.5}}).root.keys() == {"lightgbm.x"}


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ({"leaf": 3}, "[space] leaf: got an unknown parameter; allowed: x, n"),
        ({"trees": {"leaf": [3]}}, "[space] trees.leaf: got an unknown parameter; allowed: x, n, mode"),
        ({"trees.n": "many"}, "[space] trees.n: got 'many'; allowed: whole numbers"),
        ({"objective": ["trees"]}, "[space] objective: got an entry; allowed: none"),
    ],
)
def test_an_entry_that_fits_no_objective(entries: dict[str, Any], named: str) -> None:
    """Each fault names the entry as it was written."""
    (fault,) = table_faults([Lightgbm(), Trees()], SpaceTable.model_validate(entries))

    assert fault.startswith(named)


def test_entries_of_an_objective_that_is_not_searched_are_left_alone() -> None:
    """One settings file serves searches of different objectives."""
    table = SpaceTable.model_validate({"linear": {"alpha": 1.0}})

    assert table_faults([Lightgbm()], table) == []
    assert tuned([Lightgbm()], table).space() == Lightgbm().space()


def test_without_lightgbm_no_entry_is_plain() -> None:
    """Where no objective has plain names, an entry says whose it is."""

    class Bushes(Trees):
        name = "bushes"

    (fault,) = table_faults([Trees(), Bushes()], SpaceTable.model_validate({"x": 0.5}))
    assert "allowed: [space.trees], [space.bushes]" in fault


def _open(both: CombinedObjective, trials: int = 40, deadline: float = math.inf) -> optuna.Study:
    storage = optuna.storages.InMemoryStorage()
    return open_study(storage, "s", both, maximize=False, trials=trials, seed=1, deadline=lambda: deadline)


def _run(study: optuna.Study, both: CombinedObjective, trials: int, seconds: dict[str, float]) -> list[str]:
    from search.loop.claims import SoleClaims

    claims = SoleClaims(study, both.space(), trials)
    chosen = []
    for _ in range(trials):
        trial = claims.claim([])
        assert trial is not None
        chosen.append(str(trial.params[CHOICE]))
        trial.set_user_attr("metrics", {"seconds": seconds[chosen[-1]]})
        score = both.evaluate(trial.params, Nobody()).mean + (10 if chosen[-1] == "trees" else 0)
        study.tell(trial, score, state=TrialState.COMPLETE)
        claims.told()
    return chosen


def test_each_objective_is_sampled_by_its_own_trials(both: CombinedObjective) -> None:
    """Every trial has its objective's parameters and no others, starts first, and each sampler learns from its own."""
    study = _open(both)
    chosen = _run(study, both, 40, {"lightgbm": 1.0, "trees": 1.0})

    assert chosen[:2] == ["lightgbm", "trees"]
    for trial in study.trials:
        own = {CHOICE, "x", "n"} if trial.params[CHOICE] == "lightgbm" else {CHOICE, *both.space_of("trees")}
        assert trial.params.keys() == own
    assert {"x": 0.1, "n": 1, CHOICE: "lightgbm"} in [trial.params for trial in study.trials]
    # All of them score 10 worse than LightGBM's, and still the sampler tells good from bad among them.
    later = [t.params["trees.x"] for t in study.trials[20:] if t.params[CHOICE] == "trees"]
    assert sum(abs(x - 0.3) < 0.25 for x in later) > len(later) / 2


def test_time_is_shared_where_it_is_limited(both: CombinedObjective) -> None:
    """Where two promise the same, the one that takes four times as long gets about a quarter as many trials."""
    limited = _open(both, deadline=time.monotonic() + 1e6)

    assert 6 <= _run(limited, both, 40, {"lightgbm": 1.0, "trees": 4.0}).count("trees") <= 10
    assert _run(_open(both), both, 40, {"lightgbm": 1.0, "trees": 4.0}).count("trees") == 20


def test_the_same_seed_gives_the_same_trials(both: CombinedObjective) -> None:
    """With times that differ a little, the same seed gives the same search."""
    first, second = _open(both), _open(both)
    _run(first, both, 20, {"lightgbm": 1.0, "trees": 1.0})
    _run(second, both, 20, {"lightgbm": 1.1, "trees": 0.95})

    assert [t.params for t in first.trials] == [t.params for t in second.trials]


def test_a_finite_objective_is_left_when_all_of_it_was_tried() -> None:
    """No configuration comes twice, though one objective has two of them only."""

    class Few(FakeObjective):
        name = "few"

        def __init__(self) -> None:
            super().__init__(lambda params, _: cv_result(params["k"]), {"k": IntDistribution(1, 2)})

        def default_params(self) -> dict[str, Any]:
            return {"k": 2}

    both = CombinedObjective([Lightgbm(), Few()])
    chosen = _run(_open(both), both, 12, {"lightgbm": 1.0, "few": 1.0})

    assert chosen.count("few") == 2
