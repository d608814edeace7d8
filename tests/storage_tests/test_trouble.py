from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import optuna
import pytest

from storage.checks import storage_faults
from storage.ledger import open_ledger
from storage.trouble import storage_trouble

if TYPE_CHECKING:
    from pathlib import Path

    from storage.layout import Layout


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "got no room to write in mlruns (No space left on device)",
        ),
        (
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            "got no room to write in mlruns (Disk quota exceeded)",
        ),
        (
            sqlite3.OperationalError("database or disk is full"),
            "got no room to write in mlruns (database or disk",
        ),
        (sqlite3.OperationalError("disk I/O error"), "got no room to write in mlruns (disk I/O error)"),
        (
            sqlite3.OperationalError("database is locked"),
            "got a database in mlruns that another program holds",
        ),
        (sqlite3.OperationalError("attempt to write a readonly database"), "got a read-only database"),
        (OSError(errno.ENOENT, "No such file"), None),
        (sqlite3.OperationalError("no such table: trials"), None),
        (ValueError("disk is full of nonsense"), None),
    ],
)
def test_trouble_is_said_in_words(error: Exception, said: str | None) -> None:
    """What the disk or the database is to blame for gets one line, however deep it lies; all else is an error."""
    wrapped = RuntimeError("while closing")
    wrapped.__context__ = KeyError("trial")
    wrapped.__context__.__cause__ = error

    for one in (error, wrapped):
        line = storage_trouble(one)
        assert (line is None) if said is None else (line is not None and line.startswith(said))
        assert line is None or ("; allowed: " in line and "; do: " in line and "\n" not in line)


def test_a_chain_in_a_circle_ends() -> None:
    """Errors that name each other as their cause are looked through once."""
    one, other = ValueError("one"), KeyError("other")
    one.__cause__, other.__cause__ = other, one

    assert storage_trouble(one) is None


def test_a_held_ledger_is_recognised_through_optuna(tmp_path: Path) -> None:
    """What Optuna makes of a database that another program holds is seen through."""
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    optuna.create_study(storage=open_ledger(url), study_name="held")
    hasty = optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 0}})
    study = optuna.load_study(study_name="held", storage=hasty)
    with closing(sqlite3.connect(tmp_path / "optuna.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(optuna.exceptions.StorageInternalError) as caught:
            study.set_user_attr("a", 1)

    assert "another program holds" in str(storage_trouble(caught.value))


def test_a_full_disk_is_no_reason_to_move_a_database_away(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a database cannot be opened for want of space, the advice is to make some."""

    def refuse(*_args: object) -> set[str]:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("storage.checks._tables", refuse)
    (fault,) = storage_faults(layout)

    assert "do: free some" in fault
    assert "mv " not in fault
