"""The study's way into MLflow: off the evaluation path, never able to stop the search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from search.competition import Competition
    from storage.layout import Layout
    from storage.mlflow_callback import MLflowCallback

    Files = AbstractContextManager[Mapping[str, Path]]


def run_params(competition: Competition) -> dict[str, Any]:
    """Parameters that are the same for every run of a competition."""
    data = competition.dataset
    return {
        "seed": competition.config.seed,
        "n_features": len(data.encoder.columns),
        "feature_cols": ",".join(data.encoder.names),
        "n_splits": len(competition.folds),
        "task": data.task,
        "metric": data.metric.name,
        "objective": "lightgbm",
    }


def run_tags(competition: Competition) -> dict[str, str]:
    """Tags that are the same for every run of a competition."""
    return {"data_fingerprint": competition.dataset.fingerprint, "target": competition.dataset.target_name}


class BackgroundRecord:
    """One study's runs in MLflow.

    Everything here only queues work for the recorder's thread; what fails is warned of once, and written
    by the next synchronisation.
    """

    def __init__(self, layout: Layout, competition: Competition, warn: Callable[[str], None]) -> None:
        self._layout, self._competition = layout, competition
        self.parent_run_id: str | None = None
        self._recorder = Recorder(warn)
        self._made: MLflowCallback | None = None

    @property
    def _callback(self) -> MLflowCallback:
        if self._made is None:
            from storage.mlflow_callback import MLflowCallback

            self._made = MLflowCallback(
                tracking_uri=self._layout.tracking_uri,
                metric_name=f"{self._competition.metric_name}_mean",
                experiment=self._competition.experiment,
                layout=self._layout,
            )
        return self._made

    def open(self, study: Study, *, is_finished: bool) -> None:
        """Finds or makes the parent run and mends what an earlier command left half written.

        Args:
            study: The study.
            is_finished: Whether it has all its trials already; its parent run then stays as it is.
        """

        def job() -> None:
            if not is_finished:
                self._callback.open(study)
            self.parent_run_id = self._callback.parent_run_id(study)
            self._sync(study)

        self._recorder.submit("the study", job)

    def trial_closed(self, study: Study, trial: FrozenTrial) -> None:
        """Writes the trial's nested run."""

        def job() -> None:
            self._callback.record(study, trial)

        self._recorder.submit(f"trial {trial.number}", job)

    def attach_best(self, study: Study, number: int, files: Callable[[], Files]) -> None:
        """Logs the best trial's files on its run and on the parent, unless they are there.

        Args:
            study: The study.
            number: The best trial's number.
            files: Makes them, by artifact path, for as long as a block runs; called in the recorder's thread.
        """

        def job() -> None:
            if not self._callback.file_differences(study, number):
                return
            with files() as paths:
                self._callback.attach(study, number, paths)

        self._recorder.submit("the best trial's files", job)

    def close(self, study: Study, status: str, note: str | None, timeout_seconds: float) -> int:
        """Writes what is missing, ends the parent run, and waits for it.

        Returns:
            How many pieces of the record are still waiting or were missed.
        """

        def job() -> None:
            self._sync(study)
            self._callback.close(study, status, note)

        self._recorder.submit("the study's end", job)
        self._recorder.close(timeout_seconds)
        return self._recorder.waiting + self._recorder.failures

    def _sync(self, study: Study) -> None:
        from storage.promotion_record import promotion_tags

        restored = promotion_tags(self._layout.submissions, study.study_name)
        self._callback.sync(study, restored=restored)
