from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from storage.coordination.advisory import StudyLocks
from storage.coordination.seat import SoleSeat, at_rest, is_worked_on, take_seat
from storage.coordination.server import LockLostError
from storage.coordination.shared_seat import SharedSeat
from storage.layout import Layout
from storage.study_lock import StudyLockedError
from tests.search_tests.bodies import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STUDY = "rent"
HOLDER = """
import sys
from storage.coordination.shared_seat import SharedSeat
with SharedSeat(sys.argv[1], sys.argv[2]).taken() as seat:
    print(seat.name, flush=True)
    sys.stdin.read()
"""


@contextmanager
def _another(url: str, study: str = STUDY) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A coordinator in a process of its own, there until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url, study],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def _seat(url: str, study: str = STUDY) -> SharedSeat:
    return SharedSeat(url, study, grace_seconds=0.0)


def _sql(url: str, statement: str) -> list[object]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        found = list(connection.execute(text(statement)).scalars())
    engine.dispose()
    return found


def _wait_until_gone(seat: SharedSeat, name: str) -> None:
    # The server needs a moment to see that a connection is closed.
    wait_for(lambda: name in seat.dead([name]))


# Waits until each is gone: one that is only told to end is still seen a moment longer.
OTHERS = (
    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_only_the_dead_are_dead(new_database: str) -> None:
    """A coordinator that lives is not dead to another; killed, it is, whatever it held; nor is one itself."""
    with _seat(new_database).taken() as seat, _another(new_database) as (process, name):
        assert seat.dead([name, seat.name]) == frozenset()

        os.kill(process.pid, signal.SIGKILL)
        _wait_until_gone(seat, name)

        assert seat.dead([name, seat.name]) == {name}


def test_a_name_that_is_nobodys_is_dead(new_database: str) -> None:
    """A trial without an owner, or another program's, has nobody who could come back."""
    with _seat(new_database).taken() as seat:
        assert seat.dead(["", "host", "host:1:x"]) == {"", "host", "host:1:x"}


def test_the_missed_have_time_to_come_back(new_database: str) -> None:
    """Within the grace time nobody counts as dead."""
    seat = SharedSeat(new_database, STUDY, grace_seconds=3600.0)
    with seat.taken():
        assert seat.dead(["host:1:1"]) == frozenset()
        assert seat.dead(["host:1:1"]) == frozenset()


def test_first_and_last(new_database: str) -> None:
    """Who comes to an empty study is the first, who leaves one the last; other studies do not count."""
    with (
        _another(new_database, "other"),
        _seat(new_database).taken() as first,
        _seat(new_database).taken() as second,
    ):
        with first.leaving() as is_last:
            assert not is_last
        with second.leaving() as is_last:
            assert is_last
        assert (first.is_first, second.is_first) == (True, False)
        assert first.token != second.token


def test_a_restarted_server_finds_its_coordinators_again(new_database: str) -> None:
    """When all connections break, a coordinator takes its old place under its old name by itself."""
    with _another(new_database) as (_, name), _seat(new_database).taken() as seat:
        assert all(_sql(new_database, OTHERS))

        with _seat(new_database).taken() as newcomer:
            # Each comes back by itself, one maybe after the other.
            wait_for(lambda: not newcomer.dead([seat.name, name]))


def test_a_stopped_process_is_dropped(new_database: str) -> None:
    """A coordinator that gives no sign, as when it is stopped or its host is lost, is dropped by the server."""
    script = HOLDER.replace("sys.argv[2])", "sys.argv[2], silence_seconds=3.0)")
    with (
        subprocess.Popen(
            [sys.executable, "-c", script, new_database, STUDY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
        _seat(new_database).taken() as seat,
    ):
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGSTOP)
        _wait_until_gone(seat, name)
        os.kill(process.pid, signal.SIGCONT)
        wait_for(lambda: not seat.dead([name]))
        process.kill()


def test_one_at_a_time(new_database: str) -> None:
    """Of many threads with connections of their own only one is alone at a study."""
    inside, most = 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        locks = StudyLocks(new_database, STUDY)
        for _ in range(10):
            with locks.alone():
                with guard:
                    inside += 1
                    most = max(most, inside)
                with guard:
                    inside -= 1
        locks.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def test_a_lost_lock_is_noticed(new_database: str) -> None:
    """Who is cut off while it is alone learns so at the end of the block."""
    locks = StudyLocks(new_database, STUDY)
    with pytest.raises(LockLostError), locks.alone():
        _sql(new_database, OTHERS)
    with locks.alone():
        pass
    locks.close()


def test_who_holds_up_the_others_loses_the_lock(new_database: str) -> None:
    """A coordinator stopped while it is alone at a study does not stop all for ever."""
    stopped, other = StudyLocks(new_database, STUDY), StudyLocks(new_database, STUDY)
    with pytest.raises(LockLostError), stopped.alone(patience_seconds=0.5), other.alone():
        pass
    stopped.close()
    other.close()


def test_many_record_while_nobody_mends(new_database: str) -> None:
    """Recording goes on side by side; mending waits for it."""
    one, two = StudyLocks(new_database, STUDY), StudyLocks(new_database, STUDY)
    with one.recording(), two.recording():
        waiting = threading.Thread(target=lambda: two.mending().__enter__(), daemon=True)
        waiting.start()
        query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_for(lambda: _sql(new_database, query) != [0])
        assert waiting.is_alive()
    waiting.join()


def test_a_study_at_rest_has_no_coordinator(new_database: str) -> None:
    """What needs a study at rest is refused with host and process of who works on it, and goes through later."""
    layout = Layout(storage=new_database)
    with _another(new_database) as (process, _):
        assert is_worked_on(layout, STUDY)
        with pytest.raises(StudyLockedError, match=rf"process {process.pid} on "), at_rest(layout, STUDY):
            pass
        with at_rest(layout, "other"):
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_for(lambda: not is_worked_on(layout, STUDY))
    with at_rest(layout, STUDY):
        pass


def test_a_file_has_one_coordinator(tmp_path: Path) -> None:
    """On SQLite the second is refused, also when it names the file of another project."""
    home = Layout(tmp_path)
    elsewhere = Layout(tmp_path / "elsewhere", storage=f"sqlite:///{home.optuna_db}")
    with take_seat(home, STUDY) as seat:
        assert isinstance(seat, SoleSeat)
        assert is_worked_on(elsewhere, STUDY)
        with pytest.raises(StudyLockedError, match=f"process {os.getpid()} on "), take_seat(elsewhere, STUDY):
            pass
    with take_seat(elsewhere, STUDY):
        pass
