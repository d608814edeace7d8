"""The ledger's trials held against the record's runs: what is right, what is wrong, and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from storage.ledger_trials import finished_trials, running_numbers
from storage.record.compare_runs import (
    ExpectedRun,
    differences,
    expected_run,
    users_tags,
    wrong_tags,
)
from storage.record.mirror import STUDY_RUN, TRIAL_RUN, base_name, metric_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from storage.record.compare_runs import FoundRun
    from storage.record.mirror import MetricName
    from storage.record.run_record import RunRecord
    from storage.record.run_source import RunSource

PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class SyncReport:
    """What a sync changed.

    Attributes:
        written: Numbers of the trials whose run was written, in order.
        deleted: Runs deleted: cut short, double, different from the ledger, or of no finished trial.
        adopted: Runs put under the study's run.
        kept: Runs that were right already.
        retagged: Runs of which other tags were corrected.
    """

    written: tuple[int, ...] = ()
    deleted: int = 0
    adopted: int = 0
    kept: int = 0
    retagged: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything had to be mended."""
        return bool(self.written or self.deleted or self.adopted or self.retagged)


class WrongRun(NamedTuple):
    """A run that must go.

    Attributes:
        run_id: Its id.
        why: In words.
    """

    run_id: str
    why: str


@dataclass(frozen=True)
class TrialFinding:
    """One finished trial and its runs.

    Attributes:
        trial: The trial.
        record: The run it should have.
        right: Id of the run it has; None where there is no right one.
        tags: Tags to correct on that run.
        wrong: Its other runs.
        inherited: The user's tags on the wrong ones, for the run that takes their place.
    """

    trial: FrozenTrial
    record: RunRecord
    right: str | None
    tags: dict[str, str]
    wrong: tuple[WrongRun, ...]
    inherited: dict[str, str]


class Survey:
    """All finished trials of a study, one after the other, held against its runs.

    Args:
        study: The study; only read.
        source: Its runs.
        metric_name: As `MLflowCallback` takes it.
        record_of: Makes the run that a trial should have.
        is_running: Whether the ledger's running trials may have runs, because a search is at them.

    Attributes:
        parents: Runs of the study itself in its experiment, oldest first.
        parents_elsewhere: Those in other experiments.
    """

    def __init__(
        self,
        study: Study,
        source: RunSource,
        metric_name: MetricName,
        record_of: Callable[[FrozenTrial], RunRecord],
        *,
        is_running: bool,
    ) -> None:
        self.parents: list[str] = []
        self.parents_elsewhere: list[str] = []
        self._study, self._source, self._record_of = study, source, record_of
        self._reserved = reserved_metrics(metric_name, len(study.directions))
        self._curves = (f"{base_name(metric_name)}_running",)
        self._runs: dict[str, list[str]] = defaultdict(list)
        listed = source.listed()
        self._elsewhere = {run.run_id for run in listed if run.is_elsewhere}
        for run in listed:
            if run.kind == TRIAL_RUN:
                self._runs[run.trial].append(run.run_id)
            elif run.kind == STUDY_RUN:
                (self.parents_elsewhere if run.is_elsewhere else self.parents).append(run.run_id)
        # After the runs were listed and before the finished trials are read: one that ends in between is in both.
        running = running_numbers(study) if is_running else set()
        self._spared = {str(number) for number in running}

    def portions(self, *, deep: bool) -> Iterator[list[TrialFinding]]:
        """Yields what was found, some hundred trials at a time; to be gone through once.

        Args:
            deep: Whether to read the ledger afresh, and to compare curves where each costs a request.
        """
        for trials in finished_trials(self._study, afresh=deep):
            own = [(trial, self._runs.pop(str(trial.number), [])) for trial in trials]
            ids = [run_id for _, some in own for run_id in some]
            runs = self._source.read(ids, self._curves if deep else ())
            yield [self._judge(trial, [runs[i] for i in some if i in runs]) for trial, some in own]

    def orphans(self) -> list[str]:
        """Runs of no finished trial, nor of one that runs: what is left after all portions."""
        return [run_id for trial, some in self._runs.items() if trial not in self._spared for run_id in some]

    def _judge(self, trial: FrozenTrial, runs: Sequence[FoundRun]) -> TrialFinding:
        record = self._record_of(trial)
        if not runs:
            return TrialFinding(trial, record, None, {}, (), {})
        expected = expected_run(record, self._reserved)
        # MLflow cannot move a run to another experiment; one that is right but for that is written there.
        here = [run for run in runs if run.run_id not in self._elsewhere]
        away = [run for run in runs if run.run_id in self._elsewhere]
        right, wrong = sort_runs(expected, here)
        wrong += tuple(WrongRun(run.run_id, "in another experiment") for run in away)
        inherited: dict[str, str] = {}
        for run in runs if right is None else ():
            inherited |= users_tags(expected, run)
        return TrialFinding(
            trial,
            record,
            right=right.run_id if right else None,
            tags=wrong_tags(expected, right) if right else {},
            wrong=wrong,
            inherited=inherited,
        )


def sort_runs(
    expected: ExpectedRun, runs: Iterable[FoundRun]
) -> tuple[FoundRun | None, tuple[WrongRun, ...]]:
    """Finds the first right run of a trial; all others are wrong."""
    right, wrong = None, []
    for run in runs:
        why = next(differences(expected, run), None)
        if why is None and right is None:
            right = run
        else:
            wrong.append(WrongRun(run.run_id, why or "a second run"))
    return right, tuple(wrong)


def reserved_metrics(metric_name: MetricName, n_objectives: int) -> frozenset[str]:
    """Returns the metrics that say how good a trial was, and that nothing else may have."""
    base = base_name(metric_name)
    return frozenset({*metric_names(metric_name, n_objectives), f"{base}_partial", f"{base}_running"})
