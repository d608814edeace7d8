from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.trial import TrialState

from storage import study_snapshot
from storage.study_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    import optuna
    import pytest


def test_a_snapshot_has_what_the_study_had(study: optuna.Study, run_trials: Callable[..., None]) -> None:
    """Every trial as Optuna reads it, in every state, and nothing that comes later; the rest is the study's."""
    run_trials(6)
    study.ask()
    study.enqueue_trial({"rate": 0.5})
    seen, expected = snapshot(study), study.get_trials()
    study.enqueue_trial({"rate": 0.6})

    assert seen.get_trials() == expected
    assert {trial.state for trial in seen.get_trials()} == set(TrialState)
    assert [trial.number for trial in seen.get_trials(states=(TrialState.COMPLETE,))] == [0, 4]
    assert (seen.study_name, seen.direction, seen.user_attrs) == (
        study.study_name,
        study.direction,
        study.user_attrs,
    )


def test_a_trial_that_began_while_it_was_taken_ends_it(
    study: optuna.Study, run_trials: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number is a position: after one that is missing there are no others."""
    run_trials(3)
    study.ask()
    study.enqueue_trial({"rate": 0.5})
    run_trials(1)
    monkeypatch.setattr(study_snapshot, "_unfinished", lambda _: [])

    assert [trial.number for trial in snapshot(study).get_trials()] == [0, 1, 2]
