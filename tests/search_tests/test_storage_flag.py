from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url, text

from search.command import BAD_INPUT

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {
    "run": [],
    "status": [],
    "sync": [],
    "promote": [],
    "replay": ["study", "0"],
    "show": ["study"],
    "compare": ["study", "0", "1"],
    "export": ["study", "study.zip"],
}
SECRET = "hunter2secret"  # noqa: S105 - that is the point
BAD = {
    "no address": f"u:{SECRET}@host",
    "a bad port": f"postgresql+psycopg://u:p/{SECRET}@host/d",
    "no such kind": f"nonsense://u:{SECRET}@host/d",
    "another kind": f"mysql://u:{SECRET}@host/d",
    "no driver": f"postgresql+pg8000://u:{SECRET}@host/d",
    "nobody there": f"postgresql+psycopg://u:{SECRET}@127.0.0.1:9/d",
    "a password in the options": f"postgresql+psycopg://u@127.0.0.1:9/d?password={SECRET}",
    "in memory": "sqlite://",
    "no folder": "sqlite:////no/such/folder/optuna.db",
}


def _fault(command: str, capsys: pytest.CaptureFixture[str], address: str) -> str:
    main = import_module(f"search.{command}").main
    assert main([*COMMANDS[command], "--storage", address]) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    return str(line)


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_bad_address_is_one_line(
    in_empty_folder: Path, capsys: pytest.CaptureFixture[str], command: str, what: str
) -> None:
    """Whatever is wrong with --storage is said in one line without its password, and nothing is made."""
    line = _fault(command, capsys, BAD[what])

    assert line.startswith("--storage: got ")
    assert "; allowed: " in line
    assert "; do: " in line
    assert SECRET not in line
    assert list(in_empty_folder.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_that_is_not_there(
    in_empty_folder: Path, capsys: pytest.CaptureFixture[str], command: str, postgresql_url: str
) -> None:
    """A server without such a database is named with its own words."""
    address = make_url(postgresql_url).set(database="nowhere").render_as_string(hide_password=False)

    assert 'database "nowhere" does not exist' in _fault(command, capsys, address)
    assert list(in_empty_folder.iterdir()) == []


@pytest.mark.usefixtures("in_empty_folder")
def test_another_programs_database(capsys: pytest.CaptureFixture[str], new_database: str) -> None:
    """MLflow's own database, or another that a migration tool looks after, is refused."""
    engine = create_engine(new_database)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num text)"))
        connection.execute(text("CREATE TABLE experiments (id int)"))
    engine.dispose()

    assert "another program's database (tables: alembic_version, experiments)" in _fault(
        "run", capsys, new_database
    )


@pytest.mark.usefixtures("in_empty_folder")
@pytest.mark.parametrize("command", ["promote", "replay", "sync"])
def test_an_empty_database_has_no_study(
    capsys: pytest.CaptureFixture[str], command: str, new_database: str
) -> None:
    """A command that only looks at studies says that there is none, and creates no tables."""
    main = import_module(f"search.{command}").main

    assert main([*COMMANDS[command], "--storage", new_database]) == BAD_INPUT

    assert "got no study here" in capsys.readouterr().err
    engine = create_engine(new_database)
    with engine.connect() as connection:
        tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        assert connection.execute(text(tables)).scalar_one() == 0
    engine.dispose()
