"""Estimators of scikit-learn as bytes by skops: no pickle, and equal ones are equal bytes."""

from __future__ import annotations

import hashlib
import io
import json
from itertools import count
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile, ZipInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEMA = "schema.json"
_TRUSTED = ("sklearn.", "numpy.", "scipy.")


def dump(found: Any) -> bytes:
    """Writes an object of scikit-learn's, or lists and mappings of them."""
    import skops.io

    return _plain(skops.io.dumps(found))


def load(content: bytes) -> Any:
    """What `dump` wrote.

    Raises:
        ValueError: If there is something in it that is no part of scikit-learn, numpy or scipy.
    """
    import skops.io

    named = skops.io.get_untrusted_types(data=content)
    strange = [name for name in named if not name.startswith(_TRUSTED)]
    if strange:
        raise ValueError(
            f"got a model with {', '.join(strange)}; allowed: parts of scikit-learn, numpy and scipy; "
            "do: give the objective's class its own `fit_fold` and `read_model`"
        )
    return skops.io.loads(content, trusted=named)


def _plain(content: bytes) -> bytes:
    """The same without addresses in memory and moments, which skops names objects and files by."""
    with ZipFile(io.BytesIO(content)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    schema = json.loads(parts.pop(_SCHEMA))
    names = {name: f"{hashlib.blake2b(part, digest_size=16).hexdigest()}.npy" for name, part in parts.items()}
    renamed = _renamed(schema, names, count())
    made = io.BytesIO()
    with ZipFile(made, "w") as file:
        # A ZipInfo has the same moment always.
        for name, part in sorted({names[name]: part for name, part in parts.items()}.items()):
            file.writestr(ZipInfo(name), part)
        file.writestr(ZipInfo(_SCHEMA), json.dumps(renamed))
    return made.getvalue()


def _renamed(node: Any, names: dict[str, str], numbers: Iterator[int]) -> Any:
    if isinstance(node, list):
        return [_renamed(one, names, numbers) for one in node]
    if not isinstance(node, dict):
        return node
    return {key: _value(key, one, names, numbers) for key, one in node.items()}


def _value(key: str, value: Any, names: dict[str, str], numbers: Iterator[int]) -> Any:
    if key == "__id__":
        return next(numbers)
    if key == "file" and isinstance(value, str) and value in names:
        return names[value]
    return _renamed(value, names, numbers)
