"""Which trials are a coordinator's own: counted, asked for, and taken over from the dead."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from search.loop.fresh import is_exhausted
from search.loop.interruption import ORPHANED, interrupt, running_trials
from search.loop.tally import is_counted, is_worked_at
from search.space.conditional import space_size
from search.space.drawing import draw

if TYPE_CHECKING:
    from collections.abc import Collection

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from storage.coordination.seat import Seat

OWNER = "coordinator"
"""Trial attribute: name of the coordinator that asked for it, where there may be several."""
LOOK_SECONDS = 1.0
"""Between two looks at what became of the others."""


class Claims(Protocol):
    """A coordinator's claims on a study with a fixed number of trials."""

    def finished(self) -> int:
        """Trials of the study that count, whoever ran them."""
        ...

    def claim(self, running: Collection[int]) -> Trial | None:
        """Asks for a trial, if the study's number is not used up by finished and running ones.

        Args:
            running: Numbers of the coordinator's own running trials.
        """
        ...

    def is_exhausted(self) -> bool:
        """Whether each configuration there is has been tried; to be asked when none of its own runs."""
        ...

    def told(self) -> None:
        """Notes that a trial of the coordinator's own has ended, and counts."""
        ...

    def tend(self, running: Collection[int]) -> tuple[list[FrozenTrial], frozenset[int]]:
        """Closes what dead coordinators left running, if it is time to look.

        Args:
            running: Numbers of the coordinator's own running trials.

        Returns:
            The trials closed, and which of its own others have closed.
        """
        ...

    def close_own(self, running: Collection[int], reason: str) -> list[FrozenTrial]:
        """Closes all running trials of the coordinator's own; returns them."""
        ...


@dataclass
class SoleClaims:
    """The claims of the only coordinator: counting is done in memory."""

    study: Study
    space: dict[str, BaseDistribution]
    trials: int
    _finished: int = 0

    def __post_init__(self) -> None:
        self._finished = sum(is_counted(t) for t in self.study.get_trials(deepcopy=False))

    def finished(self) -> int:
        """Those at the beginning and those told since."""
        return self._finished

    def claim(self, running: Collection[int]) -> Trial | None:
        """Asks, unless all are there or running, or there is nothing new to ask for."""
        if self._finished + len(running) >= self.trials or self.is_exhausted():
            return None
        return draw(self.study.ask(), self.space)

    def is_exhausted(self) -> bool:
        """Whether each configuration has its trial."""
        return is_exhausted(self.study, self.space)

    def told(self) -> None:
        """Counts one more."""
        self._finished += 1

    def tend(self, running: Collection[int]) -> tuple[list[FrozenTrial], frozenset[int]]:  # noqa: ARG002
        """Nobody to look after."""
        return [], frozenset()

    def close_own(self, running: Collection[int], reason: str) -> list[FrozenTrial]:  # noqa: ARG002
        """All that run, also one that a signal kept from being handed out."""
        return interrupt(self.study, running_trials(self.study), reason)


@dataclass
class SharedClaims:
    """One of several coordinators' claims: counting is done in the ledger, one coordinator at a time."""

    study: Study
    space: dict[str, BaseDistribution]
    trials: int
    seat: Seat
    _looked: float = 0.0

    def finished(self) -> int:
        """As the ledger has it now."""
        return sum(is_counted(t) for t in self.study.get_trials(deepcopy=False))

    def claim(self, running: Collection[int]) -> Trial | None:  # noqa: ARG002 - the ledger has all
        """Makes a trial its own while nobody else does.

        Its parameters are drawn afterwards, for that takes a while: only where there is a finite number of
        configurations could two coordinators draw the same.
        """
        if space_size(self.space) < math.inf:
            return self.seat.insist(self._claim_and_draw)
        with_id = self.seat.insist(self._claim_alone)
        return None if with_id is None else self.seat.insist(lambda: self._drawn(with_id))

    def is_exhausted(self) -> bool:
        """Whether each configuration has its trial, and none runs elsewhere that might come back."""
        return is_exhausted(self.study, self.space) and not running_trials(self.study)

    def told(self) -> None:
        """The ledger knows."""

    def tend(self, running: Collection[int]) -> tuple[list[FrozenTrial], frozenset[int]]:
        """Looks once a second; closes only while nobody else does."""
        if time.monotonic() < self._looked + LOOK_SECONDS:
            return [], frozenset()
        self._looked = time.monotonic()
        found = self.seat.insist(lambda: running_trials(self.study))
        closed: list[FrozenTrial] = []
        if self._orphans(found, running):
            closed = self.seat.insist(lambda: self._close_orphans(running))
        return closed, frozenset(running) - {trial.number for trial in found}

    def close_own(self, running: Collection[int], reason: str) -> list[FrozenTrial]:  # noqa: ARG002
        """Those under its name, also one that a signal kept from being handed out."""

        def close() -> list[FrozenTrial]:
            with self.seat.alone():
                own = [trial for trial in running_trials(self.study) if _owner(trial) == self.seat.name]
                return interrupt(self.study, own, reason)

        return self.seat.insist(close)

    def _claim_and_draw(self) -> Trial | None:
        with self.seat.alone():
            trial_id = None if is_exhausted(self.study, self.space) else self._claim()
            return None if trial_id is None else self._drawn(trial_id)

    def _claim_alone(self) -> int | None:
        with self.seat.alone():
            return self._claim()

    def _drawn(self, trial_id: int) -> Trial:
        import optuna

        return draw(optuna.Trial(self.study, trial_id), self.space)

    def _claim(self) -> int | None:
        from optuna.trial import TrialState, create_trial

        self.study._thread_local.cached_all_trials = None  # noqa: SLF001 - as `ask` does
        storage, study_id = self.study._storage, self.study._study_id  # noqa: SLF001
        known = self.study.get_trials(deepcopy=False)
        taken = sum(is_counted(trial) or is_worked_at(trial) for trial in known)
        if taken >= self.trials:
            return None
        for trial in known:
            if trial.state == TrialState.WAITING:
                # The owner first, so that no trial ever runs without one.
                storage.set_trial_user_attr(trial._trial_id, OWNER, self.seat.name)  # noqa: SLF001
                if storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING):  # noqa: SLF001
                    return trial._trial_id  # noqa: SLF001
        template = create_trial(state=TrialState.RUNNING, user_attrs={OWNER: self.seat.name})
        return storage.create_new_trial(study_id, template)

    def _orphans(self, found: Collection[FrozenTrial], running: Collection[int]) -> list[FrozenTrial]:
        # One of its own that it does not know was claimed when the answer was lost with the connection.
        forgotten = [t for t in found if _owner(t) == self.seat.name and t.number not in running]
        dead = self.seat.dead({_owner(t) for t in found} - {self.seat.name})
        return [*forgotten, *(t for t in found if _owner(t) in dead)]

    def _close_orphans(self, running: Collection[int]) -> list[FrozenTrial]:
        with self.seat.alone():
            orphans = self._orphans(running_trials(self.study), running)
            return interrupt(self.study, orphans, ORPHANED)


def open_claims(study: Study, space: dict[str, BaseDistribution], trials: int, seat: Seat) -> Claims:
    """A coordinator's claims on a study.

    Args:
        study: The study.
        space: What a trial is drawn from.
        trials: The study's total.
        seat: The coordinator's place at it.
    """
    if seat.is_shared:
        return SharedClaims(study, space, trials, seat)
    return SoleClaims(study, space, trials)


def _owner(trial: FrozenTrial) -> str:
    return str(trial.user_attrs.get(OWNER, ""))
