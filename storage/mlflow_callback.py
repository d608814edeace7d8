"""The MLflow record of a study, written trial by trial.

`MLflowCallback` succeeds the class of that name in optuna-integration, which is deprecated: same constructor,
same call, so that in a plain `study.optimize(f, n_jobs=4, callbacks=[MLflowCallback(...)])` only the import
changes. What differs on purpose: one run above all trials of a study, for ever; true statuses and times;
reports as a curve; only a final score under the objective's name; and MLflow never stops or slows a search,
because a background thread writes what the callback was called with.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from storage.layout import Layout
from storage.ledger_trials import count_trials
from storage.record.process_state import ProcessState
from storage.record.study_best import set_tags
from storage.record.study_record import StudyRecord
from storage.record.study_runs import delete_echoes, ensure_parent, one_at_a_time, study_uid
from storage.record.trial_mapping import TrialMapping
from storage.record.trial_runs import TrialRuns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from storage.record.mirror import MetricName
    from storage.record.reconcile import SyncReport
    from storage.record.tracking import Tracking

LOGGER = logging.getLogger(__name__)


class MLflowCallback:
    """Writes each finished trial of a study as an MLflow run under the study's own run.

    The ledger is the truth: every write can be repeated, and `sync` writes what is missing. Called as an
    Optuna callback the object only queues the trial, and never raises; the queue is written by a thread of
    its own, and at the end of the process the rest of it, for at most `EXIT_SECONDS`. The named methods write
    at once, and raise, so that their caller can count. All may be called from several threads; the object may
    be forked or pickled into other processes, and each has its own queue.

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
        shared: Whether other processes may record the same trials, so that each is looked for before it is
            written; not needed where each process records its own.

    Raises:
        TypeError: If `metric_name` is neither a text nor a sequence of texts.
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
        shared: bool = False,
    ) -> None:
        if not isinstance(metric_name, Sequence):
            raise TypeError(
                f"got metric_name {metric_name!r}; allowed: a text, or a sequence of texts, one for each objective"
            )
        kwargs = mlflow_kwargs or {}
        self._tracking_uri = tracking_uri
        self._create_experiment = create_experiment
        self._experiment_id = kwargs.get("experiment_id")
        self._experiment = experiment
        self._layout = layout or Layout()
        self._is_shared = shared
        self._mapping = TrialMapping(
            metric_name, kwargs.get("tags") or {}, tag_study_user_attrs, tag_trial_user_attrs
        )
        self._states: dict[int, ProcessState] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_states": {}}

    @property
    def waiting(self) -> int:
        """Pieces of the record that this process has queued and not yet written."""
        return self._here.recorder.waiting

    @property
    def missed(self) -> int:
        """Pieces that this process will not write, because MLflow refused them for good."""
        return self._here.missed

    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """Queues a finished trial; what goes wrong is counted, and the first time logged, never raised."""
        here = self._here
        try:
            here.studies.setdefault(study.study_name, study)
            here.end_with_process(self._close_forgotten)
            here.recorder.submit(f"trial {trial.number}", partial(self._record_queued, study, trial))
        except Exception as error:  # noqa: BLE001 - the record must never stop a search
            here.refused += 1
            if here.refused == 1:
                LOGGER.warning("MLflow did not record trial %d (%s); the search goes on", trial.number, error)

    def flush(self, timeout_seconds: float) -> bool:
        """Waits until all that this process has queued is written; true if that happened in time."""
        return self._here.recorder.drain(timeout_seconds)

    def record(self, study: Study, trial: FrozenTrial) -> str:
        """Records a finished trial and the study's best so far; returns the run's id.

        A trial already recorded is left alone; half a run of an earlier attempt is replaced.
        """
        with self._here.lock:
            return self._record_of(study).record(trial)

    def begin(self, study: Study, trial: FrozenTrial) -> str:
        """Shows a running trial in MLflow, as a run in status RUNNING, and returns the run's id.

        For a coordinator that asks and tells; `study.optimize` tells nobody that a trial begins. `record` ends
        the run. Where the process dies before, a sync deletes it, or writes it anew as the ledger has it.

        Args:
            study: The study.
            trial: A trial in state RUNNING, with the parameters suggested so far.
        """
        with self._here.lock:
            return self._record_of(study).runs.begin(trial)

    def open(self, study: Study) -> None:
        """Prepares schema, experiment and the study's run, and marks that run as running."""
        with self._here.lock:
            self._record_of(study).begin()

    def sync(
        self,
        study: Study,
        *,
        deep: bool = False,
        idle: bool = False,
        restored: Mapping[int, Mapping[str, str]] | None = None,
    ) -> SyncReport:
        """Makes MLflow equal to the ledger: one right run for each finished trial, and the study's best.

        Args:
            study: The study.
            deep: Whether to compare every point of every curve where that costs a request a run.
            idle: Whether no search drives the study, so that its run must have ended, and no trial runs.
            restored: Tags by trial number for runs that are written anew, such as a promotion's.
        """
        here = self._here
        with here.lock:
            record = self._record_of(study).with_right_parent()
            here.records[study.study_name] = record
            return record.sync(deep=deep, idle=idle, restored=restored)

    def file_differences(self, study: Study, trial_number: int) -> list[str]:
        """Says what is wrong with the files of the best trial, on its run and on the study's."""
        with self._here.lock:
            return self._record_of(study).file_differences(trial_number)

    def close(self, study: Study, status: str = "FINISHED", note: str | None = None) -> None:
        """Corrects the study's best and ends its run.

        Args:
            study: The study; what a plain callback has queued of it is to be flushed first.
            status: FINISHED, KILLED (interrupted) or FAILED.
            note: Why it ended early, as the tag `stopped_by`.
        """
        here = self._here
        with here.lock:
            record = self._record_of(study)
            try:
                delete_echoes(record.tracking, record.experiment_id, record.uid, record.runs.ids)
                # Workers that end together would each write the best they knew of; the last must know all.
                with one_at_a_time(study.study_name):
                    record.mend_best()
            finally:
                record.end(status, note)
                here.records.pop(study.study_name, None)

    def attach(self, study: Study, trial_number: int, files: Mapping[str, Path]) -> None:
        """Stores files with a recorded trial's run, and with the study's if it is the best.

        By the path they get among the artifacts, such as `model`; a folder with all that is in it.
        """
        with self._here.lock:
            self._record_of(study).attach(trial_number, files)

    def attach_to_study(self, study: Study, files: Mapping[str, Path]) -> str:
        """Stores files with the study's own run, beside the best trial's, and returns its id."""
        with self._here.lock:
            return self._record_of(study).attach_to_study(files)

    def tag(self, study: Study, trial_number: int, tags: Mapping[str, str]) -> None:
        """Sets tags on a recorded trial's run."""
        with self._here.lock:
            record = self._record_of(study)
            set_tags(record.tracking, record.runs.run_id(trial_number), dict(tags))

    def run_id(self, study: Study, trial_number: int) -> str:
        """Returns the id of a trial's run.

        Raises:
            LookupError: If the trial is not recorded.
        """
        with self._here.lock:
            return self._record_of(study).runs.run_id(trial_number)

    def parent_run_id(self, study: Study) -> str:
        """Returns the id of the study's run."""
        return self._record_of(study).parent_run_id

    def track_in_mlflow(self) -> NoReturn:
        """Refuses: what an objective logs into MLflow itself would be in no ledger, and lost in an outage.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            "got track_in_mlflow; allowed: logging through the ledger, which survives when MLflow does not "
            'answer; do: trial.set_user_attr("metrics", {name: number}) for metrics, any other attribute for '
            "tags, callback.attach for files"
        )

    @property
    def _here(self) -> ProcessState:
        # In one step, because threads may come here together; the loser's state is dropped unused.
        pid = os.getpid()
        return self._states.get(pid) or self._states.setdefault(pid, ProcessState())

    def _record_of(self, study: Study) -> StudyRecord:
        here = self._here
        with here.lock:
            name = study.study_name
            if name not in here.records:
                here.records[name] = self._open_record(study)
            return here.records[name]

    def _open_record(self, study: Study) -> StudyRecord:
        from storage.record.tracking import address_in_use, open_tracking

        tracking = open_tracking(self._layout, self._tracking_uri or address_in_use())
        experiment_id = self._find_experiment(tracking, study)
        with one_at_a_time(study.study_name):
            uid = study_uid(study)
            parent = ensure_parent(
                tracking, experiment_id, study.study_name, study.user_attrs, self._mapping.tags
            )
        n_before = sys.maxsize if self._is_shared else count_trials(study)
        runs = TrialRuns(study, tracking, experiment_id, parent, uid, self._mapping, n_before)
        return StudyRecord(study, tracking, experiment_id, parent, uid, self._mapping, runs)

    def _find_experiment(self, tracking: Tracking, study: Study) -> str:
        from storage.record.tracking import ensure_experiment

        if self._experiment or self._create_experiment:
            return ensure_experiment(tracking, self._experiment or study.study_name)
        if self._experiment_id is not None:
            return str(self._experiment_id)
        # What `mlflow.start_run` itself asks: set_experiment, then the environment, then the default.
        from mlflow.tracking.fluent import _get_experiment_id

        return str(_get_experiment_id())

    def _record_queued(self, study: Study, trial: FrozenTrial) -> None:
        # Nobody tells a plain callback that a search begins. A coordinator opens the study first.
        here = self._here
        with here.lock:
            if study.study_name not in here.records:
                self.open(study)
            self.record(study, trial)

    def _close_forgotten(self, study: Study) -> None:
        here = self._here
        # The best may be another process's, which has not recorded it yet and will write it when it ends.
        with here.lock, suppress(LookupError):
            if study.study_name in here.records:
                self.close(study)
