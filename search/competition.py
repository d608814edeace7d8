"""From settings to something to search: files, data, folds, names; every fault at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.config import SAMPLE_EXPERIMENT, DataConfig
from search.faults import InputFaults

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import Objective
    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold
    from storage.layout import Layout
    from storage.submission_format import SubmissionFormat

PREDICTION = "prediction"
"""Column name in a submission that has no sample to copy; several classes have their own names."""


@dataclass(frozen=True)
class Competition:
    """What is searched.

    Attributes:
        config: The settings it came from.
        dataset: The data as arrays.
        folds: The split, fixed for the whole study.
        study: Name of the study.
        experiment: Name of the MLflow experiment.
        submission_format: What an upload must look like.
        notes: What was found out, one line each.
    """

    config: DataConfig
    dataset: Dataset
    folds: tuple[Fold, ...]
    study: str
    experiment: str
    submission_format: SubmissionFormat
    notes: tuple[str, ...]

    @property
    def metric_name(self) -> str:
        """The name its score has in MLflow, such as `cv_rmse`; `_mean` and the like follow."""
        return f"cv_{self.dataset.metric.name}"

    def objective(self, workers: int = 1) -> Objective:
        """The objective, for that many evaluations at once."""
        from objectives.base import find_objective
        from search.loop.cores import threads_for

        make = find_objective("lightgbm")
        threads = threads_for(workers, len(self.dataset.train))
        return make(self.dataset, self.folds, self.dataset.metric, seed=self.config.seed, threads=threads)

    def question(self, objective: Objective) -> dict[str, Any]:
        """What a study under one name must always mean the same by."""
        from objectives.data.folds import scheme
        from search.loop.study import space_fingerprint

        return {
            "data": self.dataset.fingerprint,
            "metric": self.dataset.metric.name,
            "split": f"{scheme(self.dataset.task)}, {len(self.folds)} folds, seed {self.config.seed}",
            "space": f"{objective.name} {space_fingerprint(objective.space())}",
        }


def open_competition(config: DataConfig, layout: Layout) -> Competition:
    """Reads, checks and splits the data.

    Raises:
        InputFaults: With every fault of settings, data and storage; nothing is changed then.
    """
    from storage.checks import storage_faults

    faults = [*storage_faults(layout), *_path_faults(config)]
    uses_sample = config.train is None
    if faults and (uses_sample or _path_faults(config)):
        raise InputFaults(faults)
    paths = _sample_paths(config, layout) if uses_sample else _given_paths(config)
    return _load(config, paths, faults)


def competition_faults(config: DataConfig, layout: Layout) -> tuple[str, ...]:
    """What is wrong with own data and storage, for the user who has other faults to mend already."""
    if config.train is None and config.test is None and config.target is None:
        from storage.checks import storage_faults

        return tuple(storage_faults(layout))
    try:
        open_competition(config, layout)
    except InputFaults as error:
        return error.faults
    return ()


def experiment_of(settings: dict[str, Any], study: str) -> str:
    """The MLflow experiment of a study, from the settings in its ledger."""
    default = SAMPLE_EXPERIMENT if settings.get("train") is None else study
    return str(settings.get("experiment") or default)


@dataclass(frozen=True)
class _Paths:
    train: Path
    test: Path
    target: str
    id: str
    sample_submission: Path | None
    name: str
    experiment: str | None
    notes: tuple[str, ...]


def _path_faults(config: DataConfig) -> list[str]:
    given = {"--train": config.train, "--test": config.test, "--target": config.target}
    missing = [flag for flag, value in given.items() if value is None]
    if not missing or len(missing) == len(given):
        return []
    return [
        f"{flag}: got nothing; allowed: --train, --test and --target together; do: give all three "
        "(none of them: the built-in sample)"
        for flag in missing
    ]


def _given_paths(config: DataConfig) -> _Paths:
    assert config.train is not None
    assert config.test is not None
    assert config.target is not None
    name = config.train.name.split(".")[0].removesuffix("_train").removesuffix("-train")
    if name == "train":
        name = config.train.resolve().parent.name or name
    return _Paths(
        config.train, config.test, config.target, config.id, config.sample_submission, name, None, ()
    )


def _sample_paths(config: DataConfig, layout: Layout) -> _Paths:
    from objectives.data.sample import write_sample

    layout.create()
    paths = write_sample(layout.sample(config.rows), config.rows)
    name = "rent_sample" if config.rows == DataConfig().rows else f"rent_sample_{config.rows}"
    note = f"No --train given: using the built-in sample of synthetic rental listings ({paths.train.parent})"
    return _Paths(
        paths.train, paths.test, "money_room", "id", paths.sample_submit, name, SAMPLE_EXPERIMENT, (note,)
    )


def _load(config: DataConfig, paths: _Paths, faults: list[str]) -> Competition:
    from objectives.data.checks import DataFiles
    from objectives.data.dataset import DatasetError, load_dataset
    from objectives.data.folds import make_folds

    files = DataFiles(
        paths.train,
        paths.test,
        paths.target,
        paths.id,
        config.task,
        config.metric,
        config.categorical,
        config.folds,
    )
    try:
        dataset = load_dataset(files)
    except DatasetError as error:
        raise InputFaults([*faults, *error.faults]) from None
    submission_format, format_faults = _submission_format(dataset, paths.sample_submission)
    faults = [*faults, *format_faults]
    if faults or submission_format is None:
        raise InputFaults(faults)
    study = config.study or paths.name
    return Competition(
        config=config,
        dataset=dataset,
        folds=make_folds(dataset.target, dataset.task, config.folds, config.seed),
        study=study,
        experiment=config.experiment or paths.experiment or study,
        submission_format=submission_format,
        notes=(*paths.notes, *dataset.notes),
    )


def _submission_format(dataset: Dataset, sample: Path | None) -> tuple[SubmissionFormat | None, list[str]]:
    from storage.submission_format import read_format, sample_faults

    columns = dataset.classes if dataset.task == "multiclass" else (PREDICTION,)
    faults = sample_faults(sample, ids=dataset.test_ids, columns=columns) if sample else []
    if faults:
        return None, faults
    return read_format(sample, id_name=dataset.id_name, columns=columns, ids=dataset.test_ids), []
