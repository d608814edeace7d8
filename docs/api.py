"""Writes the API reference from the docstrings: `./dev python docs/api.py [FOLDER]`, by default into docs/api."""  # noqa: INP001 - a script

from __future__ import annotations

import sys
from pathlib import Path

import pdoc

import search


def write_reference(folder: Path) -> None:
    """Writes pages for what `search` has for notebooks and scripts, `index.html` the first."""
    # pdoc documents what is there, and the package looks its names up only when they are asked for.
    vars(search).update({name: getattr(search, name) for name in search.__all__})
    pdoc.render.configure(docformat="google", show_source=False)
    # `promote` is a function, and a command that nobody imports. All settings are described where they are declared.
    pdoc.pdoc("search", "!search.promote", "search.config.search", output_directory=folder)


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "api")
