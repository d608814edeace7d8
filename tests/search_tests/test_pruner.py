from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from search.loop.objective_pruner import ObjectivePruner
from search.loop.pruner import AUDITED, LadderPruner
from search.loop.tally import RETRY_OF
from search.space.combined import CHOICE, CombinedObjective
from tests.search_tests.two_objectives import Lightgbm, Trees

if TYPE_CHECKING:
    from collections.abc import Mapping

N_STARTUP = 5
NOISE = random.Random(0)  # noqa: S311 - no secret


def _pruner(doubt: float = 0.05, **settings: Any) -> LadderPruner:
    settings = {"aim": 0.0, "n_warmup_steps": 1, "audit_share": 0.0, **settings}
    return LadderPruner(doubt, n_startup_trials=N_STARTUP, **settings)


def _study(
    reports: list[dict[int, float]], state: TrialState = TrialState.COMPLETE, direction: str = "minimize"
) -> optuna.Study:
    study = optuna.create_study(direction=StudyDirection[direction.upper()])
    _add(study, reports, state)
    return study


def _add(study: optuna.Study, reports: list[dict[int, float]], state: TrialState) -> None:
    for values in reports:
        value = None if state == TrialState.FAIL else values[max(values)]
        study.add_trial(create_trial(state=state, value=value, intermediate_values=values))


def _prunes(
    study: optuna.Study,
    reports: dict[int, float],
    pruner: LadderPruner | None = None,
    params: Mapping[str, float] | None = None,
) -> bool:
    # A thread that judges a trial has asked for it, and so has looked at what there is.
    study.ask()
    trial = create_trial(state=TrialState.RUNNING, intermediate_values=reports, **_drawn(params or {}))
    return (pruner or _pruner()).prune(study, trial)


def _drawn(params: Mapping[str, float]) -> dict[str, Any]:
    space = optuna.distributions.FloatDistribution(0, 100)
    return {"params": dict(params), "distributions": dict.fromkeys(params, space)}


def _curves(*levels: float, noise: float = 0.0) -> list[dict[int, float]]:
    """Curves that fall by 1 a step, whose end says the level."""
    return [
        {step: level + 3 - step + noise * NOISE.uniform(-1, 1) * (step < 3) for step in range(4)}
        for level in levels
    ]


def test_nothing_to_compare_with() -> None:
    """Where the complete trials reported nothing, nobody is stopped."""
    study = optuna.create_study()
    for _ in range(N_STARTUP):
        study.add_trial(create_trial(state=TrialState.COMPLETE, value=1.0))

    assert not _prunes(study, {1: 1000.0})


def test_who_has_no_chance_goes() -> None:
    """Where standings foretell the end, a trial that would end behind the best is stopped, and a better one is not."""
    study = _study(_curves(1, 2, 3, 4, 5))

    assert not _prunes(study, {1: 2.9})
    assert _prunes(study, {1: 3.1})


def test_the_rule_is_as_forgiving_as_the_step_is_uncertain() -> None:
    """The same distance behind the best is enough at a step that foretells the end, and not at one that does not."""
    study = _study([{1: level + NOISE.uniform(-3, 3), 2: level, 3: level} for level in range(1, 21)])

    assert not _prunes(study, {1: 3.0})
    assert _prunes(study, {1: 3.0, 2: 3.0})
    assert _prunes(study, {1: 30.0})


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_direction_says_what_is_worse(direction: str) -> None:
    """With a score to maximise, the low ones go."""
    study = _study(_curves(1, 2, 3, 4, 5), direction=direction)

    assert _prunes(study, {1: 9.0}) == (direction == "minimize")
    assert _prunes(study, {1: 0.0}) == (direction == "maximize")


def test_only_equal_steps_are_compared() -> None:
    """A value is judged by what others had at that step, not by where they ended."""
    study = _study([{1: 100.0 + level, 2: 1.0 + level, 3: level} for level in range(5)])

    assert not _prunes(study, {1: 99.0})
    assert _prunes(study, {1: 99.0, 2: 2.0})


def test_a_fold_that_ended_early_stands_where_it_ended() -> None:
    """A trial without a report at a step, because its fold was over, is compared by its next report."""
    study = _study([{1: 100.0, 3: 1.0 + level} for level in range(5)])

    assert not _prunes(study, {2: 0.9})
    assert _prunes(study, {2: 1.1})


def test_a_step_nobody_reached_prunes_nobody() -> None:
    """Without anything to compare with there is no verdict."""
    assert not _prunes(_study(_curves(1, 2, 3, 4, 5)), {9: 1e9})


def test_nothing_is_pruned_before_the_warm_up() -> None:
    """The first reports of the first fold say too little, and no report says nothing."""
    study = _study(_curves(1, 2, 3, 4, 5))

    assert not _prunes(study, {0: 1e9})
    assert not _prunes(study, {})
    assert _prunes(study, {0: 1e9, 1: 1e9})


def test_nothing_is_pruned_before_enough_are_complete() -> None:
    """Pruned and failed trials do not end the start-up."""
    study = _study(_curves(1, 2, 3, 4))
    for state in (TrialState.PRUNED, TrialState.FAIL):
        _add(study, _curves(1, 1, 1), state)

    assert not _prunes(study, {1: 1e9})
    _add(study, _curves(5), TrialState.COMPLETE)
    assert _prunes(study, {1: 1e9})


def test_one_that_diverged_bends_nothing() -> None:
    """A trial that came out absurdly bad does not make everything look possible."""
    study = _study(_curves(*range(1, 21)))
    _add(study, [{0: 4.0, 1: 3.0, 2: 1e6, 3: 1e9}], TrialState.COMPLETE)

    assert _prunes(study, {1: 4.0})


def test_who_is_through_is_not_stopped() -> None:
    """At the last step of the ladder everything is computed, so a trial that is no good is complete all the same."""
    study = _study(_curves(*range(1, 6)))

    assert _prunes(study, {1: 9.0, 2: 9.0})
    assert not _prunes(study, {1: 9.0, 2: 9.0, 3: 9.0})


def test_the_first_trial_is_always_finished() -> None:
    """What everything is compared with has a score, whatever it is."""
    study = _study(_curves(*range(1, 6)))
    first = create_trial(state=TrialState.RUNNING, intermediate_values={1: 1e9})
    study.ask()

    first.number = 0
    assert not _pruner().prune(study, first)
    first.number = 1
    assert _pruner().prune(study, first)
    first.user_attrs = {"retry_of": 0}
    assert not _pruner().prune(study, first)


def test_the_best_few_are_the_aim() -> None:
    """With a share that counts as the best, who would only be among them is finished too."""
    study = _study(_curves(*range(1, 21)))

    assert _prunes(study, {1: 4.5}, _pruner(aim=0.0))
    assert not _prunes(study, {1: 4.5}, _pruner(aim=0.3))


def test_who_costs_a_multiple_has_to_be_better() -> None:
    """At the same standing a configuration of usual cost goes on and one of many times that cost is stopped."""
    study = optuna.create_study()
    for values in _curves(*range(1, 21), noise=2.0):
        study.add_trial(create_trial(value=values[3], intermediate_values=values, **_drawn({"size": 1.0})))
    pruner = _pruner(work=lambda params: params["size"])
    standings = [1 + 0.25 * k for k in range(40)]

    usual, costly = (
        [_prunes(study, {1: at}, pruner, {"size": size}) for at in standings] for size in (1.0, 10.0)
    )

    assert not any(cheap and not dear for cheap, dear in zip(usual, costly, strict=True))
    assert usual.index(True) > costly.index(True)
    assert usual == [_prunes(study, {1: at}, pruner, {"size": 1.9}) for at in standings]


def test_only_the_latest_are_looked_at() -> None:
    """A search gets better as it goes: what was best at its beginning says nothing at its end."""
    study = _study(_curves(*range(1, 6)))
    _add(study, _curves(*range(21, 41)), TrialState.COMPLETE)

    assert _prunes(study, {1: 20.0}, _pruner(window=25))
    assert not _prunes(study, {1: 20.0}, _pruner(window=20))


def test_some_to_be_pruned_are_finished_and_marked() -> None:
    """The audit takes its share, the same trials whenever asked, never asks again, and leaves good ones alone."""
    curves = [{**curve, 4: curve[3]} for curve in _curves(1, 2, 3, 4, 5)]
    study, pruner = _study(curves), _pruner(audit_share=0.3)
    fates = {}
    for trial in [study.ask() for _ in range(200)]:
        trial.report(0.5, 1)
        assert not trial_prunes(pruner, study, trial)
        assert AUDITED not in frozen(study, trial).system_attrs
        trial.report(9.0, 2)
        fates[trial.number] = not trial_prunes(pruner, study, trial)
        assert (frozen(study, trial).system_attrs.get(AUDITED) == 2) == fates[trial.number]
        trial.report(9.0, 3)
        assert trial_prunes(pruner, study, trial) != fates[trial.number]

    assert 30 < sum(fates.values()) < 90


def trial_prunes(pruner: LadderPruner, study: optuna.Study, trial: optuna.Trial) -> bool:
    """The pruner's verdict on what the trial has reported."""
    return pruner.prune(study, frozen(study, trial))


def frozen(study: optuna.Study, trial: optuna.Trial) -> optuna.trial.FrozenTrial:
    """The trial as its ledger has it."""
    return study._storage.get_trial(trial._trial_id)


def test_one_pruner_judges_a_growing_study() -> None:
    """What was read for one verdict counts once in the next, in whatever order the trials end."""
    study, pruner = _study(_curves(3, 4, 5, 6, 7)), _pruner()
    running = [study.ask() for _ in range(4)]
    probe = create_trial(state=TrialState.RUNNING, intermediate_values={1: 4.5})
    verdicts = []
    for trial, level in zip(reversed(running), (8, 2, 9, 1), strict=True):
        verdicts.append(pruner.prune(study, probe))
        for step, value in _curves(level)[0].items():
            trial.report(value, step)
        study.tell(trial, level)
        study.ask()

    # It would end at 2.5: good beside 3 at best, not beside 2.
    assert verdicts == [False, False, True, True]


def _race(standings: list[float], **settings: Any) -> list[bool]:
    """Which of some trials, one after another, a tryout with its last step at 1 stops."""
    study, pruner = optuna.create_study(), _pruner(tryout_step=1, **settings)
    stopped = []
    for standing in standings:
        trial = study.ask()
        trial.report(standing, 1)
        stopped.append(pruner.prune(study, study.trials[trial.number]))
        study.tell(trial, state=TrialState.PRUNED)
    return stopped


def test_a_tryout_is_a_race() -> None:
    """Of those tried out on a few rows a twentieth at most goes on, also before any was evaluated as a whole."""
    standings = random.Random(1).sample(range(1000), 300)  # noqa: S311

    stopped = _race([float(one) for one in standings])

    assert not stopped[0]
    assert 0.025 < 1 - sum(stopped) / len(stopped) < 0.05


def test_a_tryout_is_beside_those_that_go_on() -> None:
    """A trial whose whole evaluation is under way is one to be ahead of, the first one too."""
    study, pruner = optuna.create_study(), _pruner(tryout_step=1)
    running = [study.ask() for _ in range(3)]
    stopped = []
    for trial, standing in zip(running, (5.0, 4.0, 4.5), strict=True):
        trial.report(standing, 1)
        stopped.append(pruner.prune(study, study.trials[trial.number]))

    assert stopped == [False, False, True]


def test_a_new_best_tryout_goes_on() -> None:
    """Whoever is clearly ahead of all before is evaluated as a whole."""
    assert not any(_race([float(one) for one in range(10, 0, -1)]))


@pytest.mark.parametrize("resumed", [False, True])
def test_an_interrupted_trial_does_not_race_again(*, resumed: bool) -> None:
    """What had won its race goes on when it is queued again, by the same command and by the next one."""
    study, pruner = optuna.create_study(), _pruner(tryout_step=1)
    stopped = []
    for standing in (9.0, 5.0, 8.0, 5.0):
        trial = study.ask()
        if len(stopped) == 3:
            trial.set_user_attr(RETRY_OF, 1)
            pruner = _pruner(tryout_step=1) if resumed else pruner
        trial.report(standing, 1)
        stopped.append(pruner.prune(study, study.trials[trial.number]))
        if not stopped[-1]:
            trial.report(standing - 1, 2)
        study.tell(trial, state=TrialState.FAIL)

    assert stopped == [False, False, True, False]


def test_no_more_than_a_twentieth_goes_on_as_a_search_gets_better() -> None:
    """Where most new tryouts are among the best so far, still a twentieth goes on, and new bests besides."""
    noise = random.Random(1)  # noqa: S311
    standings = [200.0 - k + noise.uniform(0, 100) for k in range(200)]
    new_bests = sum(one <= min(standings[: k + 1]) for k, one in enumerate(standings))

    gone_on = len(standings) - sum(_race(standings))

    assert len(standings) / 20 <= gone_on <= new_bests + len(standings) / 20


def test_a_best_by_a_hair_is_no_reason_to_go_on() -> None:
    """Where as many go on as may, a tryout has to be ahead by a tenth of what the median is behind."""
    standings = [100.0 + k for k in range(9)]

    assert _race([*standings, 99.7])[-1]
    assert not _race([*standings, 99.5])[-1]


def test_only_the_latest_tryouts_count() -> None:
    """As a search gets better, a place among the first ones is worth nothing."""
    standings = [*(9.0 + k for k in range(60)), *(1.0 + 0.01 * k for k in range(10))]

    assert not any(_race(standings, window=100)[60:63])
    assert _race(standings, window=5)[61:] == [True] * 9


def test_tryouts_are_finished_less_often_for_the_audit() -> None:
    """What costs a hundred times what was saved is done for a fifth of the share only."""
    standings = [float(one) for one in range(1000)]

    assert 0.005 < 1 - sum(_race(standings, audit_share=0.1)[1:]) / len(standings) < 0.04


def test_above_the_tryout_the_forecast_decides() -> None:
    """After its race a trial is judged by what becomes of the others that were evaluated as a whole."""
    study = _study(_curves(1, 2, 3, 4, 5))
    pruner = _pruner(tryout_step=0)

    assert not _prunes(study, {0: 0.0, 1: 2.9}, pruner)
    assert _prunes(study, {0: 0.0, 1: 3.1}, pruner)


def test_each_objective_is_pruned_by_its_own_trials() -> None:
    """A trial that is far behind those of another objective, and ahead among its own, goes on."""
    objective = CombinedObjective([Lightgbm(), Trees()])
    study = optuna.create_study(pruner=ObjectivePruner(objective, seed=0))
    space = optuna.distributions.CategoricalDistribution(objective.names)
    for name, level in (("lightgbm", 0), ("trees", 100)):
        for values in _curves(*range(level, level + 9)):
            study.add_trial(
                create_trial(
                    value=values[max(values)],
                    intermediate_values=values,
                    params={CHOICE: name},
                    distributions={CHOICE: space},
                )
            )

    def prunes(name: str, value: float) -> bool:
        study.ask()
        trial = create_trial(
            state=TrialState.RUNNING,
            intermediate_values={1: value},
            params={CHOICE: name},
            distributions={CHOICE: space},
        )
        trial.number = 18
        return study.pruner.prune(study, trial)

    assert not prunes("trees", 101.0)
    assert prunes("trees", 120.0)
    assert prunes("lightgbm", 20.0)
