"""What stands in the way of storing anything, found before anything is changed."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from typing import TYPE_CHECKING

from storage.trouble import is_full

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.layout import Layout

SQLITE_HEADER = b"SQLite format 3\x00"
OPTUNA_TABLE = "studies"
MLFLOW_TABLE = "experiments"
FULL_DISK = "which cannot be opened without room to write"


def storage_faults(layout: Layout) -> list[str]:
    """Finds what would stop the product from storing its state, and changes nothing.

    Returns:
        One line per fault (what is there, what is allowed, what to do); empty when all is well.
    """
    faults = list(_folder_faults(layout))
    faults += _named_ledger_faults(layout)
    if not layout.mlruns.is_dir():
        return faults + list(_link_faults(layout))
    if layout.storage is None:
        faults += _database_faults(layout.optuna_db, "Optuna", OPTUNA_TABLE)
    # A server of the user's own has no business with the local file.
    if layout.tracking_uri.startswith("sqlite:"):
        faults += _database_faults(layout.mlflow_db, "MLflow", MLFLOW_TABLE)
        faults += _file_store_faults(layout.mlruns)
    return faults + list(_link_faults(layout))


def ledger_faults(path: Path) -> list[str]:
    """Finds what would stop a SQLite file from being a ledger, as `storage_faults` does for the project's own."""
    return list(_database_faults(path, "Optuna", OPTUNA_TABLE))


def _named_ledger_faults(layout: Layout) -> list[str]:
    if layout.storage is None:
        return []
    from storage.ledger_address import address_faults

    return address_faults(layout)


def _folder_faults(layout: Layout) -> Iterator[str]:
    mlruns = layout.mlruns
    if mlruns.exists() and not mlruns.is_dir():
        yield f"got a file named {mlruns}; allowed: a folder, or nothing yet; do: rename the file"
    elif mlruns.is_dir():
        reason = _write_refusal(mlruns)
        if reason:
            yield f"got folder {mlruns} ({reason}); allowed: a writable one; do: chmod, remount or free space"
    elif not os.access(layout.home, os.W_OK | os.X_OK):
        where = layout.home.resolve()
        yield f"got no right to make {mlruns} in {where}; allowed: a writable folder; do: run elsewhere"


def _write_refusal(folder: Path) -> str:
    # os.access says yes to root on a full disk or a FUSE mount; only writing tells.
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe") as probe:
            probe.write(b"\0")
            probe.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _database_faults(path: Path, program: str, table: str) -> Iterator[str]:
    found = _database_state(path, table)
    if found == FULL_DISK:
        yield f"got {path}, {found}; allowed: a disk and a quota with room; do: free some (see df -h . and quota)"
    elif found:
        yield (
            f"got {path}, {found}; allowed: a database of {program}'s, or nothing yet; "
            f"do: move it away (mv {path} {path}.old)"
        )


def _database_state(path: Path, table: str) -> str:
    if not path.exists():
        return ""
    if not path.is_file():
        return "which is a folder"
    try:
        return _foreign_tables(path, table)
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            return FULL_DISK
        return f"which cannot be read ({error})"


def _foreign_tables(path: Path, table: str) -> str:
    with path.open("rb") as file:
        header = file.read(len(SQLITE_HEADER))
    if header and header != SQLITE_HEADER:
        return "which is not an SQLite file"
    if not os.access(path, os.W_OK):
        return "which is read-only"
    tables = _tables(path) if header else set()
    # Another program's migration table alone is what a creation cut short leaves behind.
    if tables - {"alembic_version"} and table not in tables:
        return f"which is another program's database (tables: {', '.join(sorted(tables)[:3])})"
    return ""


def _tables(path: Path) -> set[str]:
    # Without a write-ahead log beside the file nobody has it open, and an ordinary read-only connection
    # would leave two files behind; with one, the newest tables may be in there.
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=10)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {str(name) for (name,) in rows if not name.startswith("sqlite_")}


def _link_faults(layout: Layout) -> Iterator[str]:
    link = layout.mlflow_link
    if not layout.tracking_uri.startswith("sqlite:") or not (link.is_symlink() or link.exists()):
        return
    if link.resolve() != layout.mlflow_db.resolve():
        yield (
            f"got {link}, another database than {layout.mlflow_db}, and plain `mlflow ui` would show it; "
            f"allowed: a link to {layout.mlflow_db}, or nothing; do: move it away (mv {link} {link}.old)"
        )


def _file_store_faults(mlruns: Path) -> Iterator[str]:
    # A folder of digits without meta.yaml is where our own artifacts are.
    left = [path.parent for path in mlruns.glob("*/meta.yaml") if path.parent.name.isdigit()]
    left += [path for path in [mlruns / ".trash"] if path.exists()]
    if left:
        names = ", ".join(sorted(path.name for path in left))
        yield (
            f"got an old MLflow file store in {mlruns} (folders {names}), with which `mlflow ui` refuses to "
            f"start; allowed: SQLite only; do: move these folders into a new folder "
            f"{mlruns}_old, then bring their runs over: python -m search.migrate {mlruns}_old"
        )
