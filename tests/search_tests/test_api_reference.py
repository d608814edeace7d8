"""The API reference: made from the docstrings, and complete."""

from __future__ import annotations

import dataclasses
import html
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

import search
from search.config import SearchConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages that the command in the README writes, as text without tags."""
    folder = tmp_path_factory.mktemp("reference")
    script = ROOT / "docs" / "api.py"
    done = subprocess.run(
        [sys.executable, str(script), str(folder)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "Warn" not in done.stderr
    return {path.relative_to(folder).as_posix(): _text(path) for path in folder.rglob("*.html")}


def _text(path: Path) -> str:
    page = re.sub(r"<(style|script)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def _documented() -> Iterator[tuple[str, str]]:
    """Each public name with the first line of its docstring, methods and properties included."""
    for name in search.__all__:
        one = getattr(search, name)
        yield name, inspect.getdoc(one) or ""
        if inspect.isclass(one) and not issubclass(one, BaseModel):
            fields = (
                {field.name for field in dataclasses.fields(one)} if dataclasses.is_dataclass(one) else set()
            )
            for member, what in vars(one).items():
                if not member.startswith("_") and member not in fields:
                    yield f"{name}.{member}", inspect.getdoc(what) or ""


@pytest.mark.parametrize(("name", "doc"), [*_documented()], ids=[name for name, _ in _documented()])
def test_each_public_name_is_there_with_its_docstring(name: str, doc: str, reference: dict[str, str]) -> None:
    """Functions, classes, their methods and properties."""
    first = re.sub(r"[`*\s]+", " ", doc.split("\n\n", maxsplit=1)[0]).strip()
    page = re.sub(r"[`*\s]+", " ", reference["search.html"])

    assert first
    assert name.rpartition(".")[2] in page
    assert first in page


def test_each_setting_is_described(reference: dict[str, str]) -> None:
    """The settings that `load_config` takes, inherited ones included, with what they mean."""
    page = reference["search/config/search.html"]
    for name, field in SearchConfig.model_fields.items():
        assert name in page
        assert re.sub(r"[`\s]+", " ", str(field.description)) in re.sub(r"[`\s]+", " ", page)
