"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from search.config import (
    FILE_ONLY,
    ExportConfig,
    ImportConfig,
    MigrateConfig,
    PromoteConfig,
    SearchConfig,
    SyncConfig,
)
from search.flags import shown
from search.results.summary import watch_lines
from storage.layout import Layout

if TYPE_CHECKING:
    from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIELDS = {
    name: field
    for model in (SearchConfig, PromoteConfig, SyncConfig)
    for name, field in model.model_fields.items()
    if field.json_schema_extra != FILE_ONLY
}


@pytest.mark.parametrize("name", FIELDS)
def test_each_setting_is_in_the_readme_with_its_default(name: str) -> None:
    """The table of settings is the config class, flag by flag and default by default."""
    field = FIELDS[name]
    default = "" if field.default in (None, ()) or field.default is False else f"`{shown(field.default)}`"

    assert f"| `--{name.replace('_', '-')}` | {default} | {field.description} |" in README


def test_the_readme_lists_no_setting_that_is_gone() -> None:
    """Every flag in the table of settings exists."""
    listed = {flag.replace("-", "_") for flag in re.findall(r"^\| `--([a-z-]+)` \|", README, re.MULTILINE)}

    assert set(FIELDS) == listed


@pytest.mark.parametrize(
    "command",
    sorted(
        set(
            re.findall(
                r"search\.(?:run|baseline|promote|status|sync|export|import|migrate|replay|splits|verify|"
                r"leaderboard|submit|show|compare|report|serve|init)\b",
                README,
            )
        )
    ),
)
def test_each_command_in_the_readme_exists(command: str) -> None:
    """A command that the README names can be typed."""
    assert (ROOT / f"{command.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize("model", [ExportConfig, ImportConfig, MigrateConfig])
def test_each_flag_of_carrying_is_in_the_readme(model: type[BaseModel]) -> None:
    """The section on carrying a study names all that its commands take."""
    section = README.split("## Carrying a study")[1].split("\n## ")[0]

    for name, field in model.model_fields.items():
        word = name if field.is_required() else f"--{name.replace('_', '-')}"
        assert word in section.lower()


def test_the_transcript_ends_as_a_search_does() -> None:
    """The first screen tells how to watch in the lines that a search prints."""
    transcript = README.split("```")[1]

    assert "\n".join(["", *watch_lines(Layout()), "Promote: "]) in transcript


@pytest.mark.parametrize("path", re.findall(r"^\| `([a-z_/]+\.py|[a-z_]+/[a-z_]*/?)`", README, re.MULTILINE))
def test_each_path_in_the_readme_exists(path: str) -> None:
    """The table of paths names what is there (or, under mlruns, what a search makes)."""
    assert path.startswith("mlruns/") or (ROOT / path).exists()
