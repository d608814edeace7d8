"""MLflow's own pages inside another server: its app, and which of its requests only read.

MLflow asks many of its questions by POST, so that a method alone does not tell what changes something. What only
reads is listed here; a route that a new version brings is refused until it is listed.
"""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from storage.reading.file_identity import FileIdentity, file_identity
from storage.record.mlflow_schema import quiet_loggers, quiet_mlflow
from storage.record.tracking import sqlite_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from storage.layout import Layout

PREFIX = "/mlflow"
"""Path that all of MLflow's pages are below."""

READING_POSTS = frozenset(
    {
        "2.0/mlflow/experiments/search",
        "2.0/mlflow/experiments/search-datasets",
        "2.0/mlflow/logged-models/search",
        "2.0/mlflow/registered-models/get-latest-versions",
        "2.0/mlflow/runs/search",
        "3.0/mlflow/datasets/search",
        "3.0/mlflow/issues/search",
        "3.0/mlflow/traces/batchGetInfos",
        "3.0/mlflow/traces/calculate-filter-correlation",
        "3.0/mlflow/traces/metrics",
        "3.0/mlflow/traces/search",
    }
)
# They read on another server's behalf, or take a query that may change something from the address.
_REFUSED_GETS = re.compile(rf"{PREFIX}/(graphql|(ajax-)?api/\d\.\d/mlflow/gateway-proxy)/*")
_API = re.compile(rf"{PREFIX}/(?:ajax-)?api/(.+)")
GRAPHQL = f"{PREFIX}/graphql"


def is_reading(method: str, path: str, body: Callable[[], bytes]) -> bool:
    """Tells whether a request to MLflow's pages changes nothing.

    Args:
        method: Such as `GET`.
        path: Beginning with `PREFIX`, decoded.
        body: Gives the request's body; called only where it matters.
    """
    if method in {"GET", "HEAD"}:
        return _REFUSED_GETS.fullmatch(path) is None
    if method != "POST":
        return False
    if path == GRAPHQL:
        return _is_query(body())
    found = _API.fullmatch(path)
    return found is not None and found[1] in READING_POSTS


def _is_query(body: bytes) -> bool:
    import json

    from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

    try:
        # What MLflow's schema knows is not that deep; a document that nests without end costs the parser its stack.
        document = parse(json.loads(body)["query"], max_tokens=10_000)
    except (GraphQLError, ValueError, KeyError, TypeError, RecursionError):
        return False
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return bool(operations) and all(one.operation is OperationType.QUERY for one in operations)


def is_embeddable(uri: str) -> bool:
    """Tells whether MLflow's record is a database, and no server that has pages of its own."""
    return not uri.startswith(("http:", "https:", "databricks"))


def record_is_there(uri: str) -> bool:
    """Tells whether there is a record to show; a database on a server is taken to be there."""
    file = sqlite_path(uri)
    return file is None or (file.is_file() and file.stat().st_size > 0)


def record_identity(uri: str) -> FileIdentity | None:
    """Returns which file the record is; None where there is none, or it is on a server."""
    return file_identity(sqlite_path(uri))


def open_run_pages(
    layout: Layout, uri: str, *, writable: bool, first_script: str = ""
) -> Callable[..., Iterable[bytes]]:
    """Makes MLflow's pages as a WSGI app, for paths below `PREFIX`; takes some seconds the first time.

    Its own checks of Host and Origin are off: whoever serves it makes them.

    Args:
        layout: The project.
        uri: Its record, a database that is there. From here on this process's MLFLOW_TRACKING_URI is another.
        writable: Whether the record may be changed; else a SQLite file is opened for reading only.
        first_script: Address of a script that runs before MLflow's own, for what its pages begin with; none if empty.

    Raises:
        mlflow.exceptions.MlflowException: If the database is another program's or of another version.
    """
    quiet_mlflow()
    os.environ.update(
        {
            "_MLFLOW_STATIC_PREFIX": PREFIX,
            "_MLFLOW_SERVER_FILE_STORE": _store_uri(uri, writable=writable),
            "_MLFLOW_SERVER_ARTIFACT_ROOT": layout.mlruns.resolve().as_posix(),
            "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
    )
    # Of MLflow's own code, for its authors.
    warnings.filterwarnings("ignore", message="starlette.middleware.wsgi is deprecated")
    from mlflow.server import app
    from mlflow.server.handlers import (
        _get_model_registry_store,
        _get_tracking_store,
        initialize_backend_stores,
    )

    quiet_loggers()
    initialize_backend_stores()
    # Where the file was replaced since a first call, its connections lead to what is no longer there.
    stores: tuple[Any, ...] = (_get_tracking_store(), _get_model_registry_store())
    for store in stores:
        store.engine.dispose()
    if first_script:
        index = Path(str(app.static_folder), "index.html").read_text(encoding="utf-8")
        index = index.replace("<script", f'<script src="{first_script}"></script><script', 1)
        app.view_functions["serve"] = lambda: index
    found: Callable[..., Iterable[bytes]] = app
    return found


def run_address(uri: str, study: str, trial: int | None) -> str | None:
    """Returns where on MLflow's pages a trial's run is, or without one the study's own; None where there is none."""
    from storage.record.find_run import search_run

    found = search_run(_client(uri), study, trial)
    return None if found is None else f"#/experiments/{found.experiment_id}/runs/{found.run_id}"


def trial_of_run(uri: str, run_id: str) -> tuple[str, int] | None:
    """Returns study and number of the trial that a run mirrors; None where it mirrors none."""
    from mlflow.exceptions import MlflowException

    try:
        tags = _client(uri).get_run(run_id).data.tags
        return str(tags["optuna_study"]), int(tags["optuna_trial"])
    except (MlflowException, KeyError, ValueError):
        return None


def _client(uri: str) -> Any:
    quiet_mlflow()
    from mlflow import MlflowClient

    return MlflowClient(_store_uri(uri, writable=False))


def _store_uri(uri: str, *, writable: bool) -> str:
    file = sqlite_path(uri)
    if file is None or writable:
        return uri if file is None else f"sqlite:///{file.as_posix()}"
    return f"sqlite:///file:{quote(file.as_posix())}?mode=ro&uri=true"
