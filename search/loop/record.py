"""The study's way into MLflow: off the evaluation path, never able to stop the search."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from objectives.base import EvaluationStopped
from search.config import SHOWN_EVERY_SECONDS
from storage.layout import artifact_name
from storage.record.parent_run import ENDED
from storage.record.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from objectives.base import CVResult
    from search.competition import Competition
    from storage.coordination.seat import Seat
    from storage.layout import Layout
    from storage.mlflow_callback import MLflowCallback

    Files = AbstractContextManager[Mapping[str, Path]]


def run_params(competition: Competition) -> dict[str, Any]:
    """Parameters that are the same for every run of a competition."""
    data = competition.dataset
    return {
        "seed": competition.config.seed,
        "n_features": len(data.feature_names),
        # With blanks, for the dashboard breaks no line elsewhere and would be 7,700 px wide.
        "feature_cols": ", ".join(data.feature_names),
        "n_splits": len(competition.folds),
        # Not for the default split: the runs of studies from before there were others lack it.
        **({"split": competition.split_name} if not competition.split.is_default(data.task) else {}),
        "task": data.task,
        "metric": data.metric.name,
        # Of a trial of several objectives, the one that its parameters name.
        "objective": ",".join(competition.objectives.names),
        **data.score_question,
    }


def run_tags(competition: Competition) -> dict[str, str]:
    """Tags that are the same for every run of a competition."""
    return {"data_fingerprint": competition.dataset.fingerprint, "target": competition.dataset.target_name}


def describe(competition: Competition, result: CVResult) -> dict[str, float]:
    """A complete result as the metrics of its run, without the mean, which is the trial's value."""
    name = competition.metric_name
    return {
        f"{name}_std": result.std,
        **{f"{name}_fold_{k}": score for k, score in enumerate(result.scores)},
        "best_iteration_mean": sum(result.best_iterations) / len(result.best_iterations),
        "train_size": len(competition.dataset.target),
    }


class BackgroundRecord:
    """One study's runs in MLflow.

    Everything here only queues work for the recorder's thread; what fails is warned of once, and written
    by the next synchronisation. Of several coordinators the first to come and the last to leave synchronise,
    and only the last ends the study's run.

    Args:
        layout: The project.
        competition: What is searched.
        seat: This coordinator's place at the study.
        warn: Takes warnings.
    """

    def __init__(
        self, layout: Layout, competition: Competition, seat: Seat, warn: Callable[[str], None]
    ) -> None:
        self._layout, self._competition, self._seat = layout, competition, seat
        self.parent_run_id: str | None = None
        self._warn, self._shown_at = warn, monotonic()
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
                shared=self._seat.is_shared,
            )
        return self._made

    def open(self, study: Study, *, is_finished: bool) -> None:
        """Finds or makes the parent run and mends what an earlier command left half written.

        Args:
            study: The study.
            is_finished: Whether it has all its trials already; its parent run then stays as it is.
        """

        def job() -> None:
            with self._seat.mending():
                if not is_finished:
                    self._callback.open(study)
                self.parent_run_id = self._callback.parent_run_id(study)
                if self._seat.is_first:
                    self._sync(study)
                with suppress(Exception):
                    self._link(study)

        self._recorder.submit("the study", job)

    def trial_started(self, study: Study, number: int) -> None:
        """Shows the trial as a nested run in status RUNNING, unless it has ended until it is its turn."""

        def job() -> None:
            from storage.ledger_trials import find_trial

            with self._seat.recording():
                trial = find_trial(study, number)
                if not trial.state.is_finished():
                    self._callback.begin(study, trial)

        self._recorder.submit(f"the start of trial {number}", job)

    def trial_closed(self, study: Study, trial: FrozenTrial) -> None:
        """Writes the trial's nested run."""

        def job() -> None:
            with self._seat.recording():
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
            # Where there is no time to make them again, a sync will.
            with suppress(EvaluationStopped), files() as paths:
                self._callback.attach(study, number, paths)

        self._recorder.submit("the best trial's files", job)

    def attach_to_study(self, study: Study, path: Path) -> None:
        """Logs a further file on the study's run."""

        def job() -> None:
            self._callback.attach_to_study(study, {artifact_name(path.name): path})

        self._recorder.submit(path.name, job)

    def show(self, study: Study) -> None:
        """Brings the dashboard's pictures up to date, now and then while the search goes on."""
        if monotonic() < self._shown_at + SHOWN_EVERY_SECONDS:
            return
        self._shown_at = monotonic()

        def job() -> None:
            from search.results.dashboard import show_pictures

            # They are made anew at the end: nothing that happens to them may hold up what comes after.
            with suppress(Exception), self._seat.mending():
                show_pictures(study)

        self._recorder.submit("the dashboard's pictures", job)

    def publish(self, study: Study) -> None:
        """Has the dashboard show the study as it ended, and attaches its report."""

        def job() -> None:
            from search.results.publishing import publish

            with self._seat.mending():
                publish(study, self._layout, self._callback, self._competition, self._warn)

        self._recorder.submit("the report", job)

    def mend(self, study: Study) -> None:
        """Has what is missing written, also what coordinators that died did not record."""

        def job() -> None:
            with self._seat.mending():
                self._sync(study)

        self._recorder.submit("what is missing", job)

    def close(self, study: Study, status: str, note: str | None) -> None:
        """Ends the parent run."""

        def job() -> None:
            with self._seat.mending():
                # Another coordinator may have come since, and has begun the run again.
                if study.user_attrs.get(ENDED) is not None:
                    self._callback.close(study, status, note)

        self._recorder.submit("the study's end", job)

    def wait(self, timeout_seconds: float) -> int:
        """Takes nothing more, and waits for what is queued.

        Returns:
            How many pieces of the record are still waiting or were missed.
        """
        self._recorder.close(timeout_seconds)
        return self._recorder.waiting + self._recorder.failures

    def _link(self, study: Study) -> None:
        """Has the dashboard lead to the study's run from the first trial on."""
        from search.results.dashboard import show_link

        show_link(study, self._callback)

    def _sync(self, study: Study) -> None:
        from storage.promotion_record import promotion_tags

        restored = promotion_tags(self._layout.submissions, study.study_name)
        self._callback.sync(study, restored=restored)
