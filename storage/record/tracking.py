"""MLflow's database or server, opened quietly and safely.

MLflow stores artifact addresses absolute. Here the experiments of the local record get addresses relative to
the project's root, so that moving the folder moves the artifacts.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from storage.record.mlflow_schema import ensure_schema, quiet_mlflow, relax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow import MlflowClient
    from mlflow.entities import Experiment

    from storage.layout import Layout

__all__ = [
    "Tracking",
    "address_in_use",
    "ensure_experiment",
    "look_at_tracking",
    "open_tracking",
    "sqlite_path",
]

SQLITE_PREFIX = "sqlite:///"
# Without it the UI guesses, and shows an experiment without models as one on language models.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
BUSY_SECONDS = 60


class RecordUnavailableError(Exception):
    """The database or server does not answer, or refuses."""


@contextmanager
def answering(uri: str) -> Iterator[None]:
    """Turns what MLflow, its database or the way to its server raise into words.

    Raises:
        RecordUnavailableError: In place of these.
    """
    quiet_mlflow()
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, sqlite3.Error) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise RecordUnavailableError(
            f"got MLflow at {uri}, which refuses ({reason[:300]}); allowed: one that answers; "
            "do: start it, or give another --tracking-uri"
        ) from error


@dataclass(frozen=True)
class Tracking:
    """An open MLflow record.

    Attributes:
        client: Bound to `uri`, whatever the process-wide tracking URI is. Usable from any thread.
        uri: Where it leads; a SQLite path is absolute, so that a change of the working directory is harmless.
        layout: The project whose record this is.
        is_local: Whether it is the database inside the project's own `mlruns`.
    """

    client: MlflowClient
    uri: str
    layout: Layout
    is_local: bool


def open_tracking(layout: Layout, uri: str | None = None) -> Tracking:
    """Opens the record, making folders, links and database schema where there are none.

    Takes about 6 s the first time and 10 ms later (after `import mlflow`).

    Args:
        layout: The project.
        uri: Another record than `layout.tracking_uri`.

    Raises:
        OSError: If `mlruns` cannot be made.
        filelock.Timeout: If another process has been creating the schema for five minutes.
        mlflow.exceptions.MlflowException: If the database is another program's or of another version.
    """
    quiet_mlflow()
    from mlflow import MlflowClient

    uri = uri or layout.tracking_uri
    database = sqlite_path(uri)
    if database is None:
        return Tracking(MlflowClient(uri), uri, layout, is_local=False)
    is_local = database == layout.mlflow_db.resolve()
    if is_local:
        layout.create()
    ensure_schema(database)
    uri = f"{SQLITE_PREFIX}{database.as_posix()}"
    tracking = Tracking(MlflowClient(uri), uri, layout, is_local)
    relax(tracking.client)
    if is_local:
        _make_location_relative(tracking, "0")
    return tracking


def look_at_tracking(layout: Layout, uri: str | None = None) -> Tracking | None:
    """Opens the record only to read it; None where there is no database yet.

    Raises:
        mlflow.exceptions.MlflowException: If the database is another program's or of another version.
    """
    quiet_mlflow()
    from mlflow import MlflowClient

    uri = uri or layout.tracking_uri
    database = sqlite_path(uri)
    if database is None:
        return Tracking(MlflowClient(uri), uri, layout, is_local=False)
    if not database.exists() or database.stat().st_size == 0:
        return None
    uri = f"{SQLITE_PREFIX}{database.as_posix()}"
    return Tracking(MlflowClient(uri), uri, layout, is_local=database == layout.mlflow_db.resolve())


def address_in_use() -> str | None:
    """Returns the tracking URI that the process has set in MLflow or its environment; None if it has none."""
    quiet_mlflow()
    import mlflow

    return str(mlflow.get_tracking_uri()) if mlflow.is_tracking_uri_set() else None  # type: ignore[no-untyped-call]


def sqlite_path(uri: str) -> Path | None:
    """Returns the absolute database file behind a SQLite URI, links followed; None for anything else."""
    path = uri.removeprefix(SQLITE_PREFIX)
    if path == uri or not path or ":memory:" in path:
        return None
    return Path(path).resolve()


def ensure_experiment(tracking: Tracking, name: str) -> str:
    """Returns the id of the experiment of that name, made or restored from the trash if need be."""
    experiment = tracking.client.get_experiment_by_name(name) or _create_experiment(tracking, name)
    if experiment.lifecycle_stage == "deleted":
        tracking.client.restore_experiment(experiment.experiment_id)
    if tracking.is_local:
        _make_location_relative(tracking, experiment.experiment_id)
    return str(experiment.experiment_id)


def _create_experiment(tracking: Tracking, name: str) -> Experiment:
    from mlflow.exceptions import MlflowException

    try:
        tracking.client.create_experiment(name, tags=EXPERIMENT_TAGS)
    except MlflowException as error:
        # Two searches starting at once: the other was first.
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    experiment = tracking.client.get_experiment_by_name(name)
    assert experiment is not None
    return experiment


def _make_location_relative(tracking: Tracking, experiment_id: str) -> None:
    # MLflow turns every location given to it into an absolute one, so the row itself is corrected. A location
    # the user chose is left alone.
    mlruns = tracking.layout.mlruns
    if mlruns.is_absolute():
        return
    own = (str(mlruns.resolve() / experiment_id), (mlruns.resolve() / experiment_id).as_uri())
    with closing(sqlite3.connect(tracking.layout.mlflow_db, timeout=BUSY_SECONDS)) as connection, connection:
        connection.execute(
            "UPDATE experiments SET artifact_location = ?"
            " WHERE experiment_id = ? AND artifact_location IN (?, ?)",
            ((mlruns / experiment_id).as_posix(), int(experiment_id), *own),
        )
