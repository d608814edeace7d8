"""One run of the default parameters: the first thing to have, and the line to beat."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from search.competition import Competition, open_competition
from search.loop.record import describe, run_params, run_tags
from search.results.contract import Maker, remember_submission, write_checked_submission
from search.results.package import run_files

if TYPE_CHECKING:
    from objectives.base import CVResult, Objective, Progress
    from search.config import DataConfig
    from storage.layout import Layout
    from storage.record.run_record import RunRecord


@dataclass(frozen=True)
class Baseline:
    """A recorded run of the defaults.

    Attributes:
        name: `baseline_<YYYYmmdd_HHMMSS>`.
        run_id: The run in MLflow.
        metric_label: Name of the score, for people.
        mean: Its mean over the folds.
        std: Its standard deviation over the folds.
        submission: The checked file to upload.
    """

    name: str
    run_id: str
    metric_label: str
    mean: float
    std: float
    submission: Path


def run_baseline(config: DataConfig, layout: Layout) -> Baseline:
    """Cross-validates the default parameters and records the run.

    Raises:
        InputFaults: If something is wrong with the input; nothing is changed then.
    """
    competition = open_competition(config, layout)
    for note in competition.notes:
        print(note, flush=True)
    started = datetime.now().astimezone()
    objective = competition.objective()
    result = objective.evaluate(objective.default_params(), _FoldLines(competition))
    name = f"baseline_{started:%Y%m%d_%H%M%S}"
    layout.create()
    submission = layout.submissions / f"submission_{name}.csv"
    write_checked_submission(competition, result.test_prediction, submission, oof=result.oof_prediction)
    with tempfile.TemporaryDirectory() as folder:
        objective.save_model(result, Path(folder))
        with run_files(competition, result.test_prediction, Path(folder), submission) as files:
            record = _run_record(competition, objective, result, name, started)
            run_id = _write(competition, record, files, layout)
    maker = Maker("baseline", name, result.mean, result.std, run_id=run_id)
    remember_submission(layout, competition, submission, maker, result.oof_prediction)
    return Baseline(
        name,
        run_id,
        competition.dataset.metric.label,
        mean=result.mean,
        std=result.std,
        submission=submission,
    )


class _FoldLines:
    """Prints a line when a fold begins, so that a long run is seen to move."""

    def __init__(self, competition: Competition) -> None:
        self._folds = len(competition.folds)
        self._seen = -1

    def __call__(self, progress: Progress) -> bool:
        if progress.fold > self._seen:
            self._seen = progress.fold
            print(f"Fold {progress.fold + 1} of {self._folds} ...", flush=True)
        return False

    def stopped(self) -> bool:
        return False


def _run_record(
    competition: Competition, objective: Objective, result: CVResult, name: str, started: datetime
) -> RunRecord:
    from storage.record.run_record import RunRecord

    return RunRecord(
        name=name,
        start_ms=int(started.timestamp() * 1000),
        # Of several objectives the default says which it is of.
        params={**run_params(competition), **objective.default_params()},
        metrics={f"{competition.metric_name}_mean": result.mean, **describe(competition, result)},
        tags={**run_tags(competition), "experiment_type": "baseline", "status": "completed"},
    )


def _write(competition: Competition, record: RunRecord, files: dict[str, Path], layout: Layout) -> str:
    from storage.record.run_record import record_run
    from storage.record.tracking import ensure_experiment, open_tracking

    tracking = open_tracking(layout)
    return record_run(tracking, ensure_experiment(tracking, competition.experiment), record, files)
