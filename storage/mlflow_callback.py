"""The MLflow record of a study, written trial by trial.

`MLflowCallback` succeeds the class of that name in optuna-integration, which is deprecated: same constructor,
same call, so that in a plain `study.optimize(f, n_jobs=4, callbacks=[MLflowCallback(...)])` only the import
changes. What differs on purpose: one run above all trials of a study, for ever; true statuses and times;
reports as a curve; only a final score under the objective's name; and a failing MLflow never stops a search.
"""

from __future__ import annotations

import atexit
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from storage.layout import Layout
from storage.study_best import set_tags
from storage.study_record import StudyRecord, TrialMapping
from storage.study_runs import ensure_parent, one_at_a_time, study_uid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from storage.mirror import MetricName
    from storage.reconcile import SyncReport
    from storage.tracking import Tracking

LOGGER = logging.getLogger(__name__)


class MLflowCallback:
    """Writes each finished trial of a study as an MLflow run under the study's own run.

    The ledger is the truth: every write can be repeated, and `sync` writes what is missing. Called as an
    Optuna callback the object never raises; its named methods do, so that their caller can count. All may be
    called from several threads.

    Args:
        tracking_uri: MLflow's address. Default: the one set in MLflow or its environment, else the database
            in `mlruns/`.
        metric_name: Name of the objective's metric, or one name for each objective.
        create_experiment: Whether the runs go to an experiment named after the study; if not, to
            `mlflow_kwargs["experiment_id"]` or MLflow's current one.
        mlflow_kwargs: `experiment_id`, and `tags` for every run, as in `mlflow.start_run`; `run_name` and
            `nested` are accepted and have no effect.
        tag_study_user_attrs: Whether the study's user attributes become tags.
        tag_trial_user_attrs: Whether the trial's do.
        experiment: Name of the experiment, whatever `create_experiment` says.
        layout: The project whose `mlruns/` is the default; a relative home makes artifacts movable.

    Attributes:
        missed: Trials that could not be recorded when the object was called.
    """

    def __init__(  # noqa: PLR0917 - the order is the deprecated class's
        self,
        tracking_uri: str | None = None,
        metric_name: MetricName = "value",
        create_experiment: bool = True,
        mlflow_kwargs: dict[str, Any] | None = None,
        tag_study_user_attrs: bool = False,
        tag_trial_user_attrs: bool = True,
        *,
        experiment: str | None = None,
        layout: Layout | None = None,
    ) -> None:
        kwargs = mlflow_kwargs or {}
        self.missed = 0
        self._tracking_uri = tracking_uri
        self._create_experiment = create_experiment
        self._experiment_id = kwargs.get("experiment_id")
        self._experiment = experiment
        self._layout = layout or Layout()
        self._mapping = TrialMapping(
            metric_name, kwargs.get("tags") or {}, tag_study_user_attrs, tag_trial_user_attrs
        )
        self._records: dict[str, StudyRecord] = {}
        self._lock = threading.RLock()

    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """Records a finished trial; what goes wrong is counted, and the first time logged, never raised."""
        try:
            self._end_at_exit(study)
            self.record(study, trial)
        except Exception as error:  # noqa: BLE001 - the record must never stop a search
            with self._lock:
                self.missed += 1
                is_first = self.missed == 1
            if is_first:
                LOGGER.warning("MLflow did not record trial %d (%s); the search goes on", trial.number, error)

    def record(self, study: Study, trial: FrozenTrial) -> str:
        """Records a finished trial and the study's best so far; returns the run's id.

        A trial already recorded is left alone; half a run of an earlier attempt is replaced.
        """
        return self._record_of(study).record(trial)

    def open(self, study: Study) -> None:
        """Prepares schema, experiment and the study's run, and marks that run as running."""
        self._record_of(study).begin()

    def sync(self, study: Study) -> SyncReport:
        """Makes MLflow equal to the ledger: one right run for each finished trial, and the study's best."""
        return self._record_of(study).sync()

    def close(self, study: Study, status: str = "FINISHED", note: str | None = None) -> None:
        """Corrects the study's best and ends its run.

        Args:
            study: The study.
            status: FINISHED, KILLED (interrupted) or FAILED.
            note: Why it ended early, as the tag `stopped_by`.
        """
        record = self._record_of(study)
        try:
            record.mend_best()
        finally:
            record.end(status, note)
            with self._lock:
                self._records.pop(study.study_name, None)

    def attach(self, study: Study, trial_number: int, files: Mapping[str, Path]) -> None:
        """Stores files and folders with a trial's run and with the study's.

        Args:
            study: The study.
            trial_number: A recorded trial.
            files: Files and folders by the path they get among the artifacts, such as `model`.
        """
        self._record_of(study).attach(trial_number, files)

    def tag(self, study: Study, trial_number: int, tags: Mapping[str, str]) -> None:
        """Sets tags on a recorded trial's run."""
        record = self._record_of(study)
        set_tags(record.tracking, record.run_id(trial_number), dict(tags))

    def run_id(self, study: Study, trial_number: int) -> str:
        """Returns the id of a trial's run.

        Raises:
            LookupError: If the trial is not recorded.
        """
        return self._record_of(study).run_id(trial_number)

    def parent_run_id(self, study: Study) -> str:
        """Returns the id of the study's run."""
        return self._record_of(study).parent_run_id

    def _record_of(self, study: Study) -> StudyRecord:
        with self._lock:
            name = study.study_name
            if name not in self._records:
                self._records[name] = self._open_record(study)
            return self._records[name]

    def _open_record(self, study: Study) -> StudyRecord:
        from storage.tracking import open_tracking

        tracking = open_tracking(self._layout, self._address())
        experiment_id = self._find_experiment(tracking, study)
        with one_at_a_time(study.study_name):
            uid = study_uid(study)
            parent = ensure_parent(
                tracking, experiment_id, study.study_name, study.user_attrs, self._mapping.tags
            )
        n_before = len(study.get_trials(deepcopy=False))
        return StudyRecord(study, tracking, experiment_id, parent, uid, self._mapping, n_before)

    def _address(self) -> str | None:
        from storage.mlflow_schema import quiet_mlflow

        quiet_mlflow()
        import mlflow

        if self._tracking_uri is None and mlflow.is_tracking_uri_set():  # type: ignore[no-untyped-call]
            return str(mlflow.get_tracking_uri())
        return self._tracking_uri

    def _find_experiment(self, tracking: Tracking, study: Study) -> str:
        from storage.tracking import ensure_experiment

        if self._experiment or self._create_experiment:
            return ensure_experiment(tracking, self._experiment or study.study_name)
        if self._experiment_id is not None:
            return str(self._experiment_id)
        # What `mlflow.start_run` itself asks: set_experiment, then the environment, then the default.
        from mlflow.tracking.fluent import _get_experiment_id

        return str(_get_experiment_id())

    def _end_at_exit(self, study: Study) -> None:
        # Nobody tells a plain callback that the search is over. A coordinator opens the study first.
        with self._lock:
            if study.study_name in self._records:
                return
            self._record_of(study).begin()
        atexit.register(self._close_forgotten, study)

    def _close_forgotten(self, study: Study) -> None:
        if study.study_name in self._records:
            with suppress(Exception):
                self.close(study)
