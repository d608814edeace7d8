"""The study's note in optuna-dashboard: our part between two marks, all else the user's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "dashboard:note_ver"
TEXT = "dashboard:note_str:"
PIECE = 2_045
# Markdown that shows nothing: the definition of a link that nobody uses.
_BEGIN = "[//]: # (from here on written by the search, and replaced)"
_END = "[//]: # (up to here)"
_BLOCK = re.compile(rf"(?:\n\n)?{re.escape(_BEGIN)}.*?(?:{re.escape(_END)}|\Z)", re.DOTALL)


def note_of(attributes: Mapping[str, Any]) -> str:
    """The whole note; empty where there is none."""
    pieces = {int(key.removeprefix(TEXT)): value for key, value in attributes.items() if key.startswith(TEXT)}
    return "".join(pieces[i] for i in sorted(pieces))


def has_block(attributes: Mapping[str, Any]) -> bool:
    """Whether the note has our part."""
    return _BEGIN in note_of(attributes)


def with_block(attributes: Mapping[str, Any], block: str) -> dict[str, Any]:
    """The note's attributes with our part replaced, or added at its end.

    Its version stays: a browser that shows the note of before may save it, for what it lacks is written again.
    """
    body = _BLOCK.sub("", note_of(attributes))
    between = "\n\n" if body else ""
    return _pieces(f"{body}{between}{_BEGIN}\n\n{block}\n\n{_END}", attributes)


def strip_note(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """All attributes, the note without our part; as they are where it has none."""
    body = note_of(attributes)
    stripped = _BLOCK.sub("", body)
    if stripped == body:
        return dict(attributes)
    rest = {key: v for key, v in attributes.items() if key != VERSION and not key.startswith(TEXT)}
    return {**rest, **(_pieces(stripped, attributes) if stripped else {})}


def _pieces(body: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    pieces = [body[start : start + PIECE] for start in range(0, len(body), PIECE)]
    return {VERSION: attributes.get(VERSION, 1), **{f"{TEXT}{i}": piece for i, piece in enumerate(pieces)}}
