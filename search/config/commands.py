"""The settings of the other commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from search.config.search import FLAG_ONLY, Column, DataConfig, LedgerChoice, Name, Names, StudyChoice

POSITIONAL: dict[str, Any] = {"positional": True}


class PromoteConfig(StudyChoice, LedgerChoice):
    """Which result to promote."""

    trial: int | None = Field(
        None, ge=0, description="number of the trial; default: what is honestly the best"
    )


class StatusConfig(StudyChoice, LedgerChoice):
    """Which studies to list."""


class ShowConfig(LedgerChoice):
    """Which study, or which trial of it, to show."""

    study: Column = Field(description="name of the study", json_schema_extra=POSITIONAL)
    trial: int | None = Field(
        None, ge=0, description="number of a trial; default: the study", json_schema_extra=POSITIONAL
    )
    as_json: bool = Field(
        False, description="print JSON, for scripts", json_schema_extra={**FLAG_ONLY, "flag": "json"}
    )


class CompareConfig(LedgerChoice):
    """Which two trials to compare."""

    study: Column = Field(description="name of the study", json_schema_extra=POSITIONAL)
    a: int = Field(ge=0, description="number of a trial", json_schema_extra=POSITIONAL)
    b: int = Field(ge=0, description="number of another", json_schema_extra=POSITIONAL)
    as_json: bool = Field(
        False, description="print JSON, for scripts", json_schema_extra={**FLAG_ONLY, "flag": "json"}
    )


class ReportConfig(LedgerChoice):
    """Which study to report on, and where to."""

    study: Name | None = Field(
        None,
        description="name of the study; default: the one last worked on",
        json_schema_extra=POSITIONAL,
    )
    output: Path | None = Field(
        None, description="the page to write; default: below mlruns/reports", json_schema_extra=FLAG_ONLY
    )


class SyncConfig(StudyChoice, LedgerChoice):
    """Which studies to synchronise, and whether to look only."""

    tracking_uri: Column | None = Field(
        None, description="MLflow's address; default: MLFLOW_TRACKING_URI, else mlruns/mlflow.db"
    )
    check: bool = Field(False, description="say where MLflow differs from the ledger, and change nothing")


class PlaceConfig(LedgerChoice):
    """Another ledger or record than this folder's."""

    tracking_uri: Column | None = Field(
        None, description="MLflow's address; default: MLFLOW_TRACKING_URI, else mlruns/mlflow.db"
    )


class ServeConfig(PlaceConfig):
    """Where the pages are shown, and to whom.

    No settings file may open the door wider than the command line does.
    """

    host: Column = Field(
        "127.0.0.1",
        description="address to listen on; off this machine only with a login and TLS",
        json_schema_extra=FLAG_ONLY,
    )
    port: int = Field(8080, ge=0, le=65_535, description="port to listen on; 0: a free one")
    writable: bool = Field(
        False,
        description="let the pages of Optuna and MLflow change and delete; needs a login",
        json_schema_extra=FLAG_ONLY,
    )
    token: str | None = Field(
        None,
        min_length=16,
        description="secret that every visitor has to know; or the environment's SEARCH_TOKEN",
        json_schema_extra=FLAG_ONLY,
    )
    user: str | None = Field(
        None,
        pattern=r"^[^:]+:.{12,}$",
        description="NAME:PASSWORD of every visitor, instead of a token; or the environment's SEARCH_USER",
        json_schema_extra=FLAG_ONLY,
    )
    tls_cert: Path | None = Field(
        None,
        description="certificate chain, PEM; the names in it are the hosts allowed",
        json_schema_extra=FLAG_ONLY,
    )
    tls_key: Path | None = Field(None, description="its private key, PEM", json_schema_extra=FLAG_ONLY)


class VerifyConfig(DataConfig, LedgerChoice):
    """Which file to verify, and against which data where it is not a file of ours."""

    file: Path = Field(description="the submission file", json_schema_extra=POSITIONAL)


class LeaderboardAddConfig(LedgerChoice):
    """Which score of which file."""

    file: Path = Field(description="the submission file", json_schema_extra=POSITIONAL)
    score: float = Field(
        allow_inf_nan=False, description="its score on the leaderboard", json_schema_extra=POSITIONAL
    )
    public: bool = Field(
        False,
        description="it is a score of the public leaderboard; the default",
        json_schema_extra=FLAG_ONLY,
    )
    private: bool = Field(
        False, description="it is a score of the private leaderboard", json_schema_extra=FLAG_ONLY
    )
    note: str | None = Field(None, description="anything to remember with it", json_schema_extra=FLAG_ONLY)


class LeaderboardConfig(StudyChoice, LedgerChoice):
    """Which files: where there are several competitions here, those of this study's."""


class PlotConfig(LeaderboardConfig):
    """Where the picture goes."""

    out: Path | None = Field(
        None,
        description="the picture, .svg or .png; default: below mlruns/leaderboard",
        json_schema_extra=FLAG_ONLY,
    )


class PickTwoConfig(LeaderboardConfig):
    """What the public leaderboard rests on."""

    public_share: float = Field(
        0.5, gt=0, le=1, description="share of the test rows behind the public leaderboard"
    )


class SubmitConfig(StudyChoice, LedgerChoice):
    """Which file to send where."""

    file: Path = Field(description="the submission file", json_schema_extra=POSITIONAL)
    to: Literal["signate", "kaggle"] | None = Field(None, description="whose installed command sends it")
    competition: Column | None = Field(
        None, description="the competition's name at kaggle, its task key at signate"
    )
    note: str | None = Field(
        None, description="message beside the submission; default: what made it", json_schema_extra=FLAG_ONLY
    )
    # No settings file may send anything.
    send: bool = Field(
        False, description="send it, after a question; default: a dry run", json_schema_extra=FLAG_ONLY
    )
    yes: bool = Field(False, description="answer that question with yes", json_schema_extra=FLAG_ONLY)
    again: bool = Field(False, description="send it although it was sent before", json_schema_extra=FLAG_ONLY)


class ReplayConfig(LedgerChoice):
    """Which trial to evaluate again."""

    study: Column = Field(description="name of the study", json_schema_extra=POSITIONAL)
    trial: int = Field(ge=0, description="number of the trial", json_schema_extra=POSITIONAL)


class ExportConfig(PlaceConfig):
    """Which study to write into which file."""

    study: Column = Field(description="name of the study", json_schema_extra=POSITIONAL)
    bundle: Path = Field(description="the zip file to write", json_schema_extra=POSITIONAL)


class ImportConfig(PlaceConfig):
    """Which file to bring in, and where to."""

    bundle: Path = Field(description="the zip file that search.export wrote", json_schema_extra=POSITIONAL)
    study: Name | None = Field(
        None, description="another name for the study; default: its own", json_schema_extra=FLAG_ONLY
    )


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


class InitConfig(BaseModel):
    """Which data to look at, and where to write what was found out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: Path | None = Field(None, description="training table, as for search.run")
    test: Path | None = Field(None, description="table to predict")
    target: Column | None = Field(None, description="name of the target column; default: found out")
    id: Column | None = Field(None, description="name of the id column; default: found out")
    sample_submission: Path | None = Field(None, description="the competition's sample submission")
    output: Path | None = Field(
        None, description="the file to write; default: competition.toml", json_schema_extra=FLAG_ONLY
    )
    force: bool = Field(False, description="overwrite the file if it is there", json_schema_extra=FLAG_ONLY)
    print_schema: bool = Field(
        False,
        description="print the JSON schema of settings files for editors, or write it to --output",
        json_schema_extra={"flag": "schema", **FLAG_ONLY},
    )
