"""Opens the study of a search: nothing is changed before its question is known to be the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from objectives.data.own_metric import code_of
from search.faults import InputFaults
from search.loop.promise import promise_of
from search.loop.record import run_params, run_tags
from search.loop.study import change_space, name_metric, open_study, study_faults
from search.loop.tally import tally
from search.settings.own_codes import METRIC_CODE, OBJECTIVE_CODES
from storage.record.parent_run import ENDED

if TYPE_CHECKING:
    from optuna.study import Study

    from objectives.base import Objective
    from search.competition import Competition
    from search.config import SearchConfig
    from search.loop.in_time import Deadline
    from storage.coordination.seat import Seat
    from storage.layout import Layout

KEPT_PARAMS = {"objective", "feature_cols"}
"""Parameters whose words a study keeps, for its runs have them: its first objectives, its features as once written."""


def open_search(
    competition: Competition,
    objective: Objective,
    config: SearchConfig,
    layout: Layout,
    seat: Seat,
    *,
    deadline: Deadline,
) -> Study:
    """Creates or resumes the study, and notes in it what its runs, replays and promotions need.

    Args:
        competition: What is searched.
        objective: How.
        config: The settings.
        layout: The project.
        seat: The caller's place at the study.
        deadline: When the search ends.

    Raises:
        InputFaults: If the study asks another question; nothing is changed then.
    """
    from storage.ledger import open_ledger, open_sole_ledger
    from storage.record.study_runs import study_uid

    ledger = (open_ledger if seat.is_shared else open_sole_ledger)(layout.ledger_url)
    question = competition.question(objective)
    with seat.alone():
        faults = study_faults(ledger, competition.study, question, others=seat.has_others())
        if faults:
            raise InputFaults(faults)
        study = open_study(
            ledger,
            competition.study,
            objective,
            maximize=competition.dataset.metric.greater_is_better,
            trials=config.trials,
            seed=config.seed,
            token=seat.token,
            promise=promise_of(competition, objective, layout),
            deadline=deadline,
        )
        study_uid(study)
        for line in change_space(study, objective, question):
            print(line)
        _note_all(study, competition, question)
        if tally(study).finished < config.trials:
            _note(study, ENDED, None)
    return study


def _note_all(study: Study, competition: Competition, question: dict[str, Any]) -> None:
    _note(study, "question", question)
    _note(study, "settings", competition.settings)
    _note(study, METRIC_CODE, code_of(competition.dataset.metric))
    _note(study, OBJECTIVE_CODES, {**competition.objectives.codes} or None)
    # A study that takes in further objectives keeps what is true of the runs that it has; new ones say their own.
    known = {k: v for k, v in study.user_attrs.get("run_params", {}).items() if k in KEPT_PARAMS}
    _note(study, "run_params", run_params(competition) | known)
    _note(study, "run_tags", run_tags(competition))
    name_metric(study, f"{competition.metric_name}_mean")


def _note(study: Study, name: str, value: Any) -> None:
    # In the ledger, so that a record made anew has it too.
    if study.user_attrs.get(name) != value:
        study.set_user_attr(name, value)
