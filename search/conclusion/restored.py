"""A conclusion that was made on another host, or whose files are gone: what it chose, evaluated again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from search.conclusion.final_fit import place_of
from search.conclusion.jobs import Job, run_jobs
from search.loop.cost import full_seconds
from storage.predictions import PredictionMissingError, StoredPrediction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from optuna.study import Study

    from objectives.base import FloatArray
    from search.conclusion.candidates import Candidate, Part
    from search.loop.engine import Engine
    from storage.predictions import PredictionStore

_ANEW = 5.0
"""Evaluations of its trial that a final fit is forecast to cost."""


def evaluated_again(
    candidate: Candidate,
    study: Study,
    store: PredictionStore,
    engine: Engine,
    deadline: float,
    *,
    on_wait: Callable[[], None] = lambda: None,
) -> StoredPrediction | None:
    """Returns a candidate's predictions, those of its parts taken from the store or made again.

    Args:
        candidate: Of a study's conclusion.
        study: The study.
        store: Its kept predictions.
        engine: Open, with nothing else submitted.
        deadline: `time.monotonic()` at which it is given up.
        on_wait: Called now and then while nothing ends.

    Returns:
        The predictions; None where not all parts came to some in time.
    """
    parts = [part for part, _ in candidate.parts]
    found = {part: one for part in parts if (one := _stored(part, store)) is not None}
    missing = [part for part in parts if part not in found]
    seconds = _seconds(study)
    # Their models are fitted once more by whoever promotes them: most who come here want the file to upload.
    jobs = [
        Job(
            part.params,
            replace(place_of(part), models=False),
            seconds.get(part.trial, 0.0) * (_ANEW if part.variant else 1.0),
        )
        for part in missing
    ]
    for done in run_jobs(engine, jobs, deadline, on_wait):
        part, result = missing[done.order], done.result
        found[part] = StoredPrediction(oof=result.oof_prediction, test=result.test_prediction)
    if len(found) < len(parts):
        return None
    # Models of all rows score as those of the folds do.
    scored = {part: one._replace(oof=found[part.by_folds].oof) for part, one in found.items()}
    return _mixed(candidate, scored)


def _stored(part: Part, store: PredictionStore) -> StoredPrediction | None:
    if part.variant:
        return None
    try:
        return store.load(part.trial)
    except PredictionMissingError:
        return None


def _seconds(study: Study) -> dict[int, float]:
    trials = study.get_trials(deepcopy=False)
    return {trial.number: full_seconds(trial) or 0.0 for trial in trials if trial.state.name == "COMPLETE"}


def _mixed(candidate: Candidate, found: Mapping[Part, StoredPrediction]) -> StoredPrediction:
    def of(name: str) -> FloatArray:
        return candidate.mixed({part: getattr(one, name) for part, one in found.items()})

    return StoredPrediction(oof=of("oof"), test=of("test"))
