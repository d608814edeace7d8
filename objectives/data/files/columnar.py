"""A Parquet file as a table of plain values."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd

from objectives.data.files.fault import fault

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_NESTED = (list, dict, tuple, set)


def read_parquet(path: Path, text_columns: Collection[str]) -> pd.DataFrame:
    """Reads a Parquet file; a named index is a column like any other.

    Raises:
        TableError: If two columns have one name, or a column holds lists.
    """
    frame = pd.read_parquet(path)
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    frame.columns = frame.columns.astype(str)
    repeated = [name for name, count in Counter(frame.columns).items() if count > 1]
    if repeated:
        raise fault(path, f" with {repeated[0]!r} twice", allowed="each column name once", do="rename one")
    nested = [name for name in frame if frame[name].dtype == object and _is_nested(frame[name])]
    if nested:
        raise fault(
            path,
            f" with lists in {nested[0]!r}",
            allowed="one value a cell",
            do="spread them over columns, or join them to text",
        )
    return frame.astype({name: "str" for name in text_columns if name in frame})


def _is_nested(values: pd.Series) -> bool:
    first = next(iter(values.dropna()), None)
    return isinstance(first, _NESTED) or hasattr(first, "__array__")
