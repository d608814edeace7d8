from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import optuna
import pytest

from storage.ledger import open_ledger

if TYPE_CHECKING:
    from pathlib import Path


def _settings(storage: Any) -> list[tuple[str, int, int]]:
    # Two connections at once, so that the second is not the first one again.
    with storage.engine.connect() as first, storage.engine.connect() as second:
        return [
            (
                connection.exec_driver_sql("PRAGMA journal_mode").scalar_one(),
                connection.exec_driver_sql("PRAGMA synchronous").scalar_one(),
                connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one(),
            )
            for connection in (first, second)
        ]


def test_every_connection_is_patient(tmp_path: Path) -> None:
    """Each connection has the write-ahead log, normal syncing and 60 s of patience, after pickling too."""
    storage = open_ledger(f"sqlite:///{tmp_path}/new/folder/optuna.db")

    assert _settings(storage) == [("wal", 1, 60_000)] * 2
    assert _settings(pickle.loads(pickle.dumps(storage))) == [("wal", 1, 60_000)] * 2  # noqa: S301 - our own


def test_a_study_lives_in_it(tmp_path: Path) -> None:
    """What one storage wrote another reads."""
    url = f"sqlite:///{tmp_path}/optuna.db"
    study = optuna.create_study(storage=open_ledger(url), study_name="a")
    study.tell(study.ask(), 1.5)

    assert optuna.load_study(storage=open_ledger(url), study_name="a").best_value == 1.5


def test_a_text_that_is_no_url_is_refused() -> None:
    """The message says what a URL looks like, and does not repeat what may be a password."""
    with pytest.raises(ValueError, match=r"allowed: sqlite:///PATH or postgresql\+psycopg://") as caught:
        open_ledger("optuna secret")

    assert "secret" not in str(caught.value)
