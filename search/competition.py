"""From settings to something to search: files, data, folds, names; every fault at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from search.config import SAMPLE_EXPERIMENT, DataConfig
from search.faults import InputFaults
from search.settings.asked_paths import asked_paths, path_faults
from search.settings.asked_split import split_plan
from search.settings.own_codes import OwnCodes
from search.space.begun import Begun, begun_with

if TYPE_CHECKING:
    from objectives.base import Objective, ObjectiveFactory
    from objectives.data.checks import DataFiles
    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold
    from objectives.data.split.plan import SplitPlan
    from search.settings.asked_paths import AskedPaths
    from search.space.chosen import ChosenObjectives
    from storage.layout import Layout
    from storage.submission.form import SubmissionFormat


@dataclass(frozen=True)
class Competition:
    """What is searched.

    Attributes:
        config: The settings it came from; its objectives are those that were decided on.
        dataset: The data as arrays.
        split: How the rows are split, decided.
        folds: The split, fixed for the whole study.
        study: Name of the study.
        experiment: Name of the MLflow experiment.
        submission_format: What an upload must look like.
        notes: What was found out, one line each.
        objectives: What configurations are evaluated by.
    """

    config: DataConfig
    dataset: Dataset
    split: SplitPlan
    folds: tuple[Fold, ...]
    study: str
    experiment: str
    submission_format: SubmissionFormat
    notes: tuple[str, ...]
    objectives: ChosenObjectives

    @property
    def settings(self) -> dict[str, Any]:
        """What a study keeps of the settings."""
        return self.config.model_dump(mode="json", include=set(DataConfig.model_fields))

    @property
    def metric_name(self) -> str:
        """The name its score has in MLflow, such as `cv_rmse`; `_mean` and the like follow."""
        return f"cv_{self.dataset.metric.name}"

    def objective(self, workers: int = 1, threads: int | None = None) -> Objective:
        """The objective, for that many evaluations at once, with as many threads each as pay; several as one."""
        from search.loop.cores import cores_for_each
        from search.space.tuned import tuned

        bound = self._bound_objectives(threads or 1)
        if threads is None:
            fastest = max(one.fastest_threads(cores_for_each(workers)) for one in bound)
            for one in bound:
                one.threads = fastest
        return tuned(bound, self.config.space)

    def space_faults(self) -> list[str]:
        """What is wrong with objectives of the user's own, and with the user's space by the objectives' own."""
        from search.space.tried import own_fault
        from search.space.tuned import table_faults

        tried = (own_fault(partial(self._bound, one, 1)) for one in self.objectives.factories)
        if faults := [fault for fault in tried if fault is not None]:
            return faults
        return table_faults(self._bound_objectives(threads=1), self.config.space) if self.config.space else []

    def _bound_objectives(self, threads: int) -> list[Objective]:
        return [self._bound(make, threads) for make in self.objectives.factories]

    def _bound(self, make: ObjectiveFactory, threads: int) -> Objective:
        return make(self.dataset, self.folds, self.dataset.metric, seed=self.config.seed, threads=threads)

    @property
    def split_name(self) -> str:
        """What the split means, for people and for comparison."""
        from objectives.data.split.plan import describe

        return describe(self.split, self.dataset.task, self.folds)

    def question(self, objective: Objective) -> dict[str, Any]:
        """What a study under one name must always mean the same by."""
        from search.space.conditional import space_fingerprint

        return {
            "data": self.dataset.fingerprint,
            "metric": self.dataset.metric.name,
            "split": self.split_name,
            "space": f"{objective.name} {space_fingerprint(objective.space())}",
            **self.dataset.score_question,
            **({"objective_source": self.objectives.source} if self.objectives.source else {}),
        }


def open_competition(
    config: DataConfig, layout: Layout, codes: OwnCodes | None = None, *, compare: bool = False
) -> Competition:
    """Reads, checks and splits the data.

    Args:
        config: The settings.
        layout: The project.
        codes: Texts of the user's own files as they were when the study began; None: as they are now.
        compare: Splits at random whatever the settings say, and finds the columns of other splits.

    Raises:
        InputFaults: With every fault of settings, data and storage; nothing is changed then.
    """
    from search.space.chosen import choose
    from storage.checks import storage_faults

    codes = codes or OwnCodes()
    objectives = choose(config.objective, codes.objectives)
    faults = [*storage_faults(layout), *path_faults(config), *objectives.faults]
    uses_sample = config.train is None
    if faults and (uses_sample or path_faults(config)):
        raise InputFaults(faults)
    paths = asked_paths(config, layout)
    plan = split_plan(config)
    if compare:
        plan = replace(plan, scheme="auto", gap=0, repeats=1, compare=True)
    begun = partial(begun_with, layout, config.study or paths.name)
    return _load(config, plan, paths, faults, objectives=objectives, begun=begun, metric_code=codes.metric)


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


def _load(
    config: DataConfig,
    plan: SplitPlan,
    paths: AskedPaths,
    faults: list[str],
    *,
    objectives: ChosenObjectives,
    begun: Begun,
    metric_code: str | None,
) -> Competition:
    from objectives.data.split.plan import unused_columns
    from search.results.contract import find_format, format_note

    dataset = _dataset(_data_files(config, plan, paths, metric_code), faults)
    submission_format, format_faults = find_format(dataset, paths.sample_submission, config.prediction_column)
    faults = [*faults, *format_faults]
    plan = plan.resolved(dataset.task)
    folds = _folds(plan, dataset, faults)
    if faults or submission_format is None:
        raise InputFaults(faults)
    objectives = objectives.decided(dataset.shape, len(dataset.classes), config.seconds, begun)
    if objectives.faults:
        raise InputFaults(objectives.faults)
    study = config.study or paths.name
    competition = Competition(
        config=config.model_copy(update={"objective": objectives.given}),
        dataset=dataset,
        split=plan,
        folds=folds,
        study=study,
        experiment=config.experiment or paths.experiment or study,
        submission_format=submission_format,
        notes=(
            *paths.notes,
            *dataset.notes,
            *objectives.notes,
            *unused_columns(plan),
            format_note(submission_format, paths.sample_submission),
        ),
        objectives=objectives,
    )
    if faults := competition.space_faults():
        raise InputFaults(faults)
    return competition


def _data_files(config: DataConfig, plan: SplitPlan, paths: AskedPaths, metric_code: str | None) -> DataFiles:
    from objectives.data.checks import DataFiles
    from objectives.data.features.choice import FeatureChoice

    return DataFiles(
        paths.train,
        paths.test,
        paths.target,
        paths.id,
        config.task,
        config.metric,
        config.categorical,
        plan,
        config.strict,
        metric_direction=config.metric_direction,
        metric_code=metric_code,
        losses=config.loss,
        transforms=config.target_transform,
        choice=FeatureChoice(
            config.tags,
            config.text,
            config.months,
            config.geo,
            config.calendar,
            config.target_encode,
            config.features,
        ),
    )


def _dataset(files: DataFiles, faults: list[str]) -> Dataset:
    from objectives.data.dataset import DatasetError, load_dataset

    try:
        return load_dataset(files)
    except DatasetError as error:
        raise InputFaults([*faults, *error.faults]) from None


def _folds(plan: SplitPlan, dataset: Dataset, faults: list[str]) -> tuple[Fold, ...]:
    from objectives.data.split.schemes import SplitError, Splittable, make_split

    try:
        return make_split(plan, Splittable(dataset.target, dataset.task, dataset.keys))
    except SplitError as error:
        raise InputFaults([*faults, *error.faults]) from None
