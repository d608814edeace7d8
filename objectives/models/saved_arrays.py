"""A fitted model as bytes: named arrays, no pickle."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

Arrays = dict[str, Any]


def pack(arrays: Mapping[str, Any]) -> bytes:
    """Arrays by name as one npz file: equal arrays, equal bytes."""
    file = io.BytesIO()
    named: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez(file, **named)
    return file.getvalue()


def unpack(content: bytes) -> Arrays:
    """What `pack` wrote.

    Raises:
        ValueError: If it would take pickle to read it.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def within(prefix: str, arrays: Mapping[str, Any]) -> Arrays:
    """The arrays of a part, named so that those of several fit into one file."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def part_of(prefix: str, arrays: Mapping[str, Any]) -> Arrays:
    """What `within` named with this prefix, by its own names."""
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
