"""From sections to one HTML file: everything in it, nothing loaded, no script but ours.

The page forbids itself the network and any script whose checksum it does not name, so that a name or a value which
slipped through the escaping would be text all the same.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.results.report.section import Section


class Figure(NamedTuple):
    """One of the figures at the top.

    Attributes:
        name: What it is.
        value: It.
        more: A word on it.
    """

    name: str
    value: str
    more: str = ""


def page(
    title: str, subtitle: str, figures: Sequence[Figure], sections: Sequence[Section], state: str
) -> str:
    """Renders the report.

    Args:
        title: The study's name.
        subtitle: A line on what it is.
        figures: At the top.
        sections: In order.
        state: Names what it was made from.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("search.results.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    plotly, own = _plotly(), _own("page.js")
    template = environment.get_template("page.html.jinja")
    return template.render(
        title=title,
        subtitle=subtitle,
        figures=figures,
        sections=sections,
        state=state,
        style=_own("page.css"),
        plotly=plotly,
        script=own,
        hashes=[_hash(text) for text in (plotly, own)],
        kind=lambda part: type(part).__name__,
    )


@cache
def _plotly() -> str:
    """Plotly's own bundle, from the installed package."""
    text = files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")
    assert "</script" not in text.lower()
    return text


def _own(name: str) -> str:
    return files("search.results.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a content security policy names a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
