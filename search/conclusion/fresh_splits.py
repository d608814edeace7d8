"""The same configurations on other splits: the study's own split has chosen among them and flatters the chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from search.conclusion.jobs import Job, run_jobs
from search.conclusion.scored_folds import ScoredFold
from search.loop.ground import Elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from objectives.base import FloatArray
    from objectives.data.folds import Fold
    from objectives.data.split.plan import Scheme, SplitPlan
    from search.competition import Competition
    from search.conclusion.candidates import Part
    from search.loop.engine import Engine

FIXED: frozenset[Scheme] = frozenset({"time", "column"})
"""Schemes whose folds are always the same: what is fresh then is the models' seed alone."""
_STREAM = 7
"""Keeps these seeds apart from those that repeats are made with."""


class FreshSplit(NamedTuple):
    """One more split.

    Attributes:
        number: From 1 on.
        elsewhere: What an engine is told: the split, unless it is the study's own, and the models' seed.
        folds: The rows.
    """

    number: int
    elsewhere: Elsewhere
    folds: tuple[Fold, ...]


def fresh_splits(competition: Competition, count: int) -> list[FreshSplit]:
    """Returns further splits by the study's scheme; fewer where the rows do not allow one."""
    from objectives.data.split.schemes import SplitError, Splittable, make_split

    data, splits = competition.dataset, []
    for number in range(1, count + 1):
        seed = _seed(competition.split.seed, number)
        if is_fixed(competition):
            splits.append(FreshSplit(number, Elsewhere(seed=seed), competition.folds))
            continue
        plan: SplitPlan = replace(competition.split, seed=seed, repeats=1)
        try:
            folds = make_split(plan, Splittable(data.target, data.task, data.keys))
        except SplitError:
            continue
        splits.append(FreshSplit(number, Elsewhere(plan=plan, seed=seed), folds))
    return splits


def is_fixed(competition: Competition) -> bool:
    """Whether the study's scheme knows one split only."""
    return competition.split.scheme in FIXED


def score_on_fresh_splits(
    parts: Sequence[Part],
    splits: Sequence[FreshSplit],
    engine: Engine,
    deadline: float,
    *,
    seconds: Mapping[Part, float],
    on_wait: Callable[[], None] = lambda: None,
) -> list[ScoredFold]:
    """Evaluates parts fold after fold, all parts on one fold before the next, so that any end leaves pairs.

    Args:
        parts: What to evaluate.
        splits: Where, the first first.
        engine: Open, with nothing else submitted.
        deadline: `time.monotonic()` at which the rest is left.
        seconds: What a fold is forecast to take, by part.
        on_wait: Called now and then.

    Returns:
        The folds that all parts were evaluated on.
    """
    places = [(split, k) for split in splits for k in range(len(split.folds))]
    jobs = [Job(part.params, _place(split, k, part), seconds[part]) for split, k in places for part in parts]
    found: dict[int, dict[Part, FloatArray]] = {}
    for done in run_jobs(engine, jobs, deadline, on_wait):
        place, which = divmod(done.order, len(parts))
        split, k = places[place]
        prediction = done.result.oof_prediction[split.folds[k].val_idx]
        if np.isfinite(prediction).all():
            found.setdefault(place, {})[parts[which]] = prediction
    return list(_whole(found, places, parts))


def _whole(
    found: Mapping[int, Mapping[Part, FloatArray]],
    places: Sequence[tuple[FreshSplit, int]],
    parts: Sequence[Part],
) -> Iterator[ScoredFold]:
    for place, predictions in sorted(found.items()):
        split, k = places[place]
        if len(predictions) == len(parts):
            yield ScoredFold((split.number, k), split.folds[k].val_idx, predictions)


def _place(split: FreshSplit, fold: int, part: Part) -> Elsewhere:
    """One fold of the split; parts that differ by their seed alone must differ by it there too."""
    seed = split.elsewhere.seed
    if part.seed is not None and seed is not None:
        seed = _seed(seed, part.seed)
    return replace(split.elsewhere, seed=seed, folds=(fold,))


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, _STREAM, number]).generate_state(1)[0] >> 1)
