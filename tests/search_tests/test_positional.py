"""Commands that take words without a flag."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from search.config import ExportConfig, ImportConfig, MigrateConfig
from search.faults import InputFaults
from search.flags import parse_flags


def test_words_without_a_flag_are_settings_in_their_order() -> None:
    """Study first, file second; flags before, between or after them."""
    for argv in (
        ["a", "b.zip", "--storage", "u"],
        ["--storage", "u", "a", "b.zip"],
        ["a", "--storage", "u", "b.zip"],
    ):
        config = parse_flags(ExportConfig, argv, command="export", about="").checked()
        assert (config.study, config.bundle, config.storage) == ("a", Path("b.zip"), "u")


def test_names_by_commas() -> None:
    """Several experiments are one flag."""
    config = parse_flags(
        MigrateConfig, ["old", "--experiment", "a, b"], command="migrate", about=""
    ).checked()

    assert config.experiment == ("a", "b")


@pytest.mark.parametrize(
    ("argv", "fault"),
    [
        (["a"], "got no BUNDLE"),
        ([], "got no STUDY, BUNDLE"),
        (["a", "b", "c"], "got c, unknown here"),
        (["", "b"], "STUDY: got ''"),
        (["a", "b", "--storage", ""], "--storage: got ''"),
        (["a", "b", "--bundle", "c"], "got --bundle, unknown here"),
    ],
)
def test_a_word_missing_bad_or_too_many_is_one_line(argv: list[str], fault: str) -> None:
    """It is named as `--help` names it, with what is allowed and what to do."""
    with pytest.raises(InputFaults) as error:
        parse_flags(ExportConfig, argv, command="export", about="").checked()

    [line] = error.value.faults
    assert line.startswith(fault)
    assert "; allowed: " in line
    assert "; do: " in line


def test_a_bad_name_for_an_import_is_refused() -> None:
    """A study's name becomes a folder's, so it is held to the same rule as everywhere."""
    with pytest.raises(InputFaults, match="--study: got 'a/b'"):
        parse_flags(ImportConfig, ["b.zip", "--study", "a/b"], command="import", about="").checked()


@pytest.mark.parametrize("command", ["export", "import", "migrate", "replay", "show", "compare"])
def test_help_tells_each_word_and_flag(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` is generated from the settings."""
    with pytest.raises(SystemExit) as end:
        import_module(f"search.{command}").main(["--help"])

    assert end.value.code == 0
    assert "positional arguments" in capsys.readouterr().out
