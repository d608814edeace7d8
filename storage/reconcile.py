"""What makes MLflow equal to the ledger: a plan from two lists, without a database in sight."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.mirror import STUDY_RUN, TRIAL_RUN, run_status
from storage.mlflow_limits import stored
from storage.run_record import SYNCED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlflow.entities import Run
    from optuna.trial import FrozenTrial

PARENT = "mlflow.parentRunId"
PARENTS = "parents"


@dataclass(frozen=True)
class SyncReport:
    """What a sync changed.

    Attributes:
        written: Numbers of the trials whose run was written, in order; files attached to an earlier, broken
            run of theirs are to be attached again.
        deleted: Runs deleted: cut short, double, different from the ledger, or of no finished trial.
        adopted: Runs put under the study's run.
        kept: Runs that were right already.
    """

    written: tuple[int, ...] = ()
    deleted: int = 0
    adopted: int = 0
    kept: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything had to be mended."""
        return bool(self.written or self.deleted or self.adopted)


@dataclass(frozen=True)
class Plan:
    """What a sync will do.

    Attributes:
        write: Trials without a right run.
        delete: Ids of runs to delete.
        adopt: Ids of right runs under a wrong parent.
        keep: Id of the right run by trial number, the adopted ones included.
    """

    write: tuple[FrozenTrial, ...]
    delete: tuple[str, ...]
    adopt: tuple[str, ...]
    keep: dict[int, str]


def plan_sync(
    trials: Iterable[FrozenTrial], runs: Iterable[Run], parent_run_id: str, metric: str | None
) -> Plan:
    """Compares the ledger's finished trials with the study's runs.

    Args:
        trials: All finished trials.
        runs: All active runs of the study, oldest first.
        parent_run_id: The study's run.
        metric: Name of the single objective's metric, compared where a trial ran to its end; None for
            several.
    """
    by_trial = _by_trial(runs)
    delete = [run for run in by_trial.pop(PARENTS, []) if run.info.run_id != parent_run_id]
    write, keep = [], []
    for trial in trials:
        candidates = by_trial.pop(str(trial.number), [])
        right = _first_right(trial, candidates, metric)
        delete += [run for run in candidates if run is not right]
        if right is None:
            write.append(trial)
        else:
            keep.append((trial.number, right))
    delete += [run for orphans in by_trial.values() for run in orphans]
    return Plan(
        write=tuple(write),
        delete=tuple(run.info.run_id for run in delete),
        adopt=tuple(run.info.run_id for _, run in keep if run.data.tags.get(PARENT) != parent_run_id),
        keep={number: run.info.run_id for number, run in keep},
    )


def is_right(trial: FrozenTrial, run: Run, metric: str | None) -> bool:
    """Tells whether a run is whole and says what the ledger says."""
    if run.data.tags.get(SYNCED) != "true" or run.info.status != run_status(trial):
        return False
    if not metric or trial.state.name != "COMPLETE" or trial.value is None:
        return True
    return run.data.metrics.get(metric) == stored(trial.value)


def _by_trial(runs: Iterable[Run]) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        kind = run.data.tags.get("experiment_type")
        if kind == TRIAL_RUN:
            groups[run.data.tags.get("optuna_trial", "")].append(run)
        elif kind == STUDY_RUN:
            groups[PARENTS].append(run)
    return groups


def _first_right(trial: FrozenTrial, runs: Sequence[Run], metric: str | None) -> Run | None:
    return next((run for run in runs if is_right(trial, run, metric)), None)
