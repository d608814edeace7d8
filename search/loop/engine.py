"""Where configurations are evaluated: the contract, and the choice. An engine never touches the study."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from objectives.base import CVResult, EvaluationStopped, Objective, Params, Progress, Report
from objectives.result_faults import class_fault, score_fault
from search.faults import InputFaults

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from search.loop.ground import Elsewhere, Ground


class Evaluated(NamedTuple):
    """A configuration evaluated to its end."""

    number: int
    seconds: float
    result: CVResult


class Stopped(NamedTuple):
    """A configuration given up after a report."""

    number: int
    seconds: float


class Broken(NamedTuple):
    """A configuration whose evaluation raised, went over a limit or took its worker down."""

    number: int
    seconds: float
    reason: str


class Threshold(NamedTuple):
    """The score from which on a trial's models are wanted; sending them all would cost more than a fit."""

    score: float
    greater_is_better: bool

    def is_met(self, score: float) -> bool:
        """Whether a score is at least as good."""
        return score >= self.score if self.greater_is_better else score <= self.score


Outcome = Evaluated | Stopped | Broken
ModelsFrom = Callable[[Params], Threshold | None]
OnReport = Callable[[int, Progress], bool]
OnWait = Callable[[], None]


class EngineLostError(Exception):
    """Nothing is left to evaluate on, and nothing came back within the patience."""


class OverLimitError(Exception):
    """Raised out of an evaluation that has used more than it may."""


@dataclass(frozen=True)
class Limits:
    """What one trial may use.

    Attributes:
        seconds: From the start of its evaluation.
        memory_bytes: Of its worker process, data included.
    """

    seconds: float = math.inf
    memory_bytes: float = math.inf


class Engine(Protocol):
    """Evaluates configurations, `slots` of them submitted at once."""

    @property
    def slots(self) -> int:
        """Configurations to submit at once; may change while workers come and go."""
        ...

    @property
    def at_once(self) -> int:
        """Configurations that are evaluated at the same time, at least 1."""
        ...

    def submit(self, number: int, params: Params, elsewhere: Elsewhere | None = None) -> None:
        """Starts, or queues, the evaluation of a trial, or of any configuration on other folds.

        Args:
            number: Of the trial; of what is no trial, any that is not in use.
            params: The configuration.
            elsewhere: Other folds, or another seed; None: as the study's trials.
        """
        ...

    def next_outcome(
        self, on_report: OnReport, deadline: float, on_wait: OnWait = lambda: None
    ) -> Outcome | None:
        """Waits for one trial to end, or for more slots.

        Args:
            on_report: Called in this thread with each report, in order; true stops that trial.
            deadline: `time.monotonic()` after which to return None.
            on_wait: Called in this thread now and then, about once a second, while nothing ends.

        Returns:
            None after the deadline, and when there are more slots than before.

        Raises:
            EngineLostError: If there has been nothing to evaluate on for too long.
        """
        ...

    def abandon(self) -> None:
        """Stops whatever was submitted: none of it has an outcome any more, and something else may be submitted."""
        ...

    def close(self) -> None:
        """Stops whatever still runs; may be called twice."""
        ...


def evaluate(
    objective: Objective, number: int, params: Params, report: Report, *, is_scored: bool = True
) -> Outcome:
    """Evaluates one configuration here and now; what it raises becomes its outcome."""
    start = time.monotonic()
    try:
        result = objective.evaluate(params, report)
    except EvaluationStopped:
        return Stopped(number, time.monotonic() - start)
    except OverLimitError as error:
        return Broken(number, time.monotonic() - start, str(error))
    except Exception as error:  # noqa: BLE001 - no configuration may sink the search
        return Broken(number, time.monotonic() - start, f"{type(error).__name__}: {error}")
    # Before it travels: what is no result at all cannot be asked for its score or its models.
    fault = (score_fault if is_scored else class_fault)(result)
    if fault is not None:
        return Broken(number, time.monotonic() - start, fault)
    return Evaluated(number, time.monotonic() - start, result)


def check_cluster(cluster: str) -> None:
    """Checks that a given cluster answers, has workers, and the same versions as this process.

    Raises:
        InputFaults: One line for each fault.
    """
    from search.loop.workers.cluster import ClusterError, given_cluster

    try:
        given_cluster(cluster)
    except ClusterError as error:
        raise InputFaults(error.faults) from None


def open_engine(
    ground: Ground,
    workers: int,
    folder: Path,
    *,
    cluster: str | None = None,
    limits: Limits = Limits(),
    models_from: ModelsFrom = lambda _: None,
) -> AbstractContextManager[Engine]:
    """Opens what evaluates: this thread for 0 workers, else worker processes here or on a cluster.

    Args:
        ground: What is evaluated, and on which rows.
        workers: Worker processes to start; not used with a cluster.
        folder: Where the ground is laid down for the workers to read.
        cluster: Address or scheduler file of a running Dask cluster.
        limits: What one trial may use.
        models_from: The score from which on a configuration's models are wanted; None: always.

    Raises:
        ClusterError: If the cluster does not answer or is not fit.
    """
    if workers == 0 and cluster is None:
        from search.loop.in_process import in_process_engine

        return in_process_engine(ground, limits)
    from search.loop.workers.opening import dask_engine

    return dask_engine(ground, workers, folder, cluster=cluster, limits=limits, models_from=models_from)
