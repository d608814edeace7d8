"""The report on demand: the study found, the page written, attached where a record is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from search.competition import experiment_of
from search.faults import InputFaults
from search.loop.tally import best_trial
from search.results.known_studies import latest_study, our_study
from search.results.report.making import ARTIFACT, write_report
from search.results.report.runs import Runs
from storage.ledger_address import shown_url
from storage.study_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.study import Study

    from search.config import ReportConfig
    from storage.layout import Layout
    from storage.mlflow_callback import MLflowCallback


def report(config: ReportConfig, layout: Layout) -> Iterator[str]:
    """Writes the report; a line for each thing done.

    Raises:
        InputFaults: If there is no such study, or the file cannot be written there.
    """
    found = latest_study(layout) if config.study is None else our_study(layout, config.study, "STUDY")
    study = snapshot(found)
    path = config.output or layout.report(study.study_name)
    _check(path)
    callback = record_of(study, layout)
    runs, trouble = _runs(study, callback)
    write_report(study, layout, path, runs=runs)
    yield f"Report: {path} ({path.stat().st_size / 1e6:.1f} MB)"
    if trouble is None:
        trouble = _attached(study, callback, path)
    yield trouble or f"Attached: {ARTIFACT}, in MLflow's run {runs.parent}"
    if trouble is None and (said := _shown(study, layout, callback)):
        yield said


def record_of(study: Study, layout: Layout, tracking_uri: str | None = None) -> MLflowCallback:
    """The study's record in MLflow, not opened yet."""
    from storage.mlflow_callback import MLflowCallback

    return MLflowCallback(
        tracking_uri or layout.tracking_uri,
        f"cv_{study.user_attrs['question']['metric']}_mean",
        experiment=_experiment(study),
        layout=layout,
        shared=True,
    )


def runs_of(study: Study, callback: MLflowCallback) -> Runs:
    """Where the study is in MLflow.

    Raises:
        Exception: As MLflow does where it does not answer.
    """
    best = best_trial(study)
    of_best: str | None = None
    if best is not None:
        try:
            of_best = callback.run_id(study, best.number)
        except LookupError:
            of_best = None
    return Runs(_experiment(study), callback.parent_run_id(study), of_best)


def _runs(study: Study, callback: MLflowCallback) -> tuple[Runs, str | None]:
    try:
        return runs_of(study, callback), None
    except Exception as error:  # noqa: BLE001 - whatever ails MLflow, the report is written
        return Runs(_experiment(study)), f"Not attached: MLflow does not answer ({_first_line(error)})"


def _attached(study: Study, callback: MLflowCallback, path: Path) -> str | None:
    """Attaches the page; says what was in the way, if anything."""
    try:
        callback.attach_to_study(study, {ARTIFACT: path})
    except Exception as error:  # noqa: BLE001 - the report is written all the same
        return f"Not attached: MLflow refuses ({_first_line(error)})"
    return None


def _shown(study: Study, layout: Layout, callback: MLflowCallback) -> str | None:
    """Has the dashboard show the same, unless a search is at the study, which does that itself."""
    from search.results.dashboard import show_study
    from storage.coordination.seat import at_rest
    from storage.study_lock import StudyLockedError

    try:
        with at_rest(layout, study.study_name):
            show_study(study, layout, callback)
    except StudyLockedError:
        return None
    except Exception as error:  # noqa: BLE001 - the report is there
        return f"Not shown in optuna-dashboard ({_first_line(error)})"
    return (
        f"Shown: optuna-dashboard {shown_url(layout.ledger_url)} --artifact-dir {layout.dashboard_artifacts}"
    )


def _experiment(study: Study) -> str:
    return experiment_of(study.user_attrs["settings"], study.study_name)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _check(path: Path) -> None:
    if path.is_dir():
        raise InputFaults([f"--output: got {path}, a folder; allowed: a file; do: name one in it"])
    if path.parent != Path() and path.parent.exists() and not path.parent.is_dir():
        raise InputFaults(
            [f"--output: got {path}, in no folder; allowed: a file in a folder; do: name another"]
        )
