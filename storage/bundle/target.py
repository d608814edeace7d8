"""The ledger, the record and the project that a study comes from or goes to."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.bundle.members import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.storages import BaseStorage

    from storage.layout import Layout
    from storage.record.tracking import Tracking


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


def open_target(layout: Layout, tracking_uri: str | None, *, new: bool) -> Target:
    """Opens all three.

    Args:
        layout: The project, or where else its ledger is.
        tracking_uri: Another record than the project's.
        new: Whether what is not there is made; where it is not, a missing ledger is a fault.

    Raises:
        BundleError: If one of them cannot be opened; what answers over a network is asked first, so that nothing
            is made for nothing.
    """
    from storage.ledger import open_ledger
    from storage.record.tracking import open_tracking

    url = layout.ledger_url
    with database_refusals(url if layout.storage is None else "--storage"):
        name = _ask_ledger(layout, new=new)
        tracking = open_tracking(layout, tracking_uri)
        tracking.client.search_experiments(max_results=1)
        return Target(layout, open_ledger(url), name, tracking)


def _ask_ledger(layout: Layout, *, new: bool) -> str:
    """Returns a ledger's address without its password, if it is one and answers."""
    from storage.ledger_address import address_faults, shown_url

    path = layout.ledger_file
    if not new and path is not None and not path.exists():
        raise BundleError(f"got no ledger {path}; allowed: one with a study; do: python -m search.run")
    if faults := address_faults(layout):
        raise BundleError(faults[0])
    return shown_url(layout.ledger_url)


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
