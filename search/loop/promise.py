"""What each of several objectives promises to bring to the blend, by what its trials bring to it already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from objectives.data.folds import Fold
from search.config import PROMISE_GROWTH, PROMISE_ROWS
from search.loop.best import open_results
from search.loop.sharing import late_share
from search.loop.tally import is_counted
from search.space.combined import CombinedObjective

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from optuna.trial import FrozenTrial

    from objectives.base import FloatArray, Objective
    from search.competition import Competition
    from search.loop.objective_sampler import Promise
    from storage.layout import Layout
    from storage.predictions import PredictionStore


@dataclass
class BlendPromise:
    """Shares of the objectives by the weights of their trials in a blend of the predictions that are kept.

    The blend is selected on a sample of the rows, anew whenever there are so many more complete trials. Each
    trial's weight counts the more the later among its objective's own it came; see `late_share`.

    Attributes:
        competition: What is searched.
        objective: The objectives.
        store: The predictions kept.
    """

    competition: Competition
    objective: CombinedObjective
    store: PredictionStore
    _shares: dict[str, float] = field(default_factory=dict)
    _known: int = 0
    _sampled: dict[int, FloatArray] = field(default_factory=dict)
    _rows: NDArray[np.intp] | None = None

    def __call__(self, trials: Sequence[FrozenTrial]) -> Mapping[str, float]:
        """The shares, which add up to 1; none before at least two objectives have predictions."""
        complete = sum(trial.state.name == "COMPLETE" for trial in trials)
        if complete > self._known and complete >= PROMISE_GROWTH * self._known:
            self._known = complete
            self._shares = self._looked(trials)
        return self._shares

    def _looked(self, trials: Sequence[FrozenTrial]) -> dict[str, float]:
        own: dict[str, list[int]] = {name: [] for name in self.objective.names}
        complete: set[int] = set()
        for trial in trials:
            name = self.objective.name_of(trial.params)
            if is_counted(trial) and name in own:
                own[name].append(trial.number)
                complete |= {trial.number} if trial.state.name == "COMPLETE" else set()
        kept = self._kept(complete)
        if sum(bool(kept.keys() & {*numbers}) for numbers in own.values()) < 2:  # noqa: PLR2004 - nothing to share
            return {}
        weights = self._weights(kept)
        shares = {name: late_share(weights, numbers) for name, numbers in own.items()}
        total = sum(shares.values())
        return {name: share / total for name, share in shares.items()} if total > 0 else {}

    def _weights(self, kept: Mapping[int, FloatArray]) -> dict[int, float]:
        from search.conclusion.blend import select
        from search.conclusion.candidates import Part

        data, rows = self.competition.dataset, self._sample()
        everything = Fold(np.empty(0, np.intp), np.arange(len(rows)))
        parts = {Part(number, {}): oof for number, oof in kept.items()}
        seed = self.competition.config.seed
        blend = select(parts, data.target[rows], data.metric, (everything,), seed=seed)
        return {part.trial: weight for part, weight in blend}

    def _kept(self, complete: set[int]) -> dict[int, FloatArray]:
        """The sampled out-of-fold predictions of the trials that are kept; each file is read once."""
        from storage.predictions import PredictionMissingError

        rows, kept = self._sample(), {}
        for number in self.store.numbers():
            if number not in complete:
                continue
            if number not in self._sampled:
                try:
                    self._sampled[number] = self.store.load(number).oof[rows]
                except PredictionMissingError:
                    # Damaged, or taken away by another coordinator since.
                    continue
            kept[number] = self._sampled[number]
        self._sampled = dict(kept)
        return kept

    def _sample(self) -> NDArray[np.intp]:
        """Rows that a fold validates, in order."""
        if self._rows is None:
            known = np.unique(np.concatenate([fold.val_idx for fold in self.competition.folds]))
            rng = np.random.default_rng(self.competition.config.seed)
            self._rows = np.sort(rng.choice(known, min(PROMISE_ROWS, len(known)), replace=False))
        return self._rows


def promise_of(competition: Competition, objective: Objective, layout: Layout) -> Promise | None:
    """What tells the shares of several objectives; None where there is one."""
    if not isinstance(objective, CombinedObjective):
        return None
    return BlendPromise(competition, objective, open_results(competition, objective, layout).store)
