"""Bad input, fault by fault: one line that says got, allowed and do; exit 2; nothing made or changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from search import baseline, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Tables = dict[str, pd.DataFrame]


def _tables() -> Tables:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"id": range(80), "area": rng.uniform(20, 90, 80), "kind": rng.choice(["a", "b"], 80)}
    )
    table["rent"] = 1_000.5 * table["area"]
    return {"train": table[:60], "test": table[60:].drop(columns="rent")}


def _flags(home: Path, tables: Tables) -> list[str]:
    for name, table in tables.items():
        table.to_csv(home.parent / f"{name}.csv", index=False)
    return [
        "--train",
        str(home.parent / "train.csv"),
        "--test",
        str(home.parent / "test.csv"),
        "--target",
        "rent",
    ]


def _snapshot(home: Path) -> dict[str, Any]:
    return {str(path): path.is_file() and path.read_bytes() for path in sorted(home.rglob("*"))}


def _missing_values(tables: Tables) -> None:
    tables["train"] = tables["train"].assign(rent=[np.nan, *tables["train"]["rent"][1:]])


def _text_in_target(tables: Tables) -> None:
    tables["train"] = tables["train"].assign(rent=["dear", *tables["train"]["rent"].astype(str)[1:]])


def _constant_target(tables: Tables) -> None:
    tables["train"] = tables["train"].assign(rent=5.0)


def _no_target(tables: Tables) -> None:
    tables["train"] = tables["train"].drop(columns="rent")


def _repeated_id(tables: Tables) -> None:
    tables["test"] = tables["test"].assign(id=7)


def _no_id(tables: Tables) -> None:
    tables["test"] = tables["test"].drop(columns="id")


def _leaked_target(tables: Tables) -> None:
    tables["test"] = tables["test"].assign(rent=1.0)


def _nothing_in_common(tables: Tables) -> None:
    tables["test"] = tables["test"].rename(columns={"area": "size", "kind": "sort"})


def _rare_class(tables: Tables) -> None:
    tables["train"] = tables["train"].assign(rent=["hut", *["flat", "house", "room"] * 19, "flat", "flat"])


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_missing_values, "1 missing values in 'rent'"),
        (_text_in_target, "'dear'"),
        (_constant_target, "constant 'rent'"),
        (_no_target, "'rent', not a column of"),
        (_repeated_id, "repeats of 'id'"),
        (_no_id, "'id', not a column of"),
        (_leaked_target, "drop it from the test file"),
        (_nothing_in_common, "no feature in common"),
        (_rare_class, "'hut' (1 rows)"),
    ],
)
@pytest.mark.parametrize("command", [run.main, baseline.main], ids=["run", "baseline"])
def test_unusable_tables(
    command: Callable[[list[str]], int],
    spoil: Callable[[Tables], None],
    named: str,
    in_empty_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Tables that cannot be searched are refused before anything is made."""
    tables = _tables()
    spoil(tables)

    assert command(_flags(in_empty_folder, tables)) == 2
    _assert_one_line(capsys, named)
    assert _snapshot(in_empty_folder) == {}


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--train", "absent.csv"], "absent.csv: no such file"),
        (["--test", "table.xlsx"], "table.xlsx, an unknown kind of file"),
        (["--metric", "rsme"], "'rsme'"),
        (["--task", "regression", "--metric", "auc"], "'auc'"),
        (["--trials", "-3"], "'-3'"),
        (["--folds", "1"], "'1'"),
        (["--categorical", "colour"], "'colour'"),
        (["--sample-submission", "absent.csv"], "absent.csv"),
        (["--strict"], "leak: got 'area', copy of 'rent'"),
    ],
)
def test_unusable_settings(
    more: list[str], named: str, in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings that do not fit the data, or nothing at all, are refused before anything is made."""
    assert run.main([*_flags(in_empty_folder, _tables()), *more]) == 2
    _assert_one_line(capsys, named)
    assert _snapshot(in_empty_folder) == {}


def _file_for_folder(home: Path) -> None:
    (home / "mlruns").write_text("mine", encoding="utf-8")


def _other_database(home: Path) -> None:
    (home / "mlruns").mkdir()
    with closing(sqlite3.connect(home / "mlruns" / "optuna.db")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


def _no_database(home: Path) -> None:
    (home / "mlruns").mkdir()
    (home / "mlruns" / "optuna.db").write_text("notes, not a database", encoding="utf-8")


def _old_file_store(home: Path) -> None:
    (home / "mlruns" / "0").mkdir(parents=True)
    (home / "mlruns" / "0" / "meta.yaml").write_text("name: Default", encoding="utf-8")


def _database_of_their_own(home: Path) -> None:
    with closing(sqlite3.connect(home / "mlflow.db")) as connection:
        connection.execute("CREATE TABLE experiments (name TEXT)")


STORAGE = pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_file_for_folder, "a file named mlruns"),
        (_other_database, "another program's database (tables: recipes)"),
        (_no_database, "not an SQLite file"),
        (_old_file_store, "an old MLflow file store"),
        (_database_of_their_own, "mlflow.db, another database"),
    ],
)


@STORAGE
def test_unusable_storage(
    spoil: Callable[[Path], None], named: str, in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is in the way of our files is named and left as it is."""
    spoil(in_empty_folder)
    before = _snapshot(in_empty_folder)

    assert run.main(_flags(in_empty_folder, _tables())) == 2
    _assert_one_line(capsys, named)
    assert _snapshot(in_empty_folder) == before


@STORAGE
def test_unusable_storage_for_the_sample(
    spoil: Callable[[Path], None], named: str, in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sample is not written where nothing can be stored beside it."""
    spoil(in_empty_folder)
    before = _snapshot(in_empty_folder)

    assert run.main([]) == 2
    _assert_one_line(capsys, named)
    assert _snapshot(in_empty_folder) == before


@pytest.mark.parametrize("command", [run.main, baseline.main], ids=["run", "baseline"])
def test_faults_of_all_kinds_at_once(
    command: Callable[[list[str]], int], in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings, storage and data are mended in one go, not in three."""
    tables = _tables()
    _no_id(tables)
    _constant_target(tables)
    _old_file_store(in_empty_folder)

    assert command([*_flags(in_empty_folder, tables), "--folds", "x", "--metric", "rsme"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    for named in ("--folds: got 'x'", "file store", "constant", "'id', not a column of", "'rsme'"):
        assert sum(named in line for line in lines) == 1


def test_data_by_halves(in_empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Own data means training table, test table and target; what is missing is named."""
    flags = _flags(in_empty_folder, _tables())

    assert run.main(flags[:2]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["--test", "--target"]
    assert _snapshot(in_empty_folder) == {}


def test_a_damaged_ledger_is_left_alone(in_empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A ledger that cannot be read is a fault, not a reason to begin a new one."""
    (in_empty_folder / "mlruns").mkdir()
    (in_empty_folder / "mlruns" / "optuna.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 500)
    before = _snapshot(in_empty_folder)

    assert run.main(_flags(in_empty_folder, _tables())) == 2
    _assert_one_line(capsys, "optuna.db")
    assert _snapshot(in_empty_folder) == before


def _assert_one_line(capsys: pytest.CaptureFixture[str], named: str) -> None:
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert named in line
    assert "got " in line
    assert "allowed" in line
    assert captured.out == ""
