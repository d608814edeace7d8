"""Every setting and its default, once. Flags, TOML keys and help text all derive from here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SAMPLE_EXPERIMENT = "signate_mlit_rental_price"
STARTUP_TRIALS = (5, 20)
"""Fewest and most random trials before the sampler models the space; a tenth of all in between."""
PRUNER_STARTUP_TRIALS = 5
PRUNER_WARMUP_STEPS = 1
"""Reports of the first fold that come too early to judge a configuration."""
KEEP_PREDICTIONS = 20
"""Best trials whose out-of-fold and test predictions stay on disk."""
MOST_FAILURES_IN_A_ROW = 5
ROWS_FOR_THREADS = 100_000
"""Training rows from which one evaluation uses more than one thread."""
CLOSING_SECONDS = 4.0
"""Held back from `--timeout` for the submission and the record."""


def _names(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\\:\x00-\x1f]+$")]
Column = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


class StudyChoice(BaseModel):
    """Which study."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: Name | None = Field(None, description="name of the study; found out when not given")


class DataConfig(StudyChoice):
    """What is searched: data, score and split. Part of a study for ever."""

    train: Path | None = Field(None, description="training table, .csv .csv.gz or .parquet; none: the sample")
    test: Path | None = Field(None, description="table to predict, with the id column")
    target: Column | None = Field(None, description="name of the target column")
    id: Column = Field("id", description="name of the id column")
    task: Literal["regression", "binary", "multiclass"] | None = Field(
        None, description="what the target is; found out when not given"
    )
    metric: Column | None = Field(None, description="the score to search for; found out when not given")
    categorical: Names = Field((), description="columns to treat as categories besides text, by commas")
    sample_submission: Path | None = Field(
        None, description="file whose header, if any, the submission copies"
    )
    folds: int = Field(5, ge=2, le=50, description="cross-validation folds")
    seed: int = Field(42, ge=0, lt=2**31, description="fixes folds, sampler and models")
    experiment: Name | None = Field(None, description="MLflow experiment; default: the study's name")
    rows: int = Field(20_000, ge=200, le=2_000_000, description="training rows of the built-in sample")


class SearchConfig(DataConfig):
    """A search: how much of it."""

    trials: int = Field(200, ge=1, le=1_000_000, description="finished trials the study shall have in total")
    timeout: float | None = Field(
        None, gt=0, description="seconds for the whole command, submission written; default: no limit"
    )
    workers: int | None = Field(
        None,
        ge=0,
        le=1024,
        description="trials evaluated at once; 0: one, in the main thread; default: the cores",
    )


class PromoteConfig(StudyChoice):
    """Which result to promote."""

    trial: int | None = Field(None, ge=0, description="number of the trial; default: the best")


class StatusConfig(StudyChoice):
    """Which studies to list."""


class SyncConfig(StudyChoice):
    """Which studies to synchronise, and whether to look only."""

    tracking_uri: Column | None = Field(
        None, description="MLflow's address; default: MLFLOW_TRACKING_URI, else mlruns/mlflow.db"
    )
    check: bool = Field(False, description="say where MLflow differs from the ledger, and change nothing")


POSITIONAL: dict[str, Any] = {"positional": True}


class PlaceConfig(BaseModel):
    """Another ledger or record than this folder's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    storage: Column | None = Field(
        None, description="the ledger, as an SQLAlchemy URL; default: mlruns/optuna.db"
    )
    tracking_uri: Column | None = Field(
        None, description="MLflow's address; default: MLFLOW_TRACKING_URI, else mlruns/mlflow.db"
    )


class ExportConfig(PlaceConfig):
    """Which study to write into which file."""

    study: Column = Field(description="name of the study", json_schema_extra=POSITIONAL)
    bundle: Path = Field(description="the zip file to write", json_schema_extra=POSITIONAL)


class ImportConfig(PlaceConfig):
    """Which file to bring in, and where to."""

    bundle: Path = Field(description="the zip file that search.export wrote", json_schema_extra=POSITIONAL)
    study: Name | None = Field(None, description="another name for the study; default: its own")


class MigrateConfig(BaseModel):
    """Which old runs to bring over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    old_mlruns: Path = Field(
        description="the old folder, with <experiment id>/meta.yaml in it", json_schema_extra=POSITIONAL
    )
    experiment: Names = Field((), description="names of experiments, by commas; default: all")
    tracking_uri: Column | None = Field(
        None, description="MLflow's address; default: MLFLOW_TRACKING_URI, else mlruns/mlflow.db"
    )
