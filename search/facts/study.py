"""One study as people look at it: what was asked, how far it is, what is best, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from search.conclusion.conclude import kept_conclusion
from search.conclusion.wording import conclusion_lines
from search.facts.trial import metric_label
from search.loop.standing import Standing
from search.loop.tally import (
    complete_trials,
    default_trial,
    last_activity,
    percent_change,
    tally,
    trial_seconds,
    trial_std,
)
from search.results.charts.facts import facts_of
from search.results.charts.importance import parameter_importances
from search.results.chosen_submission import chosen_path, stopgap_path
from search.results.package import study_submission
from storage.record.parent_run import ENDED, best_number

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.loop.tally import Tally
    from storage.layout import Layout

BEST_SHOWN = 10
"""Trials in a table of the best."""


class RankedTrial(NamedTuple):
    """A complete trial among the best.

    Attributes:
        number: Its number.
        score: Mean over the folds.
        std: Standard deviation of the fold scores.
        seconds: What it took; None if that was not recorded.
        gain: By how many per cent of the default configuration's score it is better; None without that score.
        is_default: Whether it is the default configuration.
        params: Its parameters.
    """

    number: int
    score: float
    std: float
    seconds: float | None
    gain: float | None
    is_default: bool
    params: dict[str, Any]


@dataclass(frozen=True)
class StudyFacts:
    """What is known of a study.

    Attributes:
        name: Its name.
        metric: What the score measures, for people.
        higher_is_better: Whether more of it is better.
        target: Name of the target column; None if that was not recorded.
        split: How rows are split; None likewise.
        data: Training table, `None` for the built-in sample.
        fingerprint: Hash of the data; None if that was not recorded.
        objectives: Models that are searched.
        tally: Trials by state.
        best: The best complete trials, best first, the default configuration among them or after them.
        convergence: The best score as of each finished trial, from the first complete one on.
        seconds: What all evaluations took together.
        last_activity: When a trial last began or ended, in local time without a zone.
        ended: How the last search ended, if not with all its trials.
        importance: Share of each parameter in how good the best trials are, the greatest first, of several
            models within the one named; empty if there are too few trials.
        conclusion: What the study came to, in lines; empty if nothing is concluded since the last trial.
        submission: What is to be uploaded; None if it is not here.
    """

    name: str
    metric: str
    higher_is_better: bool
    target: str | None
    split: str | None
    data: str | None
    fingerprint: str | None
    objectives: tuple[str, ...]
    tally: Tally
    best: tuple[RankedTrial, ...]
    convergence: tuple[float, ...]
    seconds: float
    last_activity: datetime | None
    ended: str | None
    importance: dict[str, float]
    conclusion: tuple[str, ...]
    submission: Path | None

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON has it; moments in ISO form."""
        return {
            **vars(self),
            "tally": vars(self.tally) | {"finished": self.tally.finished},
            "best": [one._asdict() for one in self.best],
            "last_activity": self.last_activity and self.last_activity.isoformat(),
            "submission": self.submission and str(self.submission),
        }


def study_facts(study: Study, layout: Layout) -> StudyFacts:
    """Gathers what is known of a study."""
    attributes = study.user_attrs
    settings, question = attributes.get("settings", {}), attributes.get("question", {})
    standing = Standing(study)
    standing.look()
    conclusion = kept_conclusion(study)
    trials = study.get_trials(deepcopy=False)
    return StudyFacts(
        name=study.study_name,
        metric=metric_label(study),
        higher_is_better=study.direction.name == "MAXIMIZE",
        target=attributes.get("run_tags", {}).get("target"),
        split=question.get("split"),
        data=settings.get("train"),
        fingerprint=question.get("data"),
        objectives=tuple(settings.get("objective") or ()),
        tally=tally(study),
        best=_best(study),
        convergence=tuple(standing.convergence),
        seconds=sum(trial_seconds(trial) or 0.0 for trial in trials),
        last_activity=last_activity(study),
        ended=_ended(attributes.get(ENDED)),
        importance={one.label: one.share for one in parameter_importances(facts_of(study))},
        conclusion=tuple(conclusion_lines(conclusion)) if conclusion else (),
        submission=submission_of(study, layout),
    )


def submission_of(study: Study, layout: Layout) -> Path | None:
    """The file to upload: that of what was chosen, else the best trial's, else the stopgap's; None if not here."""
    conclusion, best = kept_conclusion(study), best_number(study)
    paths = [chosen_path(layout, study.study_name, conclusion.chosen)] if conclusion else []
    if best is not None:
        paths.append(study_submission(layout, study.study_name, best))
    else:
        paths.append(stopgap_path(layout, study.study_name))
    return next((path for path in paths if path.is_file()), None)


def _best(study: Study) -> tuple[RankedTrial, ...]:
    default = default_trial(study)
    shown = complete_trials(study)[:BEST_SHOWN]
    if default is not None and default.number not in {one.number for one in shown}:
        shown.append(default)
    return tuple(_ranked(trial, default, study.direction.name == "MAXIMIZE") for trial in shown)


def _ranked(trial: FrozenTrial, default: FrozenTrial | None, higher_is_better: bool) -> RankedTrial:
    assert trial.value is not None
    change = None if default is None else percent_change(trial.value, default.value)
    gain = change if change is None or higher_is_better else -change
    is_default = default is not None and trial.number == default.number
    return RankedTrial(
        trial.number,
        trial.value,
        trial_std(trial),
        trial_seconds(trial),
        gain,
        is_default,
        dict(trial.params),
    )


def _ended(note: object) -> str | None:
    return str(note["note"]) if isinstance(note, dict) and note.get("note") else None
