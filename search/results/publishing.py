"""What there is to look at when a search has ended: the report, and what the dashboard shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.results.dashboard import show_study
from search.results.report.making import ARTIFACT, is_report_of, write_report
from search.results.report.reporting import runs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from optuna.study import Study

    from search.competition import Competition
    from storage.layout import Layout
    from storage.mlflow_callback import MLflowCallback


def publish(
    study: Study,
    layout: Layout,
    callback: MLflowCallback,
    competition: Competition,
    warn: Callable[[str], None],
) -> None:
    """Makes both; what goes wrong is told and never raised, for the search is over and well.

    Where the report is that of the study as it stands, nothing is done: a finished search is repeated to see its
    summary.
    """
    from storage.record.pages import has_study_file

    path = layout.report(study.study_name)
    try:
        if is_report_of(path, study) and has_study_file(callback, study, ARTIFACT):
            return
        write_report(study, layout, path, competition=competition, runs=runs_of(study, callback))
        show_study(study, layout, callback)
        callback.attach_to_study(study, {ARTIFACT: path})
    except Exception as error:  # noqa: BLE001 - nobody's search is to fail by its report
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        warn(f"no report was attached ({reason}); do: python -m search.report {study.study_name!r}")
