"""From a study's trials to what is promoted: final fits, blend, fresh splits, choice; within a number of seconds."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Protocol

from search.conclusion.blend import nested_score, select
from search.conclusion.candidates import blend_of, single
from search.conclusion.choice import Contender, Evidence, choose
from search.conclusion.conclusion import Conclusion, concluded
from search.conclusion.fresh_splits import fresh_splits, is_fixed, score_on_fresh_splits
from search.conclusion.honest import honest_score
from search.conclusion.known_parts import known_parts
from search.conclusion.restored import evaluated_again
from search.conclusion.scored_folds import Scorer, own_folds, parts_of
from search.conclusion.unseen import models_in_a_prediction, unseen_rows
from search.config import (
    CONCLUSION_CLOSING_SECONDS,
    FEWEST_FRESH_FOLDS,
    FINAL_FIT_SHARE,
    FRESH_SPLITS,
    JOINING_SHARE,
)
from storage.conclusion_record import conclusion_of, load_chosen, save_chosen, save_conclusion
from storage.predictions import StoredPrediction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optuna.study import Study

    from search.competition import Competition
    from search.conclusion.blend import NestedScore
    from search.conclusion.candidates import Candidate, Part
    from search.conclusion.choice import Choice
    from search.conclusion.honest import HonestScore
    from search.conclusion.known_parts import KnownParts
    from search.conclusion.scored_folds import ScoredFold
    from search.loop.engine import Engine
    from storage.layout import Layout
    from storage.predictions import PredictionStore


class FinalFits(Protocol):
    """What fits anew, as `FinalFitting` does."""

    def fit(self, parts: KnownParts, until: float) -> None:
        """Adds parts until a moment by `time.monotonic()`."""

    def seconds_to_join(self, candidates: Sequence[Candidate], parts: KnownParts) -> float:
        """Forecasts how long whichever candidate is chosen takes to join."""
        ...

    def join(self, candidate: Candidate, parts: KnownParts, until: float) -> Candidate:
        """Gives a candidate models of all rows beside those of its folds, as far as there is time."""
        ...


_USUAL_PARTS = 12
"""Whole evaluations' worth of parts that candidates have; one fitted slower counts twice."""


@dataclass(frozen=True)
class Concluded:
    """A conclusion, and what its chosen candidate predicts.

    Attributes:
        conclusion: It.
        prediction: Of the chosen candidate.
    """

    conclusion: Conclusion
    prediction: StoredPrediction


def kept_conclusion(study: Study) -> Conclusion | None:
    """The study's conclusion, if there is one and no trial was added since."""
    record = conclusion_of(study)
    conclusion = Conclusion.from_json(record) if record else None
    return conclusion if conclusion is not None and conclusion.is_of(study) else None


def kept_concluded(study: Study, layout: Layout) -> Concluded | None:
    """The same with its predictions, if these are here."""
    conclusion, record = kept_conclusion(study), conclusion_of(study)
    if conclusion is None or record is None:
        return None
    prediction = load_chosen(layout, study.study_name, record)
    return None if prediction is None else Concluded(conclusion, prediction)


@dataclass(frozen=True)
class Concluding:
    """The making of a conclusion. Any stage may be cut short by the time, and what there is by then is chosen from.

    Attributes:
        study: The study.
        competition: What was searched.
        store: Its kept predictions.
        engine: Open, with nothing else submitted.
        layout: The project.
        deadline: `time.monotonic()` at which it has to be done.
        final_fits: Fits configurations anew; None: nothing does.
        on_wait: Called now and then.
        restore_until: When a conclusion whose files are not here has to be made again, by `time.monotonic()`; there is
            nothing to be gained by less time than the user gave, for in its place another would be chosen.
    """

    study: Study
    competition: Competition
    store: PredictionStore
    engine: Engine
    layout: Layout
    deadline: float
    final_fits: FinalFits | None = None
    on_wait: Callable[[], None] = lambda: None
    restore_until: float = math.inf

    def run(self) -> Concluded | None:
        """Concludes, and keeps that; None if no trial has predictions."""
        kept = kept_concluded(self.study, self.layout) or self._restored()
        if kept is not None:
            return kept
        parts = known_parts(self.study, self.store, self.engine, self._until, on_wait=self.on_wait)
        if not parts.predictions:
            return None
        if self.final_fits is not None:
            self.final_fits.fit(parts, self._fits_until(parts))
        return self._chosen(parts)

    def _restored(self) -> Concluded | None:
        """What the study came to elsewhere, its files made again here."""
        conclusion, record = kept_conclusion(self.study), conclusion_of(self.study)
        if conclusion is None or record is None:
            return None
        print("Evaluating again what the study came to, for its files are not here ...", flush=True)
        prediction = evaluated_again(
            conclusion.chosen, self.study, self.store, self.engine, self.restore_until, on_wait=self.on_wait
        )
        if prediction is None:
            return None
        save_chosen(self.layout, self.study.study_name, record, prediction)
        return Concluded(conclusion, prediction)

    def _fits_until(self, parts: KnownParts) -> float:
        """Their share of the time, unless that takes it from the fresh splits that the rest would not be enough for."""
        now, whole = time.monotonic(), median(one.seconds for one in parts.predictions.values())
        left = self._until - now
        fewest = FEWEST_FRESH_FOLDS / len(self.competition.folds)
        least = fewest * _USUAL_PARTS * whole / self.engine.at_once
        share = FINAL_FIT_SHARE * left
        return now + (share if least > left else min(share, left - least))

    def _chosen(self, parts: KnownParts) -> Concluded:
        data = self.competition.dataset
        scorer, own, contenders = self._standing(parts)
        fresh, folds_a_split = self._fresh(parts, contenders)
        if not fresh and self.final_fits is not None:
            # What was kept for fresh folds is too little for all of these, and enough for some more fits.
            self.final_fits.fit(parts, self._until - self._kept_to_join(parts, contenders))
            scorer, own, contenders = self._standing(parts)
        evidence = Evidence(scorer, data.task, own, fresh, folds_a_split)
        # What was not selected blindly, and is on no fresh fold, has no honest score at all.
        able = [one for one in contenders if fresh or one.nested or one.kind != "blend"]
        choice = choose(able, evidence)
        conclusion = concluded(
            choice,
            self._expected(choice, evidence),
            self.study,
            metric=data.metric.label,
            has_own_rows=is_fixed(self.competition),
            joined=self._joined(choice.chosen, parts),
        )
        return self._kept(conclusion, parts)

    def _joined(self, chosen: Contender, parts: KnownParts) -> Candidate | None:
        """The chosen one with models of all rows beside those of its folds; None: it has no more than it had.

        The default stays what everything is compared with.
        """
        if self.final_fits is None or chosen.kind == "default":
            return None
        joined = self.final_fits.join(chosen.candidate, parts, self._until)
        return None if joined == chosen.candidate else joined

    def _kept_to_join(self, parts: KnownParts, contenders: Sequence[Contender], first: float = 0.0) -> float:
        """Seconds kept for that from what comes before, of which the first so many go before it."""
        if self.final_fits is None:
            return 0.0
        able = [one.candidate for one in contenders if one.kind != "default"]
        left = max(0.0, self._until - time.monotonic())
        needed = self.final_fits.seconds_to_join(able, parts)
        return min(needed, JOINING_SHARE * left, max(0.0, left - first))

    def _standing(self, parts: KnownParts) -> tuple[Scorer, list[ScoredFold], list[Contender]]:
        """What parts amount to on the study's own folds, and whom that makes contenders."""
        data = self.competition.dataset
        scorer = Scorer(data.target, data.metric, models_in_a_prediction(self.competition), parts.oofs)
        own = own_folds(self.competition.folds, parts.oofs)
        return scorer, own, self._contenders(parts, scorer, own)

    def _contenders(self, parts: KnownParts, scorer: Scorer, own: Sequence[ScoredFold]) -> list[Contender]:
        """The default, the best of all other single parts, and the blend."""
        found = [Contender(single(parts.default), "default")] if parts.default else []
        ranked = [part for part in _ranked(parts, scorer, own) if part != parts.default]
        blend, nested = self._blend(parts)
        singles = nested.single if nested else ()
        if ranked:
            found.append(Contender(single(ranked[0]), "single", singles))
        if blend is not None and not blend.is_single:
            found.append(Contender(blend, "blend", nested.blend if nested else ()))
        return found

    def _blend(self, parts: KnownParts) -> tuple[Candidate | None, NestedScore | None]:
        data, folds = self.competition.dataset, self.competition.folds
        if time.monotonic() > self._until or len(parts.predictions) == 1:
            return None, None
        started = time.monotonic()
        seed = self.competition.config.seed
        blend = blend_of(select(parts.oofs, data.target, data.metric, folds, seed=seed))
        taken = time.monotonic() - started
        # It selects once a fold.
        if len(folds) == 1 or time.monotonic() + taken * len(folds) > self._until:
            return blend, None
        return blend, nested_score(parts.oofs, data.target, data.metric, folds, seed=seed)

    def _fresh(self, parts: KnownParts, contenders: Sequence[Contender]) -> tuple[list[ScoredFold], int]:
        """Fresh folds of all contenders, as many as time allows; none where it allows too few."""
        n_folds = len(self.competition.folds)
        needed = parts_of(one.candidate for one in contenders)
        seconds = {part: parts.predictions[part].seconds / n_folds for part in needed}
        fewest = FEWEST_FRESH_FOLDS * sum(seconds.values()) / self.engine.at_once
        if len(contenders) == 1 and contenders[0].kind != "default":
            return [], n_folds
        if fewest > self._until - time.monotonic():
            return [], n_folds
        until = self._until - self._kept_to_join(parts, contenders, fewest)
        splits = fresh_splits(self.competition, FRESH_SPLITS)
        folds = score_on_fresh_splits(
            needed, splits, self.engine, until, seconds=seconds, on_wait=self.on_wait
        )
        return folds, len(splits[0].folds) if splits else n_folds

    def _expected(self, choice: Choice, evidence: Evidence) -> dict[str, HonestScore]:
        test = unseen_rows(self.competition)
        return {
            row.contender.candidate.name: honest_score(
                row.contender.candidate,
                evidence.scorer,
                evidence.own,
                evidence.fresh if choice.fresh_folds else (),
                test,
                optimism=-(row.gap or 0.0),
                seed=self.competition.config.seed,
            )
            for row in choice.rows
        }

    def _kept(self, conclusion: Conclusion, parts: KnownParts) -> Concluded:
        prediction = predictions_of(conclusion.chosen, parts)
        save_conclusion(self.layout, self.study, conclusion.to_json(), prediction, conclusion.figures())
        return Concluded(conclusion, prediction)

    @property
    def _until(self) -> float:
        """When the last evaluation has to be over."""
        return self.deadline - CONCLUSION_CLOSING_SECONDS


def predictions_of(candidate: Candidate, parts: KnownParts) -> StoredPrediction:
    """What a candidate predicts, out of fold and on the test rows."""
    tests = {part: parts.predictions[part].test for part, _ in candidate.parts}
    return StoredPrediction(oof=candidate.mixed(parts.oofs), test=candidate.mixed(tests))


def _ranked(parts: KnownParts, scorer: Scorer, own: Sequence[ScoredFold]) -> list[Part]:
    """All parts by their mean score on the study's folds, the best first; of equals the earlier."""
    means = {part: float(scorer.scores(single(part), own).mean()) for part in parts.predictions}
    sign = -1.0 if scorer.metric.greater_is_better else 1.0
    return sorted(means, key=lambda part: (sign * means[part], part.key))
