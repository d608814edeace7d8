"""A trial that the user asks for, held against a conclusion's candidates by the same figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.conclusion.candidates import single
from search.conclusion.conclusion import Line
from search.conclusion.fresh_splits import fresh_splits, score_on_fresh_splits
from search.conclusion.honest import honest_score
from search.conclusion.paired import paired_gain
from search.conclusion.scored_folds import Scorer, own_folds
from search.conclusion.unseen import models_in_a_prediction, unseen_rows
from search.config import FEWEST_FRESH_FOLDS

if TYPE_CHECKING:
    from search.competition import Competition
    from search.conclusion.candidates import Part
    from search.conclusion.conclusion import Conclusion
    from search.conclusion.known_parts import PartPrediction
    from search.conclusion.paired import Gain
    from search.conclusion.scored_folds import ScoredFold
    from search.loop.engine import Engine


def line_of(conclusion: Conclusion, part: Part) -> Line | None:
    """The conclusion's own line of a trial, if it is one of its candidates."""
    return next((line for line in conclusion.lines if line.candidate == single(part)), None)


def scored_line(
    conclusion: Conclusion,
    part: Part,
    prediction: PartPrediction,
    *,
    competition: Competition,
    engine: Engine,
    deadline: float,
) -> Line:
    """Evaluates a trial on the fresh folds that the conclusion's candidates were compared on, as far as time goes.

    Args:
        conclusion: The study's.
        part: The trial.
        prediction: Its predictions on the study's own folds.
        competition: What was searched.
        engine: Open, with nothing else submitted.
        deadline: `time.monotonic()` at which to do with the folds there are.
    """
    data, candidate = competition.dataset, single(part)
    scorer = Scorer(data.target, data.metric, models_in_a_prediction(competition), {part: prediction.oof})
    own = own_folds(competition.folds, scorer.oofs)
    folds = _same_folds(conclusion, part, prediction.seconds, competition, engine, deadline)
    scores = scorer.scores(candidate, folds) + scorer.averaging(candidate, folds)
    gain = _gain(
        conclusion, scorer, {fold.place: float(one) for fold, one in zip(folds, scores, strict=True)}
    )
    return Line(
        candidate=candidate,
        kind="single",
        apparent=float(scorer.scores(candidate, own).mean()),
        honest=float(scores.mean()) if folds else None,
        gain=None if gain is None else gain.mean,
        gain_error=None if gain is None else gain.known_error,
        expected=honest_score(
            candidate,
            scorer,
            own,
            folds,
            unseen_rows(competition),
            optimism=0.0,
            seed=competition.config.seed,
        ),
        is_chosen=False,
        fresh=tuple(scores.tolist()),
    )


def _same_folds(  # noqa: PLR0917 - as `scored_line` has them
    conclusion: Conclusion,
    part: Part,
    seconds: float,
    competition: Competition,
    engine: Engine,
    deadline: float,
) -> list[ScoredFold]:
    """The trial on those of the conclusion's fresh folds that there was time for; none if they are too few."""
    splits = fresh_splits(competition, len({split for split, _ in conclusion.places}))
    each = {part: seconds / len(competition.folds)}
    fresh = {
        fold.place: fold for fold in score_on_fresh_splits([part], splits, engine, deadline, seconds=each)
    }
    folds = [fresh[place] for place in conclusion.places if place in fresh]
    return folds if len(folds) >= FEWEST_FRESH_FOLDS else []


def _gain(conclusion: Conclusion, scorer: Scorer, scores: dict[tuple[int, int], float]) -> Gain | None:
    """Over the default, on the folds that both were evaluated on."""
    default = next((line for line in conclusion.lines if line.kind == "default"), None)
    if default is None or not scores:
        return None
    over = dict(zip(conclusion.places, default.fresh, strict=False))
    both = [place for place in scores if place in over]
    gains = scorer.gain(np.array([scores[one] for one in both]), np.array([over[one] for one in both]))
    folds_a_split = max(fold for _, fold in conclusion.places) + 1
    return paired_gain(gains, folds_a_split)
