"""A study's best configurations fitted anew, slower and with other seeds: further parts for its blend.

And models of all rows for what was chosen, beside those of the folds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from objectives.data.split.expanding import last_fit
from objectives.result_faults import result_fault, whole_fault
from search.conclusion.blend import select
from search.conclusion.jobs import Job, run_jobs
from search.conclusion.known_parts import PartPrediction
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
    """Adds final fits to a study's parts, and models of all rows to what was chosen among them.

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
        heaviest, known = self._heaviest(parts), parts.predictions
        for part, taken, result in final_fits(
            heaviest, self.objective, self.engine, until, seconds=seconds, known=known
        ):
            if result_fault(self.competition.dataset, self.competition.folds, result) is None:
                self.keep_model(ModelKey(*part.key), result)
                parts.add(part, PartPrediction.of(result, taken))

    def seconds_to_join(self, candidates: Sequence[Candidate], parts: KnownParts) -> float:
        """Seconds that are enough to `join` whichever of some candidates is chosen."""
        each = [[*self._forecasts(one, parts).values()] for one in candidates]
        return max((max(sum(one) / self.engine.at_once, *one) for one in each if one), default=0.0)

    def join(self, candidate: Candidate, parts: KnownParts, until: float) -> Candidate:
        """Fits models of all rows for a candidate's parts, the heaviest first, as far as time goes.

        Returns:
            The candidate with these beside the others, in proportion to their number. They are among the parts
            then, and score as those of the folds do, which their out-of-fold predictions are of.
        """
        seconds = self._forecasts(candidate, parts)
        wholes = {part: part.whole(FINAL_FIT_OF_ALL_ROWS, parts.predictions[part].rounds) for part in seconds}
        jobs = [Job(part.params, place_of(wholes[part]), forecast) for part, forecast in seconds.items()]
        made = {}
        for done in run_jobs(self.engine, jobs, until):
            part = [*wholes][done.order]
            if whole_fault(self.competition.dataset, done.result, FINAL_FIT_OF_ALL_ROWS) is None:
                made[part] = wholes[part]
                self.keep_model(ModelKey(*made[part].key), done.result)
                known = parts.predictions[part]
                parts.add(made[part], known._replace(test=done.result.test_prediction))
        return candidate.joined(made, len(self.competition.folds)) if made else candidate

    def _forecasts(self, candidate: Candidate, parts: KnownParts) -> dict[Part, float]:
        """Seconds that the models of all rows of each part take, where its rounds are known.

        None where one of all rows predicts in any case.
        """
        folds, n_rows = self.competition.folds, len(self.competition.dataset.target)
        if last_fit(folds, n_rows) is not None:
            return {}
        cost = whole_cost(folds, n_rows)
        known = {part: parts.predictions[part] for part, _ in candidate.parts}
        return {part: cost * one.seconds for part, one in known.items() if not math.isnan(one.rounds)}

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
        known: What is left out, for it is there.
        on_wait: Called now and then while nothing ends.
    """
    planned = [one for one in _planned(parts, objective, seconds) if one[0] not in known]
    jobs = [Job(part.params, place_of(part), forecast) for part, forecast in planned]
    for done in run_jobs(engine, jobs, deadline, on_wait):
        yield FinalFit(planned[done.order][0], done.seconds, done.result)


def place_of(part: Part) -> Elsewhere:
    """Where a part was fitted, to fit it again: the study's folds or all rows, by what its variant names."""
    return Elsewhere(seed=part.seed, models=True, of_all_rows=part.of_all_rows, rounds=part.rounds)


def whole_cost(folds: Sequence[Fold], n_rows: int) -> float:
    """Seconds of the models of all rows, as a multiple of those of the folds'."""
    return FINAL_FIT_OF_ALL_ROWS * n_rows / sum(len(fold.train_idx) for fold in folds)


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
            seeded = replace(again, variant=f"{again.variant} seed {seed}".strip())
            yield seeded, cost


def _slower(part: Part, objective: Objective) -> Part | None:
    params = objective.slower(part.params, FINAL_FIT_SLOWER)
    return None if params is None else replace(part, params=params, variant=_SLOW)
