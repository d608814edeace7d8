"""Flags, TOML keys and help: each setting once, every fault at once."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import search
from search import __main__ as listing
from search.config import DataConfig, PromoteConfig, SearchConfig, StatusConfig
from search.faults import InputFaults
from search.flags import Parsed, parse_flags

if TYPE_CHECKING:
    from pydantic import BaseModel

COMMANDS: dict[str, type[BaseModel]] = {
    "run": SearchConfig,
    "baseline": DataConfig,
    "splits": DataConfig,
    "promote": PromoteConfig,
    "status": StatusConfig,
}
SETTINGS: dict[str, tuple[str, str, Any]] = {
    # name: (text of the flag, none for a switch; TOML value; what comes of both)
    "study": ("rents", '"rents"', "rents"),
    "train": ("a.csv", '"a.csv"', Path("a.csv")),
    "test": ("b.csv", '"b.csv"', Path("b.csv")),
    "target": ("money_room", '"money_room"', "money_room"),
    "id": ("key", '"key"', "key"),
    "task": ("binary", '"binary"', "binary"),
    "metric": ("auc", '"auc"', "auc"),
    "metric_direction": ("max", '"max"', "max"),
    "objective": ("lightgbm, own.py:Mine", '["lightgbm", "own.py:Mine"]', ("lightgbm", "own.py:Mine")),
    "loss": ("l2, huber", '["l2", "huber"]', ("l2", "huber")),
    "target_transform": ("log1p,per:area", '["log1p", "per:area"]', ("log1p", "per:area")),
    "categorical": ("a, b", '["a", "b"]', ("a", "b")),
    "features": ("mine.py", '"mine.py"', Path("mine.py")),
    "tags": ("a, b", '["a", "b"]', ("a", "b")),
    "text": ("note", '["note"]', ("note",)),
    "months": ("built", '["built"]', ("built",)),
    "geo": ("lat:lon", '["lat:lon"]', ("lat:lon",)),
    "calendar": ("day", '["day"]', ("day",)),
    "target_encode": ("city", '["city"]', ("city",)),
    "sample_submission": ("s.csv", '"s.csv"', Path("s.csv")),
    "prediction_column": ("price", '"price"', "price"),
    "folds": ("3", "3", 3),
    "seed": ("7", "7", 7),
    "split": ("group", '"group"', "group"),
    "group": ("city", '"city"', "city"),
    "time": ("sale_date", '"sale_date"', "sale_date"),
    "gap": ("2", "2", 2),
    "fold_column": ("fold", '"fold"', "fold"),
    "repeats": ("3", "3", 3),
    "strict": ("", "true", True),
    "experiment": ("compare", '"compare"', "compare"),
    "rows": ("500", "500", 500),
    "trials": ("30", "30", 30),
    "timeout": ("1.5", "1.5", 1.5),
    "until_stable": ("", "true", True),
    "workers": ("0", "0", 0),
    "threads": ("2", "2", 2),
    "cluster": ("tcp://host:8786", '"tcp://host:8786"', "tcp://host:8786"),
    "trial_timeout": ("60", "60", 60.0),
    "memory_per_worker": ("1.5", "1.5", 1.5),
    "storage": ("sqlite:///a.db", '"sqlite:///a.db"', "sqlite:///a.db"),
    "trial": ("4", "4", 4),
}
EVERY = [
    (command, name) for command, model in COMMANDS.items() for name in model.model_fields if name != "space"
]


def _parse(command: str, *argv: str) -> Parsed[Any]:
    return parse_flags(COMMANDS[command], argv, command=command, about="About.")


def _toml(folder: Path, text: str) -> str:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("command", "name"), EVERY)
def test_every_setting_is_a_flag_and_a_key(command: str, name: str, tmp_path: Path) -> None:
    """A setting means the same on the command line and in a file, with dashes or underscores there."""
    flag, value, expected = SETTINGS[name]
    dashed = name.replace("_", "-")
    by_flag = _parse(command, f"--{dashed}", *([flag] if flag else []))
    in_file = [
        _parse(command, "--config", _toml(tmp_path, f"{key} = {value}")).checked() for key in (name, dashed)
    ]

    # A path in a file starts from the file.
    there = tmp_path / expected if isinstance(expected, Path) else expected
    assert getattr(by_flag.checked(), name) == expected
    assert [getattr(config, name) for config in in_file] == [there] * 2


def test_a_flag_wins_over_the_file(tmp_path: Path) -> None:
    """What is typed now counts more than what was written down; the rest of the file stays."""
    config = _parse("run", "--config", _toml(tmp_path, "trials = 5\nseed = 6"), "--trials", "9").checked()

    assert (config.trials, config.seed) == (9, 6)


def test_a_flag_mends_a_bad_key(tmp_path: Path) -> None:
    """A bad value in the file is no fault where a flag overrules it."""
    assert _parse("run", "--config", _toml(tmp_path, "trials = -5"), "--trials", "9").checked().trials == 9


def test_all_bad_settings_at_once(tmp_path: Path) -> None:
    """One line for each bad flag, key and value, and what was good is kept."""
    source = _toml(tmp_path, 'folds = 1\ncolour = "red"\nseed = 9')
    parsed = _parse("run", "--trials", "-1", "--workers", "many", "--colour", "--config", source)

    assert len(parsed.faults) == 5
    assert all("got " in fault and "allowed: " in fault and "do: " in fault for fault in parsed.faults)
    for named in (
        "--trials: got '-1'",
        "--workers: got 'many'",
        "got --colour",
        "toml:1 folds",
        "toml:2 colour",
    ):
        assert sum(named in fault for fault in parsed.faults) == 1
    assert parsed.config == SearchConfig(seed=9)
    with pytest.raises(InputFaults):
        parsed.checked()


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["--trials"], "--trials"),
        (["--config", "absent.toml"], "absent.toml"),
        (["stray"], "stray"),
        (["--tria", "5"], "--tria"),
        (["--task", "guess"], "'guess'"),
        (["--trials", "2.5"], "'2.5'"),
        (["--timeout", "0"], "'0'"),
        (["--timeout", "nan"], "'nan'"),
        (["--study", "a/b"], "'a/b'"),
        (["--study", ""], "''"),
    ],
)
def test_a_bad_argument_is_one_line_and_exit_2(
    argv: list[str], named: str, capsys: pytest.CaptureFixture[str], in_empty_folder: Path
) -> None:
    """The line names what was got, what is allowed and what to do."""
    from search.run import main

    assert main(argv) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert named in line
    assert "got " in line
    assert "allowed: " in line
    assert "do: " in line
    assert list(in_empty_folder.iterdir()) == []


def test_a_file_that_is_no_toml_is_one_fault(tmp_path: Path) -> None:
    """The reason is given, not a traceback."""
    (fault,) = _parse("run", "--config", _toml(tmp_path, "trials: 5")).faults

    assert "not readable" in fault


@pytest.mark.parametrize("command", COMMANDS)
def test_help_mentions_every_flag(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` has each setting with its description."""
    module = importlib.import_module(f"search.{command}")
    with pytest.raises(SystemExit) as end:
        module.main(["--help"])

    text = capsys.readouterr().out
    assert end.value.code == 0
    for name, field in COMMANDS[command].model_fields.items():
        if name == "space":
            assert "--space" not in text
            continue
        value = f" {name.upper()}" if SETTINGS[name][0] else ""
        assert f"--{name.replace('_', '-')}{value}" in text
        assert str(field.description).split()[0] in text
    assert "--config FILE" in text


def test_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m search` names every module that is a command, and these four are."""
    assert listing.main() == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    listed = {line.split()[2].removeprefix("search."): line.split(maxsplit=3)[3] for line in lines}

    modules = {path.stem: path.read_text(encoding="utf-8") for path in Path(search.__path__[0]).glob("*.py")}
    assert set(listed) == {name for name, text in modules.items() if "\ndef main(" in text} - {"__main__"}
    assert set(COMMANDS) <= set(listed)
    assert all(modules[name].startswith(f'"""{about}') for name, about in listed.items())
