"""The record of our studies made equal to the ledger, or looked through."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from search.competition import experiment_of
from search.faults import InputFaults
from search.results.package import run_files, study_submission, write_checked_submission
from search.results.trial_files import TrialFiles, reopen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.config import SyncConfig
    from storage.layout import Layout
    from storage.mlflow_callback import MLflowCallback
    from storage.reconcile import SyncReport


class Line(NamedTuple):
    """A line to print.

    Attributes:
        text: For people.
        is_difference: Whether it says that record and ledger differ, still or at all.
    """

    text: str
    is_difference: bool = False


def check(config: SyncConfig, layout: Layout) -> Iterator[Line]:
    """Compares and changes nothing; a line for each difference.

    Raises:
        InputFaults: If there is no such study, or MLflow does not answer.
    """
    from storage.study_lock import is_held
    from storage.study_record import TrialMapping
    from storage.study_sync import audit
    from storage.tracking import look_at_tracking

    for study in _studies(config, layout):
        with _answering(config, layout):
            tracking = look_at_tracking(layout, config.tracking_uri)
            lines = audit(
                study,
                tracking,
                _experiment(study),
                TrialMapping(_metric(study), {}, tag_study_user_attrs=False, tag_trial_user_attrs=True),
                is_running=is_held(layout, study.study_name),
            )
            is_equal = True
            for line in lines:
                is_equal = False
                yield Line(f"{study.study_name}: {line}", is_difference=True)
            if is_equal:
                yield Line(f"{study.study_name}: MLflow equals the ledger")


def sync(config: SyncConfig, layout: Layout) -> Iterator[Line]:
    """Mends the record, then the best trial's files; a line for each study, and for what could not be mended.

    Raises:
        InputFaults: If there is no such study, a search is at it, or MLflow does not answer.
    """
    from storage.promotion_record import promotion_tags
    from storage.study_lock import StudyLockedError, study_lock

    for study in _studies(config, layout):
        name = study.study_name
        callback = _callback(config, layout, study)
        try:
            with study_lock(layout, name), _answering(config, layout):
                restored = promotion_tags(layout.submissions, name)
                report = callback.sync(study, deep=True, idle=True, restored=restored)
                yield Line(f"{name}: {_said(report)}")
                yield from _mend_files(study, callback, layout)
        except StudyLockedError as error:
            raise InputFaults([str(error)]) from None


def _studies(config: SyncConfig, layout: Layout) -> list[Study]:
    """The study asked for, or all that search.run made."""
    import optuna

    from storage.checks import storage_faults

    faults = storage_faults(layout)
    if faults:
        raise InputFaults(faults)
    if not layout.optuna_db.exists():
        raise InputFaults(["got no study here; allowed: at least one; do: python -m search.run"])
    from storage.ledger import open_ledger

    ledger = open_ledger(layout.ledger_url)
    names = optuna.get_all_study_names(ledger)
    if config.study is not None and config.study not in names:
        known = ", ".join(names) or "none yet"
        raise InputFaults([f"--study: got {config.study!r}; allowed: {known}; do: choose one"])
    asked = [config.study] if config.study else names
    studies = [optuna.load_study(study_name=name, storage=ledger) for name in asked]
    ours = [study for study in studies if {"settings", "question"} <= study.user_attrs.keys()]
    if config.study and not ours:
        raise InputFaults(
            [
                f"--study: got {config.study!r}, not made by search.run; allowed: one that is; do: choose another"
            ]
        )
    return ours


def _metric(study: Study) -> str:
    return f"cv_{study.user_attrs['question']['metric']}_mean"


def _experiment(study: Study) -> str:
    settings: dict[str, Any] = study.user_attrs["settings"]
    return experiment_of(settings, study.study_name)


def _callback(config: SyncConfig, layout: Layout, study: Study) -> MLflowCallback:
    from storage.mlflow_callback import MLflowCallback

    return MLflowCallback(
        config.tracking_uri or layout.tracking_uri,
        _metric(study),
        experiment=_experiment(study),
        layout=layout,
    )


def _said(report: SyncReport) -> str:
    if not report.changed:
        return f"MLflow has all {report.kept} runs"
    return (
        f"{len(report.written)} runs written, {report.deleted} deleted, {report.adopted} put under the study's "
        f"run, {report.retagged} with tags corrected, {report.kept} right already"
    )


def _mend_files(study: Study, callback: MLflowCallback, layout: Layout) -> Iterator[Line]:
    from storage.ledger_trials import find_trial
    from storage.parent_run import best_number

    number = best_number(study)
    if number is None or not callback.file_differences(study, number):
        return
    try:
        _attach_again(study, find_trial(study, number), callback, layout)
    except InputFaults as error:
        for fault in error.faults:
            yield Line(f"{study.study_name}: files of trial {number} not made: {fault}", is_difference=True)
        return
    yield Line(f"{study.study_name}: files of trial {number}, the best, stored with its run and the study's")


def _attach_again(study: Study, best: FrozenTrial, callback: MLflowCallback, layout: Layout) -> None:
    files = TrialFiles(reopen(study, layout), best, layout)
    submission = study_submission(layout, study.study_name, best.number)
    prediction = files.prediction()
    write_checked_submission(files.competition, prediction, submission)
    with files.saved_model() as model, run_files(files.competition, prediction, model, submission) as paths:
        callback.attach(study, best.number, paths)


@contextmanager
def _answering(config: SyncConfig, layout: Layout) -> Iterator[None]:
    from storage.tracking import RecordUnavailableError, answering

    try:
        with answering(config.tracking_uri or layout.tracking_uri):
            yield
    except RecordUnavailableError as error:
        raise InputFaults([str(error)]) from None
