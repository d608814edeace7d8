"""A study's best configurations fitted anew, slower and with other seeds: further parts for its blend.

And a blend that was chosen, with models of all rows beside those of its parts' folds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from objectives.data.split.expanding import last_fit
from objectives.result_faults import result_fault
from search.conclusion.blend import select
from search.conclusion.jobs import Job, run_jobs
from search.config import FINAL_FIT_OF_ALL_ROWS, FINAL_FIT_PARTS, FINAL_FIT_SEEDS, FINAL_FIT_SLOWER
from search.loop.ground import Elsewhere
from storage.kept_models import ModelKey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence

    from objectives.base import CVResult, Objective
    from objectives.data.folds import Fold
    from search.competition import Competition
    from search.conclusion.candidates import Candidate, Part
    from search.conclusion.known_parts import KnownParts
    from search.loop.engine import Engine

_SLOW = "slow"
_COST_POWER = 1.25
"""So many times slower costs so many times as much, and more, for early stopping finds more to gain."""


class FinalFit(NamedTuple):
    """One configuration fitted anew on the study's own folds.

    Attributes:
        part: It, of which the variant says how.
        seconds: What it took.
        result: With its models.
    """

    part: Part
    seconds: float
    result: CVResult


@dataclass(frozen=True)
class FinalFitting:
    """Adds final fits to a study's parts, and models of all rows to a blend of them.

    Attributes:
        competition: What was searched.
        objective: Of the study.
        engine: Open, with nothing else submitted.
        keep_model: Saves the models of a fit under their key, to be served as part of a blend.
    """

    competition: Competition
    objective: Objective
    engine: Engine
    keep_model: Callable[[ModelKey, CVResult], None]

    def fit(self, parts: KnownParts, until: float) -> None:
        """Fits anew until a moment by `time.monotonic()` what a blend of the parts would be made of.

        What is among them already is not fitted again, so that it may be asked for again where time is left.
        """
        seconds = {part: one.seconds for part, one in parts.predictions.items()}
        for fit in final_fits(
            self._heaviest(parts),
            self.objective,
            self.engine,
            until,
            seconds=seconds,
            joined=self._cost,
            known=parts.predictions,
        ):
            self._take(fit, parts)

    def seconds_to_join(self, candidates: Sequence[Candidate], parts: KnownParts) -> float:
        """Seconds that are enough to `join` whichever of some candidates is chosen."""
        each = [[*self._forecasts(one, parts).values()] for one in candidates]
        return max((max(sum(one) / self.engine.at_once, *one) for one in each if one), default=0.0)

    def join(self, candidate: Candidate, parts: KnownParts, until: float) -> Candidate:
        """Fits a blend's parts again with models of all rows beside, the heaviest first, as far as time goes.

        Returns:
            The blend with these in place of the others, which score as they did: out-of-fold predictions are
            those of the folds' models. They are among the parts then.
        """
        lacking = self._forecasts(candidate, parts)
        joined = {part: part.joined(FINAL_FIT_OF_ALL_ROWS) for part in lacking}
        jobs = [Job(part.params, place_of(joined[part]), seconds) for part, seconds in lacking.items()]
        made = {}
        for done in run_jobs(self.engine, jobs, until):
            part = [*lacking][done.order]
            if _has_more(done.result) and self._take(
                FinalFit(joined[part], done.seconds, done.result), parts
            ):
                made[part] = joined[part]
        return candidate.replacing(made)

    def _forecasts(self, candidate: Candidate, parts: KnownParts) -> dict[Part, float]:
        """Seconds that each part lacking models of all rows takes with them; where folds go forward none lacks any."""
        if self._cost == 1.0:
            return {}
        lacking = (part for part, _ in candidate.parts if not part.of_all_rows)
        return {part: self._cost * parts.predictions[part].seconds for part in lacking}

    def _take(self, fit: FinalFit, parts: KnownParts) -> bool:
        """Adds a fit to the parts, unless something is wrong with it."""
        from search.conclusion.known_parts import PartPrediction

        part, result, data = fit.part, fit.result, self.competition.dataset
        if result_fault(data, self.competition.folds, result, of_all_rows=part.of_all_rows) is not None:
            return False
        self.keep_model(ModelKey(*part.key), result)
        # Fresh folds have no models of all rows.
        taken = fit.seconds / (self._cost if part.of_all_rows else 1.0)
        parts.add(part, PartPrediction(result.oof_prediction, result.test_prediction, taken))
        return True

    @property
    def _cost(self) -> float:
        return joined_cost(self.competition.folds, len(self.competition.dataset.target))

    def _heaviest(self, parts: KnownParts) -> list[Part]:
        """The trials of a blend, the heaviest first, then the others; as they were, without what is fitted anew."""
        data, seed = self.competition.dataset, self.competition.config.seed
        trials = {part: oof for part, oof in parts.oofs.items() if not part.variant}
        blend = select(trials, data.target, data.metric, self.competition.folds, seed=seed)
        return list(dict.fromkeys([*(part for part, _ in blend), *trials]))


def final_fits(
    parts: Sequence[Part],
    objective: Objective,
    engine: Engine,
    deadline: float,
    *,
    seconds: Mapping[Part, float],
    joined: float = 1.0,
    known: Collection[Part] = (),
    on_wait: Callable[[], None] = lambda: None,
) -> Generator[FinalFit, None, None]:
    """Fits the first parts anew as far as there is time, and yields each as it ends.

    Args:
        parts: Trials as they were, those that shall get the most weight first.
        objective: Of the study.
        engine: Open, with nothing else submitted.
        deadline: `time.monotonic()` at which what still runs is given up.
        seconds: What a whole evaluation took, by part.
        joined: How many times as long it takes with the models of all rows, which are left out where that is too long.
        known: What is left out, for it is there.
        on_wait: Called now and then while nothing ends.
    """
    planned = [
        (part, joined * forecast)
        if time.monotonic() + joined * forecast < deadline
        else (part.by_folds, forecast)
        for part, forecast in _planned(parts, objective, seconds)
        if not {part, part.by_folds} & {*known}
    ]
    jobs = [Job(part.params, place_of(part), forecast) for part, forecast in planned]
    for done in run_jobs(engine, jobs, deadline, on_wait):
        part, result = planned[done.order][0], done.result
        # Not every objective has models of all rows, and where folds go forward in time there is one in their place.
        yield FinalFit(part if _has_more(result) else part.by_folds, done.seconds, result)


def _has_more(result: CVResult) -> bool:
    return len(result.models) > len(result.scores)


def place_of(part: Part) -> Elsewhere:
    """Where a part was fitted, to fit it again: the study's folds, by what its variant names."""
    return Elsewhere(seed=part.seed, models=True, of_all_rows=part.of_all_rows)


def joined_cost(folds: Sequence[Fold], n_rows: int) -> float:
    """How many times as long an evaluation takes with the models of all rows."""
    if last_fit(folds, n_rows) is not None:
        return 1.0
    return 1 + FINAL_FIT_OF_ALL_ROWS * n_rows / sum(len(fold.train_idx) for fold in folds)


def _planned(
    parts: Sequence[Part], objective: Objective, seconds: Mapping[Part, float]
) -> Iterator[tuple[Part, float]]:
    """Each part slower first, for that gains most for its seconds; then the best of these with other seeds."""
    first = parts[:FINAL_FIT_PARTS]
    slow = [(_slower(part, objective), seconds[part] * FINAL_FIT_SLOWER**_COST_POWER) for part in first]
    yield from ((part, forecast) for part, forecast in slow if part is not None)
    for part, (slower, forecast) in zip(first, slow, strict=True):
        for seed in range(1, 1 + FINAL_FIT_SEEDS):
            again, cost = (part, seconds[part]) if slower is None else (slower, forecast)
            seeded = replace(again, variant=f"{again.by_folds.variant} seed {seed}".strip())
            yield seeded.joined(FINAL_FIT_OF_ALL_ROWS), cost


def _slower(part: Part, objective: Objective) -> Part | None:
    params = objective.slower(part.params, FINAL_FIT_SLOWER)
    return (
        None if params is None else replace(part, params=params, variant=_SLOW).joined(FINAL_FIT_OF_ALL_ROWS)
    )
