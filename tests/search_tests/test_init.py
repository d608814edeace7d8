"""A settings file written for data: right guesses, reasons, nothing overwritten, and it runs."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from search import init
from search.competition import open_competition
from search.config import SearchConfig
from search.flags import parse_flags
from search.settings.schema import schema_text
from storage.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import CsvPair


def _written(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "competition.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("pair", ["lucas_csvs", "binary_csvs", "multiclass_csvs", "regression_csvs"])
def test_what_it_writes_is_right_and_runs(
    pair: str, in_empty_folder: Path, request: pytest.FixtureRequest
) -> None:
    """Target, id and task are found, the file passes its own validation, and the search opens its data."""
    csvs: CsvPair = request.getfixturevalue(pair)

    assert init.main(["--train", str(csvs.train), "--test", str(csvs.test)]) == 0

    config = parse_flags(SearchConfig, [], command="run", about="").checked()
    assert (config.target, config.id) == (csvs.target, csvs.id)
    assert config.train is not None
    assert config.train.resolve() == csvs.train
    competition = open_competition(config, Layout())
    assert competition.dataset.task == config.task
    assert competition.dataset.metric.name == config.metric
    assert list(in_empty_folder.iterdir()) == [in_empty_folder / "competition.toml"]


def _tables(folder: Path, train: dict[str, list[Any]], test: dict[str, list[Any]]) -> list[str]:
    pd.DataFrame(train).to_csv(folder / "train.csv", index=False)
    pd.DataFrame(test).to_csv(folder / "test.csv", index=False)
    return ["--train", str(folder / "train.csv"), "--test", str(folder / "test.csv")]


def _listings(rows: int, first_month: int) -> dict[str, list[Any]]:
    return {
        "物件番号": [f"{i:05d}" for i in range(rows)],
        "area": [20.5 + i for i in range(rows)],
        "building_id": [f"b{i % 20}" for i in range(rows)],
        "structure_type": [i % 5 for i in range(rows)],
        "target_ym": [first_month + i % 3 for i in range(rows)],
    }


def test_the_reasons_are_in_comments(in_empty_folder: Path) -> None:
    """Groups, times and codes are proposed with their figures, and nothing of that is in force."""
    train = _listings(60, 202201) | {"rent": [50_000 + i for i in range(60)], "note": ["x"] * 60}
    flags = _tables(in_empty_folder, train, _listings(30, 202301))
    (in_empty_folder / "s.csv").write_text("".join(f"{i:05d},0\n" for i in range(30)), encoding="utf-8")

    assert init.main([*flags, "--target", "rent", "--sample-submission", str(in_empty_folder / "s.csv")]) == 0

    text = (in_empty_folder / "competition.toml").read_text(encoding="utf-8")
    assert _written(in_empty_folder) == {
        "train": "train.csv",
        "test": "test.csv",
        "target": "rent",
        "id": "物件番号",
        "sample_submission": "s.csv",
        "task": "regression",
        "metric": "rmse",
        "trials": 200,
    }
    for said in (
        'target = "rent"  # as you said',
        "its values are the first column of the sample submission",
        "no header; first id 00000",
        'categorical = ["structure_type"]',
        '# group = "building_id"  # 20 values, 3.0 rows each',
        '# time = "target_ym"  # 100% of the test rows are later than all training rows',
        "In the training file only, and not used: note",
    ):
        assert said in text


def test_what_cannot_be_guessed_is_asked_for(
    in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two candidates for the target and none for the id are two faults with the choices, and no file is made."""
    flags = _tables(in_empty_folder, {"a": [1, 1], "y": [1, 2], "z": [3, 4]}, {"a": [1, 1]})
    before = set(in_empty_folder.iterdir())

    assert init.main(flags) == 2

    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["--target", "--id"]
    assert "allowed: one of them (y, z)" in lines[0]
    assert set(in_empty_folder.iterdir()) == before


def test_the_sample_decides_between_targets(in_empty_folder: Path) -> None:
    """Of several columns that the test file lacks, the one in the sample submission's header is the target."""
    train = {"id": [*range(60)], "x": [1.5] * 30 + [2.5] * 30, "y": [*range(60)], "z": [*range(60)]}
    flags = _tables(in_empty_folder, train, {"id": [7, 8], "x": [1.5, 2.5]})
    (in_empty_folder / "s.csv").write_text("id,z\n7,0\n8,0\n", encoding="utf-8")

    assert init.main([*flags, "--sample-submission", str(in_empty_folder / "s.csv")]) == 0
    assert _written(in_empty_folder)["target"] == "z"


def test_nothing_is_overwritten(
    in_empty_folder: Path, regression_csvs: CsvPair, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is there stays as it is, whatever is in it, until --force is given."""
    output = in_empty_folder / "competition.toml"
    output.write_text("mine = ", encoding="utf-8")
    flags = ["--train", str(regression_csvs.train), "--test", str(regression_csvs.test)]

    assert init.main(flags) == 2
    assert "--output: got competition.toml, which is there" in capsys.readouterr().err
    assert output.read_text(encoding="utf-8") == "mine = "
    assert init.main([*flags, "--force"]) == 0
    assert _written(in_empty_folder)["target"] == regression_csvs.target


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ([], ["--train: got nothing", "--test: got nothing"]),
        (["--train", "no.csv", "--test", "no.xlsx"], ["no.csv: no such file", "no.xlsx, an unknown kind"]),
        (["--train", "a", "--test", "b", "--output", "no/c.toml"], ["in a folder that is not there"]),
        (["--config", "x.toml"], ["got --config, unknown here"]),
    ],
)
def test_bad_input(
    flags: list[str], named: list[str], in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is missing or cannot be read is named at once, and nothing is made."""
    assert init.main(flags) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(named)
    assert all(name in line for name, line in zip(named, lines, strict=True))
    assert list(in_empty_folder.iterdir()) == []


def test_the_schema_is_printed_or_written(in_empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--schema` prints the schema, or writes it where --output says."""
    assert init.main(["--schema"]) == 0
    assert capsys.readouterr().out == schema_text()
    assert init.main(["--schema", "--output", "s.json"]) == 0
    assert json.loads((in_empty_folder / "s.json").read_text(encoding="utf-8")) == json.loads(schema_text())
