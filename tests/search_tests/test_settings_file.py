"""The settings file: found, strict about types, every fault with its line, paths from where it lies."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import run
from search.config import PromoteConfig, SearchConfig, StatusConfig
from search.flags import Parsed, parse_flags
from search.promote import main as promote
from search.settings.places import key_lines
from search.settings.schema import COMMITTED, schema_text, settings_schema

if TYPE_CHECKING:
    from pydantic import BaseModel

ROOT = Path(__file__).parents[2]


def _parsed(text: str, *argv: str, model: type[BaseModel] = SearchConfig) -> Parsed[Any]:
    Path("competition.toml").write_text(text, encoding="utf-8")
    return parse_flags(model, argv, command="run", about="About.")


def test_the_folders_file_is_used_and_said(in_empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --config the file of the current folder is read, with a line that says so; flags win."""
    assert in_empty_folder.is_dir()
    config = _parsed("trials = 7\nseed = 3", "--seed", "4").checked()

    assert (config.trials, config.seed) == (7, 4)
    assert capsys.readouterr().out.startswith("Settings: competition.toml (found in this folder")


def test_another_file_takes_its_place(
    in_empty_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --config the folder's own file is not looked at, and nothing needs to be said."""
    assert in_empty_folder.is_dir()
    other = tmp_path / "other.toml"
    other.write_text("trials = 9", encoding="utf-8")

    assert _parsed("trials = 'x'", "--config", str(other)).checked().trials == 9
    assert capsys.readouterr().out == ""


def test_one_file_serves_all_commands(in_empty_folder: Path) -> None:
    """A command takes its own settings out of the file and leaves the others to the others."""
    assert in_empty_folder.is_dir()
    text = 'target = "price"\nstudy = "rents"\nstorage = "sqlite:///a.db"\ntracking_uri = "b"\n[space]\nx = 1'

    assert _parsed(text, model=PromoteConfig).checked() == PromoteConfig(
        study="rents", storage="sqlite:///a.db"
    )
    assert _parsed(text, model=StatusConfig).checked().study == "rents"
    assert _parsed(text).checked().target == "price"


def test_paths_start_from_the_file(in_empty_folder: Path) -> None:
    """A path in a file is relative to the file, wherever the command runs; an absolute one stays."""
    (in_empty_folder / "deep").mkdir()
    path = in_empty_folder / "deep" / "c.toml"
    path.write_text('train = "a.csv"\ntest = "/data/b.csv"\nsample-submission = "../s.csv"', encoding="utf-8")

    config = parse_flags(SearchConfig, ["--config", "deep/c.toml"], command="run", about="").checked()

    assert config.train == Path("deep/a.csv")
    assert config.test == Path("/data/b.csv")
    assert config.sample_submission == Path("deep/../s.csv")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "\ntrials = -5",
            "competition.toml:2 trials: got -5; allowed: greater than or equal to 1; do: correct it",
        ),
        ('trials = "30"', "competition.toml:1 trials: got '30'; allowed: integer"),
        ("folds = 5.5", "competition.toml:1 folds: got 5.5; allowed: integer"),
        ('until-stable = "yes"', "competition.toml:1 until_stable: got 'yes'; allowed: boolean"),
        ("train = 3", "competition.toml:1 train: got 3; allowed: "),
        ("timeout = 1979-05-27", "competition.toml:1 timeout: got '1979-05-27'; allowed: number"),
        (
            'task = "guess"',
            "competition.toml:1 task: got 'guess'; allowed: 'regression', 'binary' or 'multiclass'",
        ),
        (
            "# hm\n\ntragets = 1",
            "competition.toml:3 tragets: got an unknown setting; allowed: storage, study",
        ),
        ('targte = "x"', "; do: write target"),
        ("xyzzy = 1", "; do: choose one"),
        ("force = true", "competition.toml:1 force: got an unknown setting"),
        ("seed = 1\nfolds = 3\n[spice]\nx = 1", "competition.toml:3 spice: got an unknown setting"),
        ("sample-submission = 's'\nsample_submission = 's'", "sample_submission: got it twice"),
        ("trials = 5\ntrials = 6", "Cannot overwrite a value"),
        ("trials: 5", "line 1"),
        (
            "[space]\nx = {low = 1, hihg = 2}",
            "competition.toml:2 [space] x.hihg: got an unknown key; allowed: low,",
        ),
        (
            "[space]\ny = 1\nx = {low = 3, high = 2}",
            "competition.toml:3 [space] x: got {'low': 3, 'high': 2}; allowed: low <= high",
        ),
        ("[space]\nx = {low = 0, log = true}", "competition.toml:2 [space] x: got "),
        ("[space.x]\nlow = 'a'", "competition.toml:2 [space] x.low: got 'a'; allowed: "),
        ("[space]\nx = [1, 1]", "allowed: each value once"),
        ("[space]\nx = []", "competition.toml:2 [space] x.choices: got ()"),
        ("[space]\nx = {low = inf, high = nan}", "competition.toml:2 [space] x.low: got "),
        ("space = 5", "competition.toml:1 space: got 5"),
    ],
)
def test_a_fault_has_its_line_and_key(in_empty_folder: Path, text: str, expected: str) -> None:
    """Each fault says where it is, what was got, what is allowed and what to do."""
    assert in_empty_folder.is_dir()
    faults = _parsed(text).faults

    assert expected in faults[0]
    assert len({fault.split(": got")[0] for fault in faults}) == 1 or "[space]" in faults[0]
    assert all("got " in fault and "; allowed: " in fault and "; do: " in fault for fault in faults)


def test_all_faults_at_once(in_empty_folder: Path) -> None:
    """Every bad key and value has its line in one go, and what is good is kept."""
    assert in_empty_folder.is_dir()
    parsed = _parsed('folds = 1\ncolour = "red"\nseed = 9\n[space]\na = {lo = 1}\nb = [2, 2]', "--rows", "x")

    assert [fault.split(": got")[0] for fault in parsed.faults] == [
        "competition.toml:2 colour",
        "competition.toml:1 folds",
        "competition.toml:5 [space] a.lo",
        "competition.toml:6 [space] b",
        "--rows",
    ]
    assert parsed.config == SearchConfig(seed=9)


def test_faults_of_the_data_have_the_line_too(
    in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What only the data or the objective can tell is named by file, line and key as well; a flag's fault is not."""
    (in_empty_folder / "a.csv").write_text(
        "id,x,y\n" + "".join(f"{i},{i % 7},{i}\n" for i in range(60)), "utf-8"
    )
    (in_empty_folder / "b.csv").write_text("id,x\n" + "".join(f"{i},{i % 7}\n" for i in range(9)), "utf-8")
    text = 'train = "a.csv"\ntest = "b.csv"\ntarget = "z"\nmetric = "rsme"\n[space]\nnum_leafs = 3\n'
    (in_empty_folder / "competition.toml").write_text(text, encoding="utf-8")

    assert run.main([]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert {line.split(": got")[0] for line in lines} == {
        "competition.toml:3 target",
        "competition.toml:4 metric",
    }
    assert run.main(["--target", "q", "--metric", "rmse"]) == 2
    assert capsys.readouterr().err.startswith("target: got 'q'")
    assert run.main(["--target", "y", "--metric", "rmse"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "competition.toml:6 [space] num_leafs: got an unknown parameter; allowed: learning_rate,"
    )
    assert line.endswith("do: write num_leaves")
    assert not (in_empty_folder / "mlruns").exists()


def test_a_file_may_be_faulty_where_a_command_does_not_look(
    in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typo in the file is told by every command, for it means that a setting is not what one thinks."""
    (in_empty_folder / "competition.toml").write_text("stroage = 'x'", encoding="utf-8")

    assert promote([]) == 2
    assert "competition.toml:1 stroage: got an unknown setting" in capsys.readouterr().err


KEYS = st.lists(st.sampled_from(["a", "b-c", "d_e", "日本"]), unique=True, min_size=1)
VALUES = st.sampled_from(
    ["1", '"x = 1"', "[\n  1,\n\n  2]", '"""\n[no]\nk = 1\n"""', "{ low = 1 }", "'#'  # c = 3"]
)
FILLERS = st.sampled_from(["", "# a = 1\n", "\n\n", "  # [space]\n"])


@given(st.data())
def test_lines_are_where_the_keys_are(data: st.DataObject) -> None:
    """Whatever comments, strings and lists over several lines are between, each key has its own line."""
    text, expected = "", {}
    for table in ("", "space"):
        if table:
            expected[table,] = text.count("\n") + 1
            text += f"[{table}]\n"
        for key in data.draw(KEYS):
            text += data.draw(FILLERS)
            quoted = f'"{key}"' if not key.isascii() else key
            expected[(table, key) if table else (key,)] = text.count("\n") + 1
            text += f"{quoted} = {data.draw(VALUES)}\n"

    lines = key_lines(text)

    assert tomllib.loads(text)
    assert {key: lines[key] for key in expected} == expected


def test_the_committed_schema_is_the_present_one() -> None:
    """Editors are told the settings that the commands take (python -m search.init --schema)."""
    assert COMMITTED.read_text(encoding="utf-8") == schema_text()


def test_the_schema_has_each_setting() -> None:
    """Each key is there with underscores and with hyphens, described, and none else is allowed."""
    schema = settings_schema()

    assert schema["additionalProperties"] is False
    for name, field in SearchConfig.model_fields.items():
        assert schema["properties"][name]["description"] == field.description
        assert name.replace("_", "-") in schema["properties"]
    assert "null" not in json.dumps(schema["properties"])


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").glob("*/competition.toml")), ids=lambda p: p.parent.name
)
def test_the_examples_are_valid(path: Path) -> None:
    """Each example passes its own validation, also with the lines for the real files put in force."""
    text = path.read_text(encoding="utf-8")
    lines = [line.removeprefix("# ") if " = " in line and '"' in line else line for line in text.splitlines()]
    real = tomllib.loads("\n".join(lines))

    assert parse_flags(SearchConfig, ["--config", str(path)], command="run", about="").faults == ()
    assert real.keys() >= {"train", "test", "target", "id", "sample_submission"}
    assert text.startswith("#:schema ../../docs/competition.schema.json\n")
