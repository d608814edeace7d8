"""The ledger opened so that nothing can be written to it, whatever asks for it."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage, _StudyInfo

from storage.ledger_address import LIBPQ_DRIVERS, parse_url
from storage.ledger_trials import PORTION, stored_trials, trial_ids

if TYPE_CHECKING:
    from pathlib import Path

    from storage.layout import Layout

BUSY_SECONDS = 20


class ReadLedger(_CachedStorage):
    """Optuna's cache of a database that it reads fast at first, and then only what is new.

    Optuna's own first reading of 10,000 trials takes half a minute. Usable from any thread.

    Args:
        backend: The database.
    """

    def __init__(self, backend: RDBStorage) -> None:
        super().__init__(backend)
        self._first_reading = threading.Lock()

    def close(self) -> None:
        """Closes idle connections; one in use is closed when it is given back."""
        self._backend.engine.dispose()

    def _read_trials_from_remote_storage(self, study_id: int) -> None:
        with self._first_reading:
            if not self._studies.setdefault(study_id, _StudyInfo()).trials:
                self._read_finished(study_id)
        super()._read_trials_from_remote_storage(study_id)

    def _read_finished(self, study_id: int) -> None:
        last = -1
        for portion in stored_trials(self._backend, study_id, PORTION):
            with self._lock:
                self._add_trials_to_cache(study_id, portion)
            last = portion[-1]._trial_id  # noqa: SLF001 - what the cache goes by
        with self._lock:
            study = self._studies[study_id]
            known = {trial._trial_id for trial in study.trials.values()}  # noqa: SLF001
            # Those that were not finished when their portion was read: Optuna reads them from here on.
            study.unfinished_trial_ids |= {
                one for one in trial_ids(self._backend, study_id) if one <= last
            } - known
            study.last_finished_trial_id = last


def open_read_ledger(layout: Layout) -> ReadLedger | None:
    """Opens a project's ledger for reading only; None where there is none yet.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: If the database cannot be reached, or its tables are not yet all there.
        ImportError: If the driver that the address names is not installed.
    """
    file = layout.ledger_file
    if file is not None and not (file.is_file() and file.stat().st_size):
        return None
    settings = _server_settings(layout.ledger_url) if file is None else _file_settings(file)
    return ReadLedger(RDBStorage(layout.ledger_url, engine_kwargs=settings, skip_table_creation=True))


def read_only_uri(file: Path) -> str:
    """Returns SQLite's own address of a file that is only read; a file that is not there is not made."""
    return f"file:{quote(file.resolve().as_posix())}?mode=ro"


def _file_settings(file: Path) -> dict[str, Any]:
    address = read_only_uri(file)

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)

    return {"creator": connect}


def _server_settings(url: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"pool_pre_ping": True}
    if parse_url(url).get_driver_name() in LIBPQ_DRIVERS:
        settings["connect_args"] = {"options": "-c default_transaction_read_only=on", "connect_timeout": 10}
    return settings
