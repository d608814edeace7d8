"""Flags without a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.config import SyncConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from pathlib import Path


def _parse(*argv: str) -> SyncConfig:
    return parse_flags(SyncConfig, argv, command="sync", about="About.").checked()


def test_a_flag_without_a_value_is_on_or_off(tmp_path: Path) -> None:
    """On when named, by flag or in the file, else off; what follows it is not its value."""
    file = tmp_path / "settings.toml"
    file.write_text("check = true\n", encoding="utf-8")

    assert not _parse().check
    assert _parse("--check").check
    assert _parse("--check", "--study", "a").study == "a"
    assert _parse("--config", str(file)).check
