"""The address of a ledger: what is wrong with it, whether something is there, and how it may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.storages import BaseStorage
    from sqlalchemy import URL, Engine

    from storage.layout import Layout

HOW = "sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE"
SECRET_OPTIONS = ("password", "sslpassword")
CONNECT_SECONDS = 10
LIBPQ_DRIVERS = ("psycopg", "psycopg2")


def parse_url(url: str) -> URL:
    """Reads an SQLAlchemy URL.

    Raises:
        ValueError: If the text is none; it is not repeated, for it may hold a password.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Not chained: the parser's own words may have part of a password in them.
        raise ValueError(
            "--storage: got a text that is no database address; "
            f"allowed: {HOW}; do: write it so, a password's special characters as %XX"
        ) from None


def shown_url(url: str) -> str:
    """Returns a ledger's address for people: every password in it as `***`."""
    address = parse_url(url)
    hidden = [name for name in SECRET_OPTIONS if name in address.query]
    address = address.update_query_dict(dict.fromkeys(hidden, "***"))
    address = address._replace(password=address.password or None)
    return address.render_as_string(hide_password=True)


def address_faults(layout: Layout) -> list[str]:
    """Finds what stands in the way of using a project's ledger, wherever it is, and changes nothing.

    Returns:
        One line for each fault; empty when all is well.
    """
    try:
        address = parse_url(layout.ledger_url)
    except ValueError as error:
        return [str(error)]
    if layout.ledger_file is not None:
        return _file_faults(layout.ledger_file, layout.mlruns)
    backend = address.get_backend_name()
    if backend != "postgresql":
        what = "a SQLite database in memory" if backend == "sqlite" else f"a database of {backend}"
        return [f"--storage: got {what}; allowed: {HOW}; do: choose one of these"]
    return _server_faults(address)


def find_ledger(layout: Layout) -> BaseStorage | None:
    """Opens the ledger if there is one; makes none.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: If the database cannot be reached.
    """
    from storage.checks import OPTUNA_TABLE
    from storage.ledger import open_ledger

    if layout.ledger_file is not None:
        is_there = layout.ledger_file.exists()
    else:
        engine = _engine(parse_url(layout.ledger_url))
        is_there = OPTUNA_TABLE in _tables(engine)
        engine.dispose()
    return open_ledger(layout.ledger_url) if is_there else None


def _file_faults(file: Path, mlruns: Path) -> list[str]:
    from storage.checks import ledger_faults

    if not file.parent.is_dir() and file.parent != mlruns:
        return [
            (
                f"--storage: got {file}, in no folder there is; allowed: a folder that is there; do: make it, or "
                "correct the address"
            )
        ]
    return ledger_faults(file)


def _server_faults(address: URL) -> list[str]:
    from sqlalchemy.exc import SQLAlchemyError

    from storage.checks import OPTUNA_TABLE

    shown = shown_url(address.render_as_string(hide_password=False))
    try:
        engine = _engine(address)
        tables = _tables(engine)
        engine.dispose()
    except ImportError:
        driver = address.get_driver_name()
        return [
            (
                f"--storage: got {shown}, whose driver {driver} is not installed; allowed: an installed driver; "
                "do: pip install 'psycopg[binary]' and write postgresql+psycopg://"
            )
        ]
    except SQLAlchemyError as error:
        reason = _first_line(error)
        return [
            f"--storage: got {shown}, which refuses ({reason}); allowed: a server that answers; do: mend that"
        ]
    # Migration tools keep one version to a schema, so another program's and Optuna's cannot be in the same.
    if "alembic_version" in tables and OPTUNA_TABLE not in tables:
        return [
            (
                f"--storage: got {shown}, which is another program's database (tables: "
                f"{', '.join(sorted(tables)[:3])}); allowed: one of Optuna's, or an empty one; do: createdb another"
            )
        ]
    return []


def _engine(address: URL) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError

    options = {"connect_timeout": CONNECT_SECONDS} if address.get_driver_name() in LIBPQ_DRIVERS else {}
    try:
        return create_engine(address, connect_args=options)
    except NoSuchModuleError as error:
        raise ImportError(str(error)) from None


def _tables(engine: Engine) -> set[str]:
    from sqlalchemy import inspect

    return set(inspect(engine).get_table_names())


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(error).__name__])[0][:300]
