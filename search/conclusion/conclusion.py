"""What a study came to: the candidates with their figures, and the chosen one; kept with the study."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from search.conclusion.candidates import Candidate
from search.conclusion.honest import HonestScore
from search.loop.tally import complete_trials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.study import Study

    from search.conclusion.choice import Choice, Contender, Kind, Reason, Row

VERSION = 2


@dataclass(frozen=True)
class Line:
    """One candidate's figures.

    Attributes:
        candidate: It.
        kind: How simple it is.
        apparent: Mean score on the study's own folds.
        honest: Mean score on fresh splits, or on folds that selection did not look at; None: not known.
        gain: Over the default, above 0 is better; None of the default itself, or without one.
        gain_error: Its standard error; None: not known.
        expected: What it will score on the test file; None: not known.
        is_chosen: Whether it is the one to promote.
        fresh: Scores on the fresh folds, in the order of `Conclusion.places`.
    """

    candidate: Candidate
    kind: Kind
    apparent: float
    honest: float | None
    gain: float | None
    gain_error: float | None
    expected: HonestScore | None
    is_chosen: bool
    fresh: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """For people."""
        return f"default ({self.candidate.name})" if self.kind == "default" else self.candidate.name

    def figures(self) -> dict[str, Any]:
        """By the names that runs and promotion records have them."""
        found: dict[str, Any] = {"candidate": self.candidate.name, "apparent_score": self.apparent}
        if self.honest is not None:
            found |= {"honest_score": self.honest, "gap": self.honest - self.apparent}
        if self.gain is not None:
            found |= {"gain_over_default": self.gain}
        if self.gain_error is not None:
            found |= {"gain_error": self.gain_error}
        if self.expected is not None:
            one = self.expected
            found |= {"expected_score": one.expected, "expected_low": one.low, "expected_high": one.high}
        return found

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        own = {"candidate": self.candidate.to_json(), "expected": self.expected and self.expected.to_json()}
        return {**vars(self), **own}

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Line:
        """The inverse of `to_json`."""
        expected = known["expected"]
        own = {
            "candidate": Candidate.from_json(known["candidate"]),
            "expected": HonestScore.from_json(expected) if expected else None,
        }
        return cls(**{**known, **own, "fresh": tuple(known["fresh"])})


@dataclass(frozen=True)
class Conclusion:
    """What a study came to.

    Attributes:
        made_from: Digest of the complete trials that it was made from.
        metric: The score's name, for people.
        reason: Why the chosen one.
        lines: The candidates, the simplest first.
        places: Split and fold of each fresh score that honest scores are of; none: there was no time for any.
        has_own_rows: Whether these are the study's own folds with other seeds, for its scheme has no others.
        signal: What the predictions say of the target, in standard deviations of chance.
        joined: The chosen one with models of all rows beside those of its folds; None: there was no time for any.
    """

    made_from: str
    metric: str
    reason: Reason
    lines: tuple[Line, ...]
    places: tuple[tuple[int, int], ...]
    has_own_rows: bool
    signal: float
    joined: Candidate | None = None

    @property
    def fresh_folds(self) -> int:
        """Folds of fresh splits that honest scores are of."""
        return len(self.places)

    @property
    def chosen_line(self) -> Line:
        """The line of the one to promote."""
        return next(line for line in self.lines if line.is_chosen)

    @property
    def chosen(self) -> Candidate:
        """The one to promote, as it predicts: its line's figures are those of its folds' models alone."""
        return self.joined or self.chosen_line.candidate

    def figures(self) -> dict[str, dict[str, Any]]:
        """What the study's run and those of single trials are to say, by trial number or `study`."""
        chosen = self.chosen_line
        parts = {part.name: weight for part, weight in self.chosen.parts}
        own = {**chosen.figures(), "fresh_folds": self.fresh_folds, "reason": self.reason, "parts": parts}
        return {"study": {f"chosen_{name}": value for name, value in own.items()}} | {
            str(line.candidate.trial): line.figures() for line in self.lines if line.candidate.is_plain
        }

    def asking_for(self, line: Line) -> Conclusion:
        """The same with another line as the one to promote, for that is what was asked for."""
        others = [replace(one, is_chosen=False) for one in self.lines if one.candidate != line.candidate]
        place = next((k for k, one in enumerate(self.lines) if one.candidate == line.candidate), len(others))
        others.insert(place, replace(line, is_chosen=True))
        return replace(self, reason="asked for", lines=tuple(others), joined=None)

    def is_of(self, study: Study) -> bool:
        """Whether no trial has been added since."""
        return self.made_from == trials_digest(study)

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        own = {
            "lines": [line.to_json() for line in self.lines],
            "joined": self.joined and self.joined.to_json(),
        }
        return {**vars(self), "version": VERSION, **own}

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Conclusion | None:
        """The inverse of `to_json`; None of what another release wrote."""
        if known.get("version") != VERSION:
            return None
        own = {
            "lines": tuple(Line.from_json(line) for line in known["lines"]),
            "places": tuple((int(split), int(fold)) for split, fold in known["places"]),
            "joined": Candidate.from_json(joined) if (joined := known["joined"]) else None,
        }
        return cls(**{**{name: value for name, value in known.items() if name != "version"}, **own})


def trials_digest(study: Study) -> str:
    """Names the complete trials of a study, so that a conclusion knows whether it is still of all of them."""
    known = sorted((trial.number, trial.value) for trial in complete_trials(study))
    return hashlib.blake2b(json.dumps(known).encode(), digest_size=8).hexdigest()


def concluded(
    choice: Choice,
    honest: Mapping[str, HonestScore],
    study: Study,
    *,
    metric: str,
    has_own_rows: bool,
    joined: Candidate | None = None,
) -> Conclusion:
    """Puts a choice and what is expected of each candidate, by name, into one record."""
    lines = tuple(_line(row, honest.get(row.contender.candidate.name), choice.chosen) for row in choice.rows)
    return Conclusion(
        made_from=trials_digest(study),
        metric=metric,
        reason=choice.reason,
        lines=lines,
        places=choice.places,
        has_own_rows=has_own_rows,
        signal=choice.signal,
        joined=joined,
    )


def _line(row: Row, expected: HonestScore | None, chosen: Contender) -> Line:
    gain = row.over_default
    return Line(
        candidate=row.contender.candidate,
        kind=row.contender.kind,
        apparent=row.apparent,
        honest=row.honest,
        gain=None if gain is None else gain.mean,
        gain_error=None if gain is None else gain.known_error,
        expected=expected,
        is_chosen=row.contender is chosen,
        fresh=row.fresh,
    )
