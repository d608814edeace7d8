"""The way of a bundle's study into another ledger, another record and another project."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from storage.bundle.files import plan_files, restore_predictions, restore_submissions
from storage.bundle.journal import Journal, clear_unfinished
from storage.bundle.members import BundleError, canonical, ordered
from storage.bundle.runs import restore_runs
from storage.bundle.target import database_refusals
from storage.bundle.trials import trial_from_json, trial_to_json
from storage.coordination.seat import at_rest
from storage.record.mirror import UID
from storage.record.study_runs import find_runs_anywhere, of_study
from storage.record.tracking import ensure_experiment

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.storages import RDBStorage

    from storage.bundle.archive import BundleFile
    from storage.bundle.files import FilePlan
    from storage.bundle.study import Contents
    from storage.bundle.target import Target


@dataclass(frozen=True)
class Imported:
    """What an import brought.

    Attributes:
        study: Name of the study here.
        trials: Number of trials.
        runs: Number of runs.
        submissions: Its submissions and their records.
        is_copy: Whether the study was here already, so that this one got an identity of its own.
    """

    study: str
    trials: int
    runs: int
    submissions: tuple[Path, ...]
    is_copy: bool


def import_study(bundle: BundleFile, old_name: str, contents: Contents, target: Target) -> Imported:
    """Puts a study into a ledger, a record and a project: all of it or nothing.

    Args:
        bundle: Where its files are.
        old_name: Its name in the bundle.
        contents: What to import, under the name it shall have.
        target: Where to.

    Raises:
        BundleError: If the name is taken, or a database does not take or give back all there is.
        StudyLockedError: If another process works on a study of that name.
    """
    with at_rest(target.layout, contents.name), database_refusals(contents.name):
        clear_unfinished(target, contents.name)
        plan = plan_files(bundle, target.layout, old_name, contents.name)
        _refuse_taken(contents.name, plan, target)
        is_copy = contents.uid is not None and _is_known(contents.uid, target)
        if is_copy:
            contents = contents.identified(uuid4().hex)
        _import(bundle, contents, plan, target)
    return Imported(
        contents.name, len(contents.trials), len(contents.runs), tuple(plan.submissions.values()), is_copy
    )


def _refuse_taken(name: str, plan: FilePlan, target: Target) -> None:
    import optuna

    if name in optuna.get_all_study_names(target.ledger):
        raise BundleError(
            f"--study: got {name!r}, a study that {target.ledger_name} has; allowed: a new name; "
            "do: give it another with --study"
        )
    if plan.predictions.is_dir() and any(plan.predictions.iterdir()):
        raise BundleError(
            f"got {plan.predictions}, files of another study named {name!r}; allowed: none; "
            "do: move that folder away, or give another name with --study"
        )


def _is_known(uid: str, target: Target) -> bool:
    import optuna

    summaries = optuna.get_all_study_summaries(target.ledger, include_best_trial=False)
    if any(summary.user_attrs.get(UID) == uid for summary in summaries):
        return True
    return bool(find_runs_anywhere(target.tracking, of_study(uid)))


def _import(bundle: BundleFile, contents: Contents, plan: FilePlan, target: Target) -> None:
    staging = plan.predictions.with_name(f".{plan.predictions.name}.importing")
    paths = (staging, plan.predictions, *plan.submissions.values())
    journal = Journal(
        study=contents.name,
        provisional=f"{contents.name} (being imported)",
        uid=contents.uid,
        ledger_name=target.ledger_name,
        tracking_uri=target.tracking.uri,
        paths=tuple(str(path) for path in paths),
    )
    journal.write(target.layout)
    try:
        experiments = {name: ensure_experiment(target.tracking, name) for name in contents.experiments}
        run_ids = restore_runs(target.tracking, contents.runs, bundle, experiments)
        restore_predictions(bundle, plan, staging)
        restore_submissions(bundle, plan, contents.name, run_ids)
        _restore_trials(contents, journal.provisional, target)
        _give_name(journal, target)
    except BaseException:
        # What cannot be undone now is undone by the next import: the journal stays.
        with suppress(Exception):
            journal.undo(target)
        raise
    journal.close(target.layout)


def _restore_trials(contents: Contents, name: str, target: Target) -> None:
    import optuna
    from optuna.study import StudyDirection

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=name,
        storage=target.ledger,
        directions=[StudyDirection[name] for name in contents.directions],
    )
    for key, value in contents.user_attrs.items():
        study.set_user_attr(key, value)
    study_id = target.ledger.get_study_id_from_name(name)
    for key, value in contents.system_attrs.items():
        target.ledger.set_study_system_attr(study_id, key, value)
    study.add_trials(trial_from_json(line) for line in contents.trials)
    _compare(contents, name, target)


def _compare(contents: Contents, name: str, target: Target) -> None:
    """Reads the study back as any other program would, and holds it against the bundle."""
    import optuna

    study = optuna.load_study(study_name=name, storage=target.ledger)
    trials = study.get_trials(deepcopy=False)
    found = [canonical(trial_to_json(trial)) for trial in trials]
    expected = [canonical(line) for line in contents.trials]
    attributes = [canonical(ordered(one)) for one in (study.user_attrs, contents.user_attrs)]
    if found != expected or attributes[0] != attributes[1]:
        different = [
            number for number, pair in enumerate(zip(found, expected, strict=False)) if len(set(pair)) > 1
        ]
        what = f"trial {different[0]}" if different else "the study"
        raise BundleError(
            f"{target.ledger_name}: got {what} back otherwise than written; allowed: exactly the bundle's; "
            "do: import into another database, and report this"
        )


def _give_name(journal: Journal, target: Target) -> None:
    # Optuna renames no study; in its tables the name is one field, and changing it makes all of it visible at once.
    import sqlalchemy

    table = sqlalchemy.table("studies", sqlalchemy.column("study_name"))
    change = table.update().where(table.c.study_name == journal.provisional).values(study_name=journal.study)
    with cast("RDBStorage", target.ledger).engine.begin() as connection:
        changed = connection.execute(change).rowcount
    if changed != 1:
        raise BundleError(
            f"study {journal.study}: got its trials taken away while they were imported; allowed: one import of a "
            "name at a time; do: repeat the command"
        )
