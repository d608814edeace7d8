"""Which complete trials' files stay on disk: the best, the best of each objective, and no two that say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from search.config import KEEP_OF_EACH_OBJECTIVE, KEEP_PREDICTIONS, LIKENESS_OF_REPEATED
from search.space.combined import CHOICE, UNPREFIXED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from objectives.base import FloatArray, Params


class Ranked(NamedTuple):
    """A complete trial.

    Attributes:
        number: Its number.
        objective: Name of what evaluated it.
        score: Its score; None where the ledger has none.
    """

    number: int
    objective: str
    score: float | None = None


def objective_of(params: Params) -> str:
    """Name of what evaluates a configuration; where it names none, a study of one objective has but one group."""
    return str(params.get(CHOICE, UNPREFIXED))


def chosen_to_keep(ranked: Sequence[Ranked], errors: Mapping[int, FloatArray]) -> list[int]:
    """Returns the numbers of the trials to keep, the best first.

    A trial whose errors are those of a better one of the same objective brings nothing to a blend: it stays only
    where there is room to spare. The first trial always stays: everything is compared with the default.

    Args:
        ranked: The trials, the best first.
        errors: By number, of length 1, so that a product of two is their correlation.
    """
    distinct = _distinct(ranked, errors)
    kept = {one.number for one in distinct[:KEEP_PREDICTIONS]} | {0}
    for objective in {one.objective for one in distinct}:
        own = [one.number for one in distinct if one.objective == objective]
        kept.update(own[:KEEP_OF_EACH_OBJECTIVE])
    spare = max(0, KEEP_PREDICTIONS - len(kept))
    kept.update([one.number for one in ranked if one.number not in kept][:spare])
    return [one.number for one in ranked if one.number in kept]


def _distinct(ranked: Sequence[Ranked], errors: Mapping[int, FloatArray]) -> list[Ranked]:
    found: list[Ranked] = []
    for one in ranked:
        better = [errors[other.number] for other in found if other.objective == one.objective]
        if not better or float(np.max(np.stack(better) @ errors[one.number])) < LIKENESS_OF_REPEATED:
            found.append(one)
    return found


def scores_to_beat(ranked: Sequence[Ranked], kept: Sequence[int]) -> dict[str, float]:
    """Returns, by objective, the score from which on a further trial is likely to be kept; none where there is room.

    Args:
        ranked: The trials, the best first.
        kept: Those of them that are kept, the best first.
    """
    known = [one for one in ranked if one.number in kept]
    if len(known) < KEEP_PREDICTIONS:
        return {}
    beaten: dict[str, float] = {}
    for objective in {one.objective for one in known}:
        places = [place for place, one in enumerate(known) if one.objective == objective]
        if len(places) >= KEEP_OF_EACH_OBJECTIVE:
            # Whichever is easier: a place among the best, or among its own.
            score = known[max(KEEP_PREDICTIONS - 1, places[KEEP_OF_EACH_OBJECTIVE - 1])].score
            beaten |= {} if score is None else {objective: score}
    return beaten
