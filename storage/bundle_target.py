"""The ledger, the record and the project that a study comes from or goes to."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.bundle_format import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.storages import BaseStorage

    from storage.layout import Layout
    from storage.tracking import Tracking


@dataclass(frozen=True)
class Target:
    """Where a study is or goes.

    Attributes:
        layout: The project with its files.
        ledger: The database with its trials.
        ledger_name: Address of that database, for people: without a password.
        tracking: The record with its runs.
    """

    layout: Layout
    ledger: BaseStorage
    ledger_name: str
    tracking: Tracking


def open_target(layout: Layout, storage: str | None, tracking_uri: str | None, *, new: bool) -> Target:
    """Opens all three.

    Args:
        layout: The project.
        storage: Another ledger than the project's, as an SQLAlchemy URL.
        tracking_uri: Another record than the project's.
        new: Whether what is not there is made; where it is not, a missing ledger is a fault.

    Raises:
        BundleError: If one of them cannot be opened; what answers over a network is asked first, so that nothing
            is made for nothing.
    """
    from storage.ledger import open_ledger
    from storage.tracking import open_tracking

    url = storage or layout.ledger_url
    with database_refusals(url if storage is None else "--storage"):
        name = _ask_ledger(url, new=new)
        tracking = open_tracking(layout, tracking_uri)
        tracking.client.search_experiments(max_results=1)
        return Target(layout, open_ledger(url), name, tracking)


def _ask_ledger(url: str, *, new: bool) -> str:
    """Returns a ledger's address without its password, if it is one and answers."""
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError

    from storage.checks import ledger_faults
    from storage.tracking import sqlite_path

    try:
        name = sqlalchemy.make_url(url).render_as_string(hide_password=True)
        path = sqlite_path(url)
        if path is None:
            engine = sqlalchemy.create_engine(url)
            engine.connect().close()
            engine.dispose()
            return name
    except (ArgumentError, ImportError) as error:
        raise BundleError(
            f"--storage: got a database address that cannot be used ({error}); allowed: sqlite:///path or "
            "postgresql+psycopg://user@host/name; do: correct it, or install its driver (extra `postgresql`)"
        ) from None
    if not new and not path.exists():
        raise BundleError(f"got no ledger {path}; allowed: one with a study; do: python -m search.run")
    if faults := ledger_faults(path):
        raise BundleError(faults[0])
    return name


@contextmanager
def database_refusals(what: str) -> Iterator[None]:
    """Turns what databases, servers and disks raise into one line.

    Args:
        what: What was at work, as the line's first words.

    Raises:
        BundleError: In place of theirs.
    """
    from mlflow.exceptions import MlflowException
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, OptunaError, SQLAlchemyError, OSError) as error:
        cause = error.__cause__ if isinstance(error, OptunaError) and error.__cause__ else error
        first = (str(cause).strip().splitlines() or ["no reason given"])[0]
        raise BundleError(
            f"{what}: got {type(cause).__name__}: {first[:300]}; allowed: databases, servers and folders that "
            "answer and take what there is; do: mend that and repeat the command"
        ) from error
