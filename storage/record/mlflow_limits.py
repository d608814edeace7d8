"""What MLflow accepts as a name and as a text."""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

LONGEST_KEY = 250
LONGEST_PARAM = 6_000
LONGEST_TAG = 8_000

Item = TypeVar("Item")


def clean_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Returns tags that MLflow accepts: legal unique names, texts cut where too long."""
    return {key: text(value, LONGEST_TAG) for key, value in legal_keys(tags).items()}


def text(value: Any, longest: int) -> str:
    """Returns a value as text (lists and mappings as JSON), visibly cut at a length."""
    if not isinstance(value, str) and isinstance(value, (list, tuple, Mapping)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    whole = str(value)
    if len(whole) <= longest:
        return whole
    mark = f"... [{len(whole)} characters]"
    return whole[: longest - len(mark)] + mark


def stored(value: float) -> float:
    """Returns a number as MLflow keeps it: infinities become the largest finite numbers."""
    return max(-sys.float_info.max, min(sys.float_info.max, value))


def legal_key(name: str) -> str:
    """Returns a single name as MLflow accepts it."""
    return next(iter(legal_keys({name: None})))


def legal_keys(values: Mapping[str, Item]) -> dict[str, Item]:
    """Returns the same values under names that MLflow accepts, all different, in the same order.

    It takes letters of any script, digits, blanks and / _ - . : but no path tricks, and one bad name would
    cost the whole batch.
    """
    legal: dict[str, Item] = {}
    for name, value in values.items():
        key = _legal(str(name))
        while key in legal:
            key = key[: LONGEST_KEY - 1] + "_"
        legal[key] = value
    return legal


@lru_cache(maxsize=4_096)
def _legal(name: str) -> str:
    key = re.sub(r"[^\w\-.:/ ]", "_", name)[:LONGEST_KEY] or "_"
    if posixpath.normpath(key) != key or key.startswith(("..", "/")) or key == ".":
        return key.replace("/", "_").replace("..", "__").removesuffix(".") or "_"
    return key
