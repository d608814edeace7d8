"""A study as it was at one moment, for commands that only look: read once, and five times as fast as Optuna reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from storage.ledger_trials import finished_trials

if TYPE_CHECKING:
    from collections.abc import Container

    from optuna.study import Study
    from optuna.trial import FrozenTrial, TrialState


def snapshot(study: Study) -> Study:
    """Returns the study with its trials read; all but these is still the study's own.

    Args:
        study: The study; only read.
    """
    return cast("Study", _Snapshot(study))


class _Snapshot:
    def __init__(self, study: Study) -> None:
        self._study = study
        # First those that go on: what ends meanwhile is among the finished ones, which win.
        found = {trial.number: trial for trial in _unfinished(study)}
        found |= {trial.number: trial for portion in finished_trials(study) for trial in portion}
        # One that began in between is missing, and a number is to be a position: up to there.
        whole = next((number for number in range(len(found)) if number not in found), len(found))
        self._trials = [found[number] for number in range(whole)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    @property
    def trials(self) -> list[FrozenTrial]:
        return self._trials

    def get_trials(
        self,
        deepcopy: bool = True,  # noqa: ARG002 - whoever looks does not change them
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        return [trial for trial in self._trials if states is None or trial.state in states]


def _unfinished(study: Study) -> list[FrozenTrial]:
    from optuna.trial import TrialState

    storage: Any = study._storage  # noqa: SLF001 - Study has no way but reading all trials
    # By the database itself: the cache before it would read all.
    backend = getattr(storage, "_backend", storage)
    states = (TrialState.RUNNING, TrialState.WAITING)
    found: list[FrozenTrial] = backend.get_all_trials(study._study_id, deepcopy=False, states=states)  # noqa: SLF001
    return found
