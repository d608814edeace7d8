from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from search.config import STABLE_AFTER_TRIALS
from search.loop.stability import stable, standard_error

HALF = STABLE_AFTER_TRIALS // 2


def _add(study: optuna.Study, value: float, state: str = "COMPLETE", std: float = 0.2) -> None:
    folds = {f"cv_rmse_fold_{k}": value for k in range(5)}
    study.add_trial(
        create_trial(
            state=TrialState[state],
            value=None if state == "FAIL" else value,
            user_attrs={"metrics": {**folds, "cv_rmse_std": std, "seconds": 1.0}},
        )
    )


def _study(early: float, late: float, direction: str = "minimize") -> optuna.Study:
    study = optuna.create_study(direction=direction)
    for value in (early, late):
        for _ in range(HALF):
            _add(study, value)
    return study


def test_the_error_is_that_of_the_mean() -> None:
    """Sample standard deviation over the root of the number of folds."""
    study = optuna.create_study()
    _add(study, 1.0, std=0.2)

    assert standard_error(study.trials[0]) == pytest.approx(0.1)


@pytest.mark.parametrize(("direction", "sign"), [("minimize", -1), ("maximize", 1)])
def test_stable_is_a_gain_within_the_error(direction: str, sign: int) -> None:
    """A later half that brought more than the standard error goes on, one that brought less ends it and says so."""
    assert stable(_study(5.0, 5.0 + sign * 0.11, direction)) is None

    ending = stable(_study(5.0, 5.0 + sign * 0.09, direction))

    assert ending is not None
    assert ending.status == "FINISHED"
    assert ending.reason == (
        f"the later half of {2 * HALF} trials gained 0.09, less than the standard error of the best score, 0.1 "
        "(--until-stable)"
    )


def test_a_short_search_is_never_stable() -> None:
    """A few trials without a gain say nothing."""
    study = optuna.create_study()
    for _ in range(STABLE_AFTER_TRIALS - 1):
        _add(study, 5.0)

    assert stable(study) is None
    _add(study, 5.0)
    assert stable(study) is not None


def test_pruned_and_failed_trials_gain_nothing() -> None:
    """They count as trials, and their last reports are no scores."""
    study = optuna.create_study()
    for _ in range(HALF):
        _add(study, 5.0)
    for state in ("PRUNED", "FAIL"):
        for _ in range(HALF):
            _add(study, 1.0, state)

    assert stable(study) is not None


def test_without_a_score_nothing_is_stable() -> None:
    """A study of which nothing ran to its end goes on."""
    study = optuna.create_study()
    for _ in range(2 * HALF):
        _add(study, 5.0, "PRUNED")

    assert stable(study) is None
