"""Reads a table from the file formats people have."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

from objectives.data.files.columnar import read_parquet
from objectives.data.files.fault import TableError, fault
from objectives.data.files.text import TextTable, read_text

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import pandas as pd

__all__ = ["SUFFIXES", "ReadTable", "TableError", "read_noted", "read_table"]

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".zip", ".parquet")
ReadTable = TextTable


def read_table(path: Path, text_columns: Collection[str] = ()) -> pd.DataFrame:
    """Reads a table; see `read_noted`.

    Raises:
        TableError: If the file is missing, empty, of another kind, or damaged.
    """
    return read_noted(path, text_columns).frame


def read_noted(path: Path, text_columns: Collection[str] = ()) -> ReadTable:
    """Reads a CSV or TSV file, packed or not, or a Parquet file, and says what it had to guess.

    Args:
        path: The file.
        text_columns: Columns whose exact text matters (`000123` stays `000123`); unknown names are ignored.

    Raises:
        TableError: If the file is missing, empty, of another kind, or damaged.
    """
    if not path.name.lower().endswith(SUFFIXES):
        raise fault(path, ", an unknown kind of file", allowed=", ".join(SUFFIXES), do="convert or rename it")
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise fault(
            path, f": {what}", allowed=f"an existing {', '.join(SUFFIXES)} file", do="correct the path"
        )
    try:
        table = _read(path, text_columns)
    except (
        ValueError,
        OSError,
        EOFError,
        ImportError,
        RuntimeError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise fault(
            path, f", not readable as a table ({reason})", allowed="a whole file", do="check it"
        ) from error
    if table.frame.empty:
        raise fault(path, " without rows", allowed="a header line and at least 1 row", do="check the file")
    return table


def _read(path: Path, text_columns: Collection[str]) -> ReadTable:
    if path.name.lower().endswith(".parquet"):
        return ReadTable(read_parquet(path, text_columns), (), ())
    return read_text(path, text_columns)
