"""From values to HTML: the templates, and how numbers and moments are written in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.score_text import score_text

if TYPE_CHECKING:
    from datetime import datetime

    from jinja2 import Environment

FOLDER = Path(__file__).parent
ASSETS = FOLDER / "assets"


def render(template: str, **values: Any) -> str:
    """Returns a template filled in; all values are escaped."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(score=_score, setting=_setting, moment=_moment, iso=_iso)
    return environment


def _score(value: float, like: float | None = None) -> str:
    return score_text(value, like, commas=True)


def _setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}"


def _iso(value: datetime) -> str:
    return value.astimezone().isoformat(timespec="seconds")
