"""What the front page says of each study, in values; the templates put them into words and lines."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from search.config import MOST_SHOWN
from search.loop.study import ASKED
from search.loop.tally import Tally, percent_change, tally_of, trial_std
from search.results.known_studies import OURS
from search.web.chart import Chart, draw
from search.web.submissions import Submission, submissions_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.trial import FrozenTrial

    from storage.layout import Layout
    from storage.reading.watched_studies import WatchedStudies, WatchedStudy, WatchedTrial

# Naive, as Optuna's moments are.
_NEVER, _LAST = datetime(1, 1, 1), datetime(9999, 12, 31)  # noqa: DTZ001


@dataclass(frozen=True)
class ShownTrial:
    """A trial on the page.

    Attributes:
        number: Its number.
        score: Its score; None while it runs.
        std: Standard deviation over the folds; NaN where it is not known.
        params: Its configuration, in its own order.
        report: Step and value of the latest report of a running one.
        since: When it began.
    """

    number: int
    score: float | None
    std: float
    params: Mapping[str, Any]
    report: tuple[int, float] | None
    since: datetime | None


@dataclass(frozen=True)
class StudyCard:
    """A study on the page.

    Attributes:
        study_id: Its id in the ledger, as in the dashboard's addresses.
        name: Its name.
        metric: Name of its score; None where another program made it.
        is_ours: Whether search.run made it, so that the commands know it.
        state: `searching`, `finished`, `stopped`, or `idle` where that cannot be told.
        owner: Process and host that work on it.
        tally: Its trials counted.
        asked: How many finished ones there shall be; None where it is not known.
        last_moment: When a trial last began or ended.
        best: The best complete trials, best first.
        running: Those that run, the latest first.
        default: The default configuration's score.
        gain: By how much the best is better than that, as a share of it.
        chart: Its convergence.
        chosen: What its end came to; empty before.
        submissions: Files made from it, the latest first.
    """

    study_id: int
    name: str
    metric: str | None
    is_ours: bool
    state: str
    owner: str | None
    tally: Tally
    asked: int | None
    last_moment: datetime | None
    best: tuple[ShownTrial, ...]
    running: tuple[ShownTrial, ...]
    default: float | None
    gain: float | None
    chart: Chart | None
    chosen: Mapping[str, Any]
    submissions: tuple[Submission, ...]

    @property
    def quoted(self) -> str:
        """The name as a shell takes it."""
        return shlex.quote(self.name)


def make_cards(layout: Layout, watched: WatchedStudies) -> list[StudyCard]:
    """Looks at the ledger and makes a card of each study, those at work first.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: If the ledger does not answer.
    """
    files = submissions_of(layout)
    cards = [_card(layout, watched, study, files.get(study.name, ())) for study in watched.look()]
    return sorted(
        cards, key=lambda card: (card.state == "searching", card.last_moment or _NEVER), reverse=True
    )


def _card(
    layout: Layout, watched: WatchedStudies, study: WatchedStudy, files: Sequence[Submission]
) -> StudyCard:
    trials = list(study.trials.values())
    maximize = bool(study.maximize)
    scores = sorted((t for t in trials if t.state == "COMPLETE" and t.value is not None), key=_end)
    ranked = sorted(scores, key=lambda t: ((-1 if maximize else 1) * _value(t), t.number))[:MOST_SHOWN]
    running = sorted((t for t in trials if t.state == "RUNNING"), key=lambda t: -t.number)[:MOST_SHOWN]
    default = next((t.value for t in scores if t.number == 0), None)
    best = _value(ranked[0]) if ranked else None
    tally, owner = tally_of([trial.state for trial in trials]), _owner(layout, study.name)
    moments = [moment for t in trials for moment in (t.started, t.ended) if moment is not None]
    return StudyCard(
        study_id=study.study_id,
        name=study.name,
        metric=_mapping(study.attributes, "question").get("metric"),
        is_ours=study.attributes.keys() >= OURS,
        state=_state(study, owner, tally),
        owner=owner,
        tally=tally,
        asked=_asked(study),
        last_moment=max(moments, default=None),
        best=tuple(_shown(watched.whole(t)) for t in ranked),
        running=tuple(_shown(watched.whole(t)) for t in running),
        default=default,
        gain=_gain(best, default, maximize=maximize),
        chart=None if study.maximize is None else _chart(trials, default, maximize=maximize),
        chosen=_mapping(_mapping(study.attributes, "figures"), "study"),
        submissions=tuple(files[:MOST_SHOWN]),
    )


def _chart(trials: Sequence[WatchedTrial], default: float | None, *, maximize: bool) -> Chart | None:
    finished = sorted((t for t in trials if t.state in {"COMPLETE", "PRUNED", "FAIL"}), key=_end)
    scores = [
        (i, _value(t)) for i, t in enumerate(finished, 1) if t.state == "COMPLETE" and t.value is not None
    ]
    return draw(scores, default, len(finished), maximize=maximize)


def _shown(trial: FrozenTrial) -> ShownTrial:
    reports = trial.intermediate_values
    step = max(reports, default=None)
    is_complete = trial.state.name == "COMPLETE"
    return ShownTrial(
        trial.number,
        trial.value if is_complete else None,
        trial_std(trial),
        trial.params,
        None if step is None else (step, reports[step]),
        trial.datetime_start,
    )


def _owner(layout: Layout, study: str) -> str | None:
    from storage.study_lock import owner_of

    facts = owner_of(layout, study)
    return None if facts is None else f"process {facts['pid']} on {facts['host']}"


def _state(study: WatchedStudy, owner: str | None, tally: Tally) -> str:
    if owner is not None:
        return "searching"
    asked = _asked(study)
    if asked is None and _mapping(study.attributes, "ended").get("status") == "FINISHED":
        return "finished"
    if asked is None:
        return "idle"
    return "finished" if tally.finished >= asked else "stopped"


def _asked(study: WatchedStudy) -> int | None:
    asked = study.attributes.get(ASKED)
    return asked if isinstance(asked, int) else None


def _mapping(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    # Attributes of another program's study may be anything.
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _gain(best: float | None, default: float | None, *, maximize: bool) -> float | None:
    change = percent_change(best, default)
    return None if change is None else (change if maximize else -change) / 100


def _value(trial: WatchedTrial) -> float:
    assert trial.value is not None
    return trial.value


def _end(trial: WatchedTrial) -> tuple[datetime, int]:
    return trial.ended or _LAST, trial.number
