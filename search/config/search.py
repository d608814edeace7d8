"""What is searched, and how much of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from search.config.figures import AUTO, AUTO_ROWS, AUTO_VALUES_A_SECOND
from search.space.table import SpaceTable


def _names(value: object) -> object:
    # Where types are taken strictly, as in a file, a list is no tuple.
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return tuple(value) if isinstance(value, list) else value


def _beside(value: object, info: ValidationInfo) -> object:
    """A `file.py:function` of the TOML file's folder, as seen from the current one, which goes first."""
    folder = (info.context or {}).get("folder")
    if folder is None or not isinstance(value, str) or ":" not in value:
        return value
    where, _, function = value.rpartition(":")
    path = Path(where if where.endswith(".py") else where.replace(".", "/") + ".py")
    is_there = not path.is_file() and (folder / path).is_file()
    return f"{folder / path}:{function}" if is_there else value


def _each_beside(value: object, info: ValidationInfo) -> object:
    return tuple(_beside(one, info) for one in value) if isinstance(value, tuple) else value


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\\:\x00-\x1f]+$")]
Column = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names, json_schema_input_type=str | list[str])]
Places = Annotated[
    tuple[str, ...],
    BeforeValidator(_each_beside),
    BeforeValidator(_names, json_schema_input_type=str | list[str]),
]
Score = Annotated[str, Field(min_length=1), BeforeValidator(_beside)]
FLAG_ONLY: dict[str, Any] = {"flag_only": True}
FILE_ONLY: dict[str, Any] = {"file_only": True}
"""A table of the settings file, and no flag."""


class StudyChoice(BaseModel):
    """Which study."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: Name | None = Field(None, description="name of the study; found out when not given")


class DataConfig(StudyChoice):
    """What is searched: data, score and split. Part of a study for ever."""

    train: Path | None = Field(
        None, description="training table, .csv .tsv (or .gz, .zip of them) or .parquet; none: the sample"
    )
    test: Path | None = Field(None, description="table to predict, with the id column")
    target: Column | None = Field(None, description="name of the target column")
    id: Column = Field("id", description="name of the id column")
    task: Literal["regression", "binary", "multiclass"] | None = Field(
        None, description="what the target is; found out when not given"
    )
    metric: Score | None = Field(
        None, description="the score to search for, a name or file.py:function; found out when not given"
    )
    metric_direction: Literal["min", "max"] | None = Field(
        None, description="which way your own metric is better; found out when not given"
    )
    objective: Places = Field(
        (AUTO,),
        description="models to search, by commas: names, or file.py:Class of your own; several share one study; "
        f"auto: lightgbm, and up to {AUTO_ROWS:,} training rows (or {AUTO_VALUES_A_SECOND:,} values in them for each "
        "second of --timeout) extra_trees, linear and neural_network beside it; of several classes on more only "
        "neural_network, with --timeout nearest too; with that much time catboost too, if installed",
    )
    loss: Names = Field(
        (), description="training losses to choose from, by commas; default: what fits the metric"
    )
    target_transform: Names = Field(
        (),
        description="scales to train on, by commas: none, log1p, sqrt, quantile, per:COLUMN; default: likewise",
    )
    categorical: Names = Field((), description="columns to treat as categories besides text, by commas")
    features: Path | None = Field(
        None, description="Python file with `features(train, test)` or a `transformer` of your own"
    )
    tags: Names | None = Field(
        None,
        description="columns of lists such as a/b/c, by commas; found out when not given",
    )
    text: Names | None = Field(None, description="columns of long text, by commas; found out when not given")
    months: Names | None = Field(
        None, description="columns of months such as 202404, by commas; found out when not given"
    )
    geo: Names | None = Field(
        None, description="pairs of columns LATITUDE:LONGITUDE, by commas; found out when not given"
    )
    calendar: Names = Field((), description="dates that get year, month and weekday besides, by commas")
    target_encode: Names = Field(
        (), description="categories to replace by their mean target, learned inside each fold, by commas"
    )
    sample_submission: Path | None = Field(
        None, description="file that the submission copies byte for byte, predictions apart"
    )
    prediction_column: Column | None = Field(
        None, description="which column of the sample holds the prediction; found out when not given"
    )
    folds: int = Field(5, ge=2, le=50, description="cross-validation folds")
    seed: int = Field(42, ge=0, lt=2**31, description="fixes folds, sampler and models")
    split: Literal["auto", "kfold", "stratified", "group", "stratified_group", "time", "column"] = Field(
        "auto", description="how rows are split; auto: by the column given, else random (classes stratified)"
    )
    group: Column | None = Field(
        None, description="column whose rows of one value stay on one side of a split"
    )
    time: Column | None = Field(None, description="column of moments; training comes before validation")
    gap: int = Field(
        0, ge=0, le=10_000, description="distinct moments left out between training and validation"
    )
    fold_column: Column | None = Field(None, description="column that gives the fold each row validates")
    repeats: int = Field(1, ge=1, le=20, description="times to split anew; scores are means over all folds")
    strict: bool = Field(False, description="refuse data in which a leak is found, instead of warning")
    experiment: Name | None = Field(None, description="MLflow experiment; default: the study's name")
    rows: int = Field(20_000, ge=200, le=2_000_000, description="training rows of the built-in sample")
    space: SpaceTable | None = Field(
        None, description="parameters to narrow, widen, fix or condition", json_schema_extra=FILE_ONLY
    )

    @property
    def seconds(self) -> float | None:
        """That the command may take; None: as long as it takes."""
        return None


class LedgerChoice(BaseModel):
    """Another ledger than this folder's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    storage: Column | None = Field(
        None, description="the ledger, as an SQLAlchemy URL; default: mlruns/optuna.db"
    )


class SearchConfig(DataConfig, LedgerChoice):
    """A search: how much of it."""

    trials: int = Field(200, ge=1, le=1_000_000, description="finished trials the study shall have in total")
    timeout: float | None = Field(
        None, gt=0, description="seconds for the whole command, submission written; default: no limit"
    )
    until_stable: bool = Field(
        False, description="stop when more trials would gain less than the standard error of the best score"
    )
    workers: int | None = Field(
        None,
        ge=0,
        le=1024,
        description="worker processes, a trial each; 0: none, in the main thread; default: one a core",
    )
    threads: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="threads of one trial; default: measured, within the cores that each worker has",
    )
    cluster: Column | None = Field(
        None, description="address or scheduler file of a running Dask cluster to evaluate on"
    )
    trial_timeout: float | None = Field(
        None, gt=0, description="seconds after which a trial is stopped as failed; default: no limit"
    )
    memory_per_worker: float | None = Field(
        None, gt=0, description="GB a worker may use, data included; a trial over it fails; default: no limit"
    )

    @property
    def seconds(self) -> float | None:
        """Those of `--timeout`."""
        return self.timeout
