from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING

from objectives.environment import code_hash, environment

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_result_depends_on_is_said() -> None:
    """Versions, code, machine and threads, in a form that the ledger can keep."""
    here = environment(3)

    assert (here["lightgbm"], here["threads"]) == (version("lightgbm"), 3)
    assert {"python", "numpy", "tabular-search", "objectives", "system", "cpu"} < set(here)
    assert all(here.values())
    assert json.loads(json.dumps(here)) == environment(3)


def test_a_change_of_the_code_is_seen(tmp_path: Path) -> None:
    """A line changed or a file renamed gives another hash, whatever the package's version."""
    (tmp_path / "a.py").write_text("x = 1", encoding="utf-8")
    first = code_hash(tmp_path)
    (tmp_path / "notes.txt").write_text("no code", encoding="utf-8")
    assert code_hash(tmp_path) == first

    (tmp_path / "a.py").rename(tmp_path / "b.py")
    renamed = code_hash(tmp_path)
    (tmp_path / "b.py").write_text("x = 2", encoding="utf-8")

    assert len({first, renamed, code_hash(tmp_path)}) == 3
