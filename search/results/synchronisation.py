"""The record of our studies made equal to the ledger, or looked through."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from search.competition import experiment_of
from search.faults import InputFaults
from search.results.charts.facts import OUTLINE
from search.results.dashboard import show_study
from search.results.known_studies import our_studies
from search.results.trial_files import TrialFiles, reopen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.config import SyncConfig
    from storage.layout import Layout
    from storage.mlflow_callback import MLflowCallback
    from storage.record.reconcile import SyncReport


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
    from storage.coordination.seat import is_worked_on
    from storage.record.study_sync import audit
    from storage.record.tracking import look_at_tracking
    from storage.record.trial_mapping import TrialMapping

    for study in our_studies(layout, config.study):
        with _answering(config, layout):
            tracking = look_at_tracking(layout, config.tracking_uri)
            is_running = is_worked_on(layout, study.study_name)
            lines = audit(
                study,
                tracking,
                _experiment(study),
                TrialMapping(_metric(study), {}, tag_study_user_attrs=False, tag_trial_user_attrs=True),
                is_running=is_running,
            )
            is_equal = True
            for line in lines:
                is_equal = False
                yield Line(f"{study.study_name}: {line}", is_difference=True)
            if is_equal:
                so_far = ", as far as the running search has got" if is_running else ""
                yield Line(f"{study.study_name}: MLflow equals the ledger{so_far}")


def sync(config: SyncConfig, layout: Layout) -> Iterator[Line]:
    """Mends the record, then the best trial's files; a line for each study, and for what could not be mended.

    Raises:
        InputFaults: If there is no such study, a search is at it, or MLflow does not answer.
    """
    from storage.coordination.seat import at_rest
    from storage.promotion_record import promotion_tags
    from storage.study_lock import StudyLockedError
    from storage.trial_outlines import trial_outlines

    for study in our_studies(layout, config.study):
        name = study.study_name
        callback = _callback(config, layout, study)
        try:
            with at_rest(layout, name), _answering(config, layout):
                restored = promotion_tags(layout.submissions, name)
                report = callback.sync(study, deep=True, idle=True, restored=restored)
                yield Line(f"{name}: {_said(report)}")
                yield from _mend_files(study, callback, layout)
                # Runs that were written anew have other addresses.
                show_study(study, layout, callback, trial_outlines(study, OUTLINE))
        except StudyLockedError as error:
            raise InputFaults([str(error)]) from None


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
    from storage.record.parent_run import best_number

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
    files.write_submission(files.submission)
    with files.artifacts() as paths:
        callback.attach(study, best.number, paths)


@contextmanager
def _answering(config: SyncConfig, layout: Layout) -> Iterator[None]:
    from storage.record.tracking import RecordUnavailableError, answering

    try:
        with answering(config.tracking_uri or layout.tracking_uri):
            yield
    except RecordUnavailableError as error:
        raise InputFaults([str(error)]) from None
