from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.atomic import temporary_save_path

if TYPE_CHECKING:
    from pathlib import Path


def test_the_new_file_replaces_the_old(tmp_path: Path) -> None:
    """After the block the file has the new content, and nothing else is left."""
    path = tmp_path / "a.csv"
    path.write_text("old")

    with temporary_save_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"

    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def _write_half(path: Path) -> None:
    with temporary_save_path(path) as temporary:
        temporary.write_text("ne")
        raise OSError("disk full")


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    """If writing fails, the old file stays and no half file is left."""
    path = tmp_path / "a.csv"
    path.write_text("old")

    with pytest.raises(OSError, match="disk full"):
        _write_half(path)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
