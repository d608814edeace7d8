"""Which candidate to promote: the simplest that is as good as the best, as far as anybody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from search.conclusion.association import signal_strength
from search.conclusion.paired import Gain, paired_gain
from search.conclusion.scored_folds import folds_with
from search.config import FEWEST_FRESH_FOLDS, SIGNAL_DEVIATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from objectives.base import FloatArray
    from objectives.data.folds import Task
    from search.conclusion.candidates import Candidate
    from search.conclusion.scored_folds import ScoredFold, Scorer

Kind = Literal["default", "single", "blend"]
KINDS: tuple[Kind, ...] = ("default", "single", "blend")
"""The simpler first."""

Reason = Literal["no signal", "default is as good", "single is as good", "best", "only one", "asked for"]


@dataclass(frozen=True)
class Contender:
    """A candidate and what it is.

    Attributes:
        candidate: It.
        kind: How simple it is.
        nested: Its kind's scores on the study's folds, each selected without looking at that fold's rows;
            none where nothing was selected, or there was no time.
    """

    candidate: Candidate
    kind: Kind
    nested: tuple[float, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What candidates are compared by.

    Attributes:
        scorer: Target and metric.
        task: What the target is.
        own: The study's own folds, of the parts.
        fresh: Those of fresh splits.
        folds_a_split: Folds of one whole fresh split.
    """

    scorer: Scorer
    task: Task
    own: Sequence[ScoredFold]
    fresh: Sequence[ScoredFold] = ()
    folds_a_split: int = 1

    def own_scores(self, candidate: Candidate) -> FloatArray:
        """A candidate's scores on the study's folds."""
        return self.scorer.scores(candidate, self.own)

    def fresh_for(self, contenders: Sequence[Contender]) -> list[ScoredFold]:
        """The fresh folds that all of some contenders were evaluated on; none where they are too few."""
        found = folds_with(self.fresh, [one.candidate for one in contenders])
        return found if len(found) >= FEWEST_FRESH_FOLDS else []


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        contender: Of what.
        apparent: Mean score on the study's own folds, which it may have been chosen for.
        honest: Mean score on fresh splits, or where there are none on folds that selection did not look at;
            None where neither is known.
        over_default: Its gain over the default, paired fold by fold; None of the default itself.
        fresh: Scores on the fresh folds, in their order.
    """

    contender: Contender
    apparent: float
    honest: float | None
    over_default: Gain | None
    fresh: tuple[float, ...] = ()

    @property
    def gap(self) -> float | None:
        """How much better the study's own folds make it look, on the metric's scale: honest less apparent."""
        return None if self.honest is None else self.honest - self.apparent


@dataclass(frozen=True)
class Choice:
    """What to promote, and by what.

    Attributes:
        chosen: The contender.
        reason: Why it.
        rows: The table, the simplest first.
        fresh_folds: Folds of fresh splits that it rests on; 0: nested selection on the study's own folds.
        signal: Strength of what the best single predictions say of the target, in standard deviations of chance.
        places: Split and fold of each fresh score.
    """

    chosen: Contender
    reason: Reason
    rows: tuple[Row, ...]
    fresh_folds: int
    signal: float
    places: tuple[tuple[int, int], ...] = ()

    @property
    def row(self) -> Row:
        """The chosen one's line."""
        return next(row for row in self.rows if row.contender is self.chosen)


def choose(contenders: Sequence[Contender], evidence: Evidence) -> Choice:
    """Chooses by the rule of one standard error, in favour of the simpler.

    The best is the one with the best mean on fresh splits; chosen is the simplest that the best does not beat by
    more than one standard error of their paired differences. Fresh splits validate the same rows again, so what was
    selected for these rows still looks better than it is: so whatever was selected must also be better than the
    default where its selection is repeated without the rows that it is scored on. And where predictions do not tell
    one row from another, nothing is better than the default.

    Args:
        contenders: At least one; each has its parts in the evidence's own folds.
        evidence: What they are compared by.
    """
    ordered = sorted(contenders, key=lambda one: KINDS.index(one.kind))
    fresh = evidence.fresh_for(ordered)
    judge = _Judge(evidence, fresh, next((one for one in ordered if one.kind == "default"), None))
    signal = judge.signal(ordered)
    chosen, reason = judge.choose(ordered, has_signal=signal >= SIGNAL_DEVIATIONS)
    places = tuple(fold.place for fold in fresh)
    return Choice(chosen, reason, tuple(map(judge.row, ordered)), len(fresh), signal, places)


@dataclass(frozen=True)
class _Judge:
    evidence: Evidence
    fresh: Sequence[ScoredFold]
    default: Contender | None

    def choose(self, ordered: Sequence[Contender], *, has_signal: bool) -> tuple[Contender, Reason]:
        if self.default is not None and not has_signal:
            return self.default, "no signal"
        if len(ordered) == 1:
            return ordered[0], "only one"
        able = [one for one in ordered if one is self.default or self._survives_nesting(one)]
        best = max(able, key=self._merit)
        for one in able[: able.index(best)]:
            if not self._gain(best, one).is_sure and self._stands_for_its_kind(one, able, best):
                return one, _as_good(one.kind)
        return best, "best"

    def _stands_for_its_kind(self, one: Contender, able: Sequence[Contender], best: Contender) -> bool:
        """Of equally simple ones the best is asked for alone, and none of them against the best of all."""
        equals = [other for other in able if other.kind == one.kind]
        return best.kind != one.kind and max(equals, key=self._merit) is one

    def _survives_nesting(self, one: Contender) -> bool:
        if self.default is None or not one.nested:
            return True
        gains = self.evidence.scorer.gain(
            np.array(one.nested), self.evidence.own_scores(self.default.candidate)
        )
        return float(gains.mean()) > 0

    def _scores(self, one: Contender) -> FloatArray:
        """What is compared, fold by fold: the same folds for all."""
        if self.fresh:
            scorer = self.evidence.scorer
            return scorer.scores(one.candidate, self.fresh) + scorer.averaging(one.candidate, self.fresh)
        return np.array(one.nested) if one.nested else self.evidence.own_scores(one.candidate)

    def _merit(self, one: Contender) -> float:
        mean = float(self._scores(one).mean())
        return mean if self.evidence.scorer.metric.greater_is_better else -mean

    def _gain(self, one: Contender, over: Contender) -> Gain:
        gains = self.evidence.scorer.gain(self._scores(one), self._scores(over))
        return paired_gain(gains, self.evidence.folds_a_split if self.fresh else len(gains))

    def signal(self, ordered: Sequence[Contender]) -> float:
        """The strongest of the single candidates'; without fresh folds the default's, which nobody selected."""
        folds = self.fresh or self.evidence.own
        asked = [one for one in ordered if one.candidate.is_single]
        if not self.fresh and self.default is not None:
            asked = [self.default]
        target, task = self.evidence.scorer.target, self.evidence.task
        found = (
            signal_strength(one.candidate, folds_with(folds, [one.candidate]), target, task) for one in asked
        )
        return max(found, default=0.0)

    def row(self, one: Contender) -> Row:
        is_known = bool(self.fresh) or bool(one.nested) or one is self.default
        return Row(
            one,
            apparent=float(self.evidence.own_scores(one.candidate).mean()),
            honest=float(self._scores(one).mean()) if is_known else None,
            over_default=None
            if self.default is None or one is self.default
            else self._gain(one, self.default),
            fresh=tuple(self._scores(one).tolist()) if self.fresh else (),
        )


def _as_good(kind: Kind) -> Reason:
    return "default is as good" if kind == "default" else "single is as good"
