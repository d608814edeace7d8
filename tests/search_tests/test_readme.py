"""The README and the pages that it leads to say what the code does."""

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
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
README = PAGES["README.md"]
LINKS = [
    (page, link)
    for page, text in PAGES.items()
    for link in re.findall(r"\]\(([^)\s]+)\)", text)
    if not link.startswith(("http:", "https:"))
]
COMMANDS = {
    path.stem
    for path in (ROOT / "search").glob("[a-z]*.py")
    if "\ndef main(" in path.read_text(encoding="utf-8")
}
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


@pytest.mark.parametrize("command", sorted(set(re.findall(r"-m search\.([a-z]+)", "".join(PAGES.values())))))
def test_each_command_in_the_pages_exists(command: str) -> None:
    """A command that a page names can be typed."""
    assert (ROOT / "search" / f"{command}.py").is_file()


def test_each_command_is_named_on_a_page() -> None:
    """Nobody has to read the code to learn of a command."""
    named = set(re.findall(r"search\.([a-z]+)", "".join(PAGES.values())))

    assert COMMANDS
    assert named >= COMMANDS


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_each_link_between_pages_leads_somewhere(page: str, link: str) -> None:
    """A link names a file that is there, and a heading that it has."""
    path, _, anchor = link.partition("#")
    target = ((ROOT / page).parent / path) if path else ROOT / page
    assert target.exists()

    if anchor:
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {
            re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
        }


@pytest.mark.parametrize("model", [ExportConfig, ImportConfig, MigrateConfig])
def test_each_flag_of_carrying_is_on_its_page(model: type[BaseModel]) -> None:
    """The section on carrying a study names all that its commands take."""
    section = PAGES["docs/record.md"].split("## Carrying a study")[1].split("\n## ")[0]

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
