from __future__ import annotations

import math
from typing import Any

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from search.loop.tally import (
    best_trial,
    complete_trials,
    default_trial,
    last_activity,
    tally,
    trial_score,
    trial_std,
)


def _study(direction: str = "minimize") -> optuna.Study:
    return optuna.create_study(direction=StudyDirection[direction.upper()])


def _add(study: optuna.Study, state: str, value: float | None = None, **attributes: Any) -> None:
    study.add_trial(create_trial(state=TrialState[state], value=value, user_attrs=attributes))


def test_trials_are_counted_by_what_became_of_them() -> None:
    """Interrupted trials are apart from failed ones and not finished; running and waiting are shown."""
    study = _study()
    for state, count in {"COMPLETE": 3, "PRUNED": 2, "FAIL": 1}.items():
        for _ in range(count):
            _add(study, state, 1.0 if state == "COMPLETE" else None)
    for _ in range(2):
        _add(study, "FAIL", interrupted=True)
    study.enqueue_trial({})
    study.enqueue_trial({})
    study.ask()
    counts = tally(study)

    assert (counts.complete, counts.pruned, counts.failed) == (3, 2, 1)
    assert (counts.interrupted, counts.running, counts.waiting) == (2, 1, 1)
    assert counts.finished == 6
    assert str(counts) == ("6 finished (3 complete, 2 pruned, 1 failed), 2 interrupted, 1 running, 1 waiting")


def test_what_is_not_there_is_not_said() -> None:
    """An orderly study's line has no word of interrupted, running or waiting trials."""
    assert str(tally(_study())) == "0 finished (0 complete, 0 pruned, 0 failed)"


def test_an_interrupted_default_is_found_again() -> None:
    """The default's score is that of its retry, however often it was interrupted."""
    study = _study()
    assert default_trial(study) is None
    _add(study, "FAIL", interrupted=True)
    _add(study, "COMPLETE", 3.0)
    _add(study, "FAIL", interrupted=True, retry_of=0)
    assert default_trial(study) is None

    _add(study, "COMPLETE", 2.0, retry_of=2)

    found = default_trial(study)
    assert found is not None
    assert found.number == 3


@pytest.mark.parametrize(("direction", "order"), [("minimize", [1, 3, 0]), ("maximize", [0, 1, 3])])
def test_the_best_comes_first(direction: str, order: list[int]) -> None:
    """Only trials that ran to their end are ranked, of equals the earlier first."""
    study = _study(direction)
    for state, value in [("COMPLETE", 2.0), ("COMPLETE", 1.0), ("PRUNED", 0.0), ("COMPLETE", 1.0)]:
        _add(study, state, value)

    assert [trial.number for trial in complete_trials(study)] == order
    best = best_trial(study)
    assert best is not None
    assert best.number == order[0]


def test_no_complete_trial_is_no_best() -> None:
    """A study of failures has no best trial."""
    study = _study()
    _add(study, "FAIL")

    assert best_trial(study) is None


def test_a_score_comes_with_its_spread() -> None:
    """Mean ± standard deviation, whatever the metric's name."""
    study = _study()
    _add(study, "COMPLETE", 0.91234567, metrics={"cv_auc_std": 0.05, "seconds": 3.0})

    assert trial_score(study.trials[0]) == "0.912346 ± 0.050000"
    assert math.isnan(trial_std(create_trial(value=1.0)))


def test_the_last_activity_is_the_latest_moment() -> None:
    """A running trial's beginning counts as well as an end; an empty study has none."""
    study = _study()
    assert last_activity(study) is None
    _add(study, "COMPLETE", 1.0)
    study.ask()

    assert last_activity(study) == study.trials[-1].datetime_start
