from __future__ import annotations

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from search.loop.pruner import AUDITED
from search.results.pruning_audit import pruning_audit


def _study(*trials: tuple[str, float, float, bool], direction: str = "minimize") -> optuna.Study:
    """Trials by state, value, seconds, and whether they were to be pruned."""
    study = optuna.create_study(direction=direction)
    for state, value, seconds, audited in trials:
        study.add_trial(
            create_trial(
                state=TrialState[state],
                value=None if state == "FAIL" else value,
                params={"x": 0.5},
                distributions={"x": FloatDistribution(0, 1)},
                user_attrs={"metrics": {"seconds": seconds}},
                system_attrs={AUDITED: 3} if audited else {},
            )
        )
    return study


def test_saved_is_the_rest_of_each_evaluation() -> None:
    """A pruned trial saves what it was cheaper than a whole one is predicted to be, never less than nothing."""
    study = _study(
        ("COMPLETE", 1, 10, False),
        ("COMPLETE", 2, 10, False),
        ("PRUNED", 3, 4, False),
        ("PRUNED", 3, 90, False),
        ("FAIL", 3, 50, False),
    )

    audit = pruning_audit(study)

    assert audit.saved_seconds == pytest.approx(6)
    assert audit.work == pytest.approx(114 / 120)
    assert (audit.pruned, audit.audited) == (2, 0)


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_a_false_prune_is_one_that_beats_all_others(direction: str, sign: int) -> None:
    """Only trials better than the best that was not to be pruned count as false."""
    audited = [("COMPLETE", sign * value, 1.0, True) for value in (0.5, 1.5, 2.5)]
    study = _study(("COMPLETE", sign * 1.0, 1.0, False), *audited, direction=direction)

    audit = pruning_audit(study)

    assert (audit.audited, audit.false) == (3, 1)


@pytest.mark.parametrize(("n", "bound"), [(0, 1.0), (1, 0.95), (10, 1 - 0.05**0.1), (59, 0.0495)])
def test_nothing_found_is_not_nothing_there(n: int, bound: float) -> None:
    """Of n looked at and none false, the share stays below the bound of 95 % confidence: about 3 of n."""
    study = _study(("COMPLETE", 0, 1, False), *[("COMPLETE", 1, 1, True)] * n)

    assert pruning_audit(study).most_false == pytest.approx(bound, abs=1e-3)


def test_what_is_said_of_it() -> None:
    """The figures come with their meaning; without an audit nothing is claimed."""
    without = pruning_audit(_study(("COMPLETE", 1, 10, False), ("PRUNED", 2, 2, False)))
    with_one = pruning_audit(_study(("COMPLETE", 1, 10, False), ("COMPLETE", 2, 10, True)))

    assert without.lines() == ["Pruning saved about 8 s of fitting, 40 % of it all"]
    assert with_one.lines()[1] == (
        "Pruning audit: 1 finished although they were to be pruned, 0 of them better than all others; "
        "true of at most 95 % of the pruned (95 % confidence)"
    )
