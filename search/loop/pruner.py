"""Stops configurations that will not come near the best, and finishes a few of them all the same."""

from __future__ import annotations

import random
import threading
from bisect import bisect_left
from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from optuna.pruners import BasePruner
from optuna.study import StudyDirection
from optuna.trial import TrialState

from search.config import (
    AUDIT_SHARE,
    AUDIT_SHARE_OF_TRYOUTS,
    PRUNER_AIM,
    PRUNER_CLEARLY,
    PRUNER_COSTLY,
    PRUNER_DOUBT,
    PRUNER_MOST_DOUBT,
    PRUNER_STARTUP_TRIALS,
    PRUNER_TRYOUT_SHARE,
    PRUNER_WARMUP_STEPS,
    PRUNER_WINDOW,
)
from search.loop.forecast import Forecast, forecast
from search.loop.history import NewlyFinished, trials_as_asked
from search.loop.tally import origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from optuna.study import Study
    from optuna.trial import FrozenTrial

AUDITED = "ladder:audited"
"""System attribute of a trial that was to be pruned and is finished all the same: the step that decided it."""


class LadderPruner(BasePruner):
    """Prunes a trial that has hardly a chance to end among the best.

    A step is the same fold and the same learning_rate x rounds for every trial, so curves are compared like
    with like. What a trial will come to is forecast from where the complete trials stood at that step and what
    they came to; it is stopped when it would be among the best of them with a probability below `doubt` only.
    So the rule is as forgiving as the step is uncertain: hardly anything goes early where the first rounds say
    little, and half of the trials where they say much. A configuration that costs a multiple of the others has
    to be that much likelier to be good. What finished since this thread last asked for or told a trial is not
    looked at yet.

    Where an evaluation begins with a tryout on a few rows, a hundredth of the whole, that rule would first have to
    see many whole evaluations. So the tryout is a race: only those go on that are among the best twentieth of all at
    its last step, and no more than a twentieth, but for a clearly new best.

    A small share of those to be pruned, drawn by the trial's number, is finished all the same and marked with
    `AUDITED`, so that it can be said how often the rule was wrong. A study's first trial is never stopped, nor
    what it is over again.

    Args:
        doubt: Probability of ending among the best below which a trial is stopped.
        aim: Share of the complete trials that counts as the best.
        work: What a configuration costs beside others, of its parameters alone; None: all the same.
        tryout_step: The last step of the tryout; None: there is none.
        is_kin: Whether trials are compared with one of these parameters; None: with all.
        n_startup_trials: Complete trials before the first pruning.
        n_warmup_steps: Steps that are too early to judge by.
        window: How many of the latest complete trials, or tryouts, are looked at: a search gets better as it goes.
        audit_share: Share of the trials to be pruned that is finished all the same; fewer of those tried out.
        seed: Fixes which.
    """

    def __init__(
        self,
        doubt: float = PRUNER_DOUBT,
        aim: float = PRUNER_AIM,
        *,
        work: Callable[[Mapping[str, Any]], float] | None = None,
        tryout_step: int | None = None,
        is_kin: Callable[[Mapping[str, Any]], bool] | None = None,
        n_startup_trials: int = PRUNER_STARTUP_TRIALS,
        n_warmup_steps: int = PRUNER_WARMUP_STEPS,
        window: int = PRUNER_WINDOW,
        audit_share: float = AUDIT_SHARE,
        seed: int = 0,
    ) -> None:
        self._doubt, self._aim, self._work = doubt, aim, work
        self._n_startup_trials, self._n_warmup_steps = n_startup_trials, n_warmup_steps
        self._audit_share, self._seed = audit_share, seed
        self._tryout_step = tryout_step
        self._ladders: dict[int, _Ladder] = defaultdict(lambda: _Ladder(window, tryout_step, is_kin))
        # Threads of one `optimize` share the pruner.
        self._lock = threading.Lock()

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether the trial's last report leaves it hardly a chance, and it is not one to be finished all the same."""
        step = trial.last_step
        if step is None or step < self._n_warmup_steps or AUDITED in trial.system_attrs:
            return False
        trials, sign = trials_as_asked(study), _sign(study)
        with self._lock:
            ladder = self._ladders[study._study_id]  # noqa: SLF001 - a name may be another study's tomorrow
            ladder.look(trials, sign)
            number = origin(trials, trial)
            is_hopeless = (
                ladder.is_behind(number, sign * trial.intermediate_values[step])
                if step == self._tryout_step
                else self._is_hopeless(trial, step, ladder, sign)
            )
        # The first trial is the default configuration, beside which people see all others.
        return is_hopeless and number != 0 and not self._is_audited(study, trial, step)

    def _is_hopeless(self, trial: FrozenTrial, step: int, ladder: _Ladder, sign: float) -> bool:
        # Who has come as far as anybody has nothing left to save.
        if len(ladder.complete) < self._n_startup_trials or step >= ladder.last_step:
            return False
        line = ladder.forecast(step)
        if line is None:
            return False
        reach = line.best(sign * trial.intermediate_values[step], self._doubt_of(trial, ladder))
        return reach > ladder.among_the_best(self._aim)

    def _doubt_of(self, trial: FrozenTrial, ladder: _Ladder) -> float:
        if self._work is None:
            return self._doubt
        usual = float(np.median([self._work(curve.params) for curve in ladder.complete]))
        excess = self._work(trial.params) / (PRUNER_COSTLY * usual)
        return max(self._doubt, min(PRUNER_MOST_DOUBT, self._doubt * excess))

    def _is_audited(self, study: Study, trial: FrozenTrial, step: int) -> bool:
        # By the number, so that a trial's fate does not depend on how often it was asked about.
        share = self._audit_share * (AUDIT_SHARE_OF_TRYOUTS if step == self._tryout_step else 1)
        if random.Random(f"{self._seed} {trial.number}").random() >= share:  # noqa: S311
            return False
        study._storage.set_trial_system_attr(trial._trial_id, AUDITED, step)  # noqa: SLF001 - as Optuna's own pruners
        return True


def _sign(study: Study) -> float:
    return -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0


class _Ladder:
    """A study's latest complete trials, and what they let forecast; scores so that lower is better."""

    def __init__(
        self, window: int, tryout_step: int | None, is_kin: Callable[[Mapping[str, Any]], bool] | None
    ) -> None:
        self._new, self._is_kin = NewlyFinished(), is_kin
        self._tryout_step = tryout_step
        self._window = window
        self._tryouts: dict[int, float] = {}
        self._gone_on: set[int] = set()
        self._forecasts: dict[int, Forecast | None] = {}
        self.complete: deque[_Curve] = deque(maxlen=window)

    def look(self, trials: list[FrozenTrial], sign: float) -> None:
        for trial in self._new.among(trials):
            if self._is_kin is not None and not self._is_kin(trial.params):
                continue
            if self._tryout_step is not None and self._tryout_step in trial.intermediate_values:
                number = origin(trials, trial)
                self._tried_out(number, sign * trial.intermediate_values[self._tryout_step])
                is_audited = trial.system_attrs.get(AUDITED) == self._tryout_step
                if max(trial.intermediate_values) > self._tryout_step and not is_audited:
                    self._gone_on.add(number)
            if trial.state == TrialState.COMPLETE and trial.value is not None:
                steps = sorted(trial.intermediate_values)
                values = [sign * trial.intermediate_values[step] for step in steps]
                self.complete.append(_Curve(steps, values, sign * trial.value, trial.params))
                self._forecasts.clear()

    def is_behind(self, number: int, tryout: float) -> bool:
        """Whether a trial's tryout ended behind the best twentieth of them, or as many go on and it is no new best."""
        # One over again, interrupted among its folds, has won its race.
        if number in self._gone_on:
            return False
        others = [one for at, one in self._tryouts.items() if at != number]
        self._tried_out(number, tryout)
        # As a search gets better nearly every new trial is among the best so far: rank alone lets a fifth go on.
        ahead = max(sum(one < tryout for one in others), len(self._gone_on & self._tryouts.keys()))
        if ahead >= PRUNER_TRYOUT_SHARE * len(self._tryouts) and not _is_new_best(tryout, others):
            return True
        self._gone_on.add(number)
        return False

    def _tried_out(self, number: int, tryout: float) -> None:
        # Those that go on count too, long before they are finished: else a study's second trial had no other yet.
        self._tryouts.setdefault(number, tryout)
        if len(self._tryouts) > self._window:
            del self._tryouts[next(iter(self._tryouts))]

    @property
    def last_step(self) -> int:
        """The farthest that any of them reported; 0 where none reported anything."""
        return max((one.steps[-1] for one in self.complete if one.steps), default=0)

    def forecast(self, step: int) -> Forecast | None:
        if step not in self._forecasts:
            known = [(at, one.final) for one in self.complete if (at := one.at(step)) is not None]
            self._forecasts[step] = forecast([at for at, _ in known], [final for _, final in known])
        return self._forecasts[step]

    def among_the_best(self, share: float) -> float:
        """The final score that the best share of them has."""
        return float(np.quantile([one.final for one in self.complete], share))


def _is_new_best(tryout: float, others: list[float]) -> bool:
    """Whether it is ahead of all others, by more than configurations that are as good differ by on a few rows."""
    if not others:
        return True
    best = min(others)
    return tryout < best - PRUNER_CLEARLY * (float(np.median(others)) - best)


class _Curve(NamedTuple):
    steps: list[int]
    values: list[float]
    final: float
    params: dict[str, Any]

    def at(self, step: int) -> float | None:
        """Where it stood at a step; None if it did not get that far."""
        # A fold that ends early has no report until its last step, and stands there all the while.
        k = bisect_left(self.steps, step)
        return self.values[k] if k < len(self.steps) else None
