"""A study as one file: written from a ledger, a record and their files, and put into others, exactly.

An import becomes visible in one step. Everything is written first, the trials under a name of their own, and giving
the study its name is the last thing of all. A journal beside says what was begun; where an import was killed, the
next one of that study takes away what is there and starts anew.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.bundle.archive import write_zip
from storage.bundle.files import prediction_files, submission_files
from storage.bundle.members import RUNS, STUDY, TRIALS, canonical, damaged, from_lines, ordered, to_lines
from storage.bundle.runs import RUN_FIELDS, STUDY_KEY, collect_runs, trial_key
from storage.bundle.trials import trial_from_json, trial_lines
from storage.coordination.seat import at_rest
from storage.dashboard.attributes import carried
from storage.record.mirror import UID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.study import Study

    from storage.bundle.archive import BundleFile
    from storage.bundle.members import Manifest
    from storage.layout import Layout
    from storage.record.tracking import Tracking

_SAFE_UID = re.compile(r"[\w.-]{1,64}")


@dataclass(frozen=True)
class Contents:
    """What a bundle says, but for its files.

    Attributes:
        name: The study's name.
        directions: MINIMIZE or MAXIMIZE for each objective.
        user_attrs: The study's own attributes, `uid` among them where it was ever recorded.
        system_attrs: Those of Optuna and its dashboard.
        trials: One mapping a trial, as `storage.bundle.trials` makes them.
        runs: One mapping a run, as `storage.bundle.runs` makes them.
    """

    name: str
    directions: tuple[str, ...]
    user_attrs: Mapping[str, Any]
    system_attrs: Mapping[str, Any]
    trials: tuple[Mapping[str, Any], ...]
    runs: tuple[Mapping[str, Any], ...]

    @property
    def uid(self) -> str | None:
        """The study's lasting identity."""
        return self.user_attrs.get(UID)

    @property
    def experiments(self) -> tuple[str, ...]:
        """Names of the experiments that hold its runs."""
        return tuple(dict.fromkeys(str(run["experiment"]) for run in self.runs))

    def renamed(self, name: str) -> Contents:
        """The same study under another name, and in an experiment of that name if it was in one of its own."""
        runs = []
        for run in self.runs:
            own: dict[str, Any] = {"tags": _retagged(run["tags"], {"optuna_study": name})}
            own |= {"name": name} if run["run"] == STUDY_KEY and run["name"] == self.name else {}
            own |= {"experiment": name} if run["experiment"] == self.name else {}
            runs.append({**run, **own})
        return replace(self, name=name, runs=tuple(runs))

    def identified(self, uid: str) -> Contents:
        """The same study as another one: with an identity of its own."""
        runs = [{**run, "tags": _retagged(run["tags"], {"optuna_study_uid": uid})} for run in self.runs]
        return replace(self, user_attrs={**self.user_attrs, UID: uid}, runs=tuple(runs))


def _retagged(tags: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    return {name: changes.get(name, value) for name, value in tags.items()}


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        manifest: What is in it.
        trials: Number of trials.
        runs: Number of runs.
        unrecorded: Finished trials whose run the record does not have, or not whole.
    """

    manifest: Manifest
    trials: int
    runs: int
    unrecorded: int


def export_study(study: Study, layout: Layout, tracking: Tracking, path: Path) -> Exported:
    """Writes a study with all its runs and files into a bundle; changes neither ledger nor record.

    Raises:
        StudyLockedError: If a coordinator works on the study.
        BundleError: If a file's name cannot be carried to every system.
        OSError: If the file cannot be written.
        mlflow.exceptions.MlflowException: If MLflow does not answer.
    """
    name = study.study_name
    with at_rest(layout, name), tempfile.TemporaryDirectory() as folder:
        trials = study.get_trials(deepcopy=False)
        runs = collect_runs(tracking, study.user_attrs.get(UID), trials, Path(folder))
        lines = trial_lines(trials)
        sources = {
            STUDY: canonical(_study_to_json(study)) + b"\n",
            TRIALS: to_lines(lines),
            RUNS: to_lines(runs.lines),
            **runs.files,
            **prediction_files(layout, name),
            **submission_files(layout, name, runs.keys),
        }
        manifest = write_zip(path, name, sources)
    return Exported(manifest, len(lines), len(runs.lines), runs.unrecorded)


def _study_to_json(study: Study) -> dict[str, Any]:
    storage = study._storage  # noqa: SLF001 - the dashboard's notes are there, and nowhere public
    system = storage.get_study_system_attrs(storage.get_study_id_from_name(study.study_name))
    return {
        "name": study.study_name,
        "directions": [direction.name for direction in study.directions],
        "user_attrs": ordered(study.user_attrs),
        "system_attrs": ordered(carried(system)),
    }


def read_contents(bundle: BundleFile) -> Contents:
    """Reads what a bundle says.

    Raises:
        BundleError: If it cannot be understood, for all its right checksums.
    """
    try:
        study = json.loads(bundle.read(STUDY))
        contents = Contents(
            name=str(study["name"]),
            directions=tuple(study["directions"]),
            user_attrs=dict(study["user_attrs"]),
            system_attrs=dict(study["system_attrs"]),
            trials=tuple(from_lines(bundle.read(TRIALS))),
            runs=tuple(from_lines(bundle.read(RUNS))),
        )
        _check(contents)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(bundle.path, f"contents that make no sense ({error!r})") from None
    return contents


def _check(contents: Contents) -> None:
    if [trial["number"] for trial in contents.trials] != list(range(len(contents.trials))):
        raise ValueError("trials are not numbered one after the other")
    for line in contents.trials:
        trial_from_json(line)._validate()  # noqa: SLF001 - what add_trial asks, before anything is changed
    if any(set(run) != RUN_FIELDS for run in contents.runs):
        raise ValueError("runs with other fields")
    keys = [run["run"] for run in contents.runs]
    known = {STUDY_KEY, *(trial_key(trial["number"]) for trial in contents.trials)}
    if len(set(keys)) < len(keys) or not set(keys) <= known:
        raise ValueError("runs of no trial, or two of one")
    if contents.uid is not None and not _SAFE_UID.fullmatch(contents.uid):
        raise ValueError("an identity that is none")
