"""Reads a table from the file formats people have."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

SUFFIXES = (".csv", ".csv.gz", ".parquet")
# UTF-8 with or without a byte order mark first; Japanese spreadsheets save as Shift-JIS (cp932).
_ENCODINGS = ("utf-8-sig", "cp932")


class TableError(Exception):
    """A file that cannot be read as a table; the message is one line: got, allowed, do."""


def read_table(path: Path, text_columns: Collection[str] = ()) -> pd.DataFrame:
    """Reads a CSV, gzipped CSV or Parquet file.

    Args:
        path: The file.
        text_columns: Columns whose exact text matters (`000123` stays `000123`); unknown names are ignored.

    Raises:
        TableError: If the file is missing, empty, of another kind, or damaged.
    """
    if not path.name.lower().endswith(SUFFIXES):
        msg = f"got {path}, an unknown kind of file; allowed: {', '.join(SUFFIXES)}; do: convert or rename it"
        raise TableError(msg)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise TableError(
            f"got {path}: {what}; allowed: an existing {', '.join(SUFFIXES)} file; do: correct the path"
        )
    try:
        frame = _read(path, text_columns)
    except (ValueError, OSError, EOFError, ImportError, zlib.error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TableError(
            f"got {path}, not readable as a table ({reason}); allowed: a whole file; do: check it"
        ) from error
    if frame.empty:
        raise TableError(
            f"got {path} without rows; allowed: a header line and at least 1 row; do: check the file"
        )
    return frame


def _read(path: Path, text_columns: Collection[str]) -> pd.DataFrame:
    if path.name.lower().endswith(".parquet"):
        frame = pd.read_parquet(path)
        frame.columns = frame.columns.astype(str)
        return frame.astype({name: "str" for name in text_columns if name in frame})
    for encoding in _ENCODINGS[:-1]:
        try:
            return _read_csv(path, text_columns, encoding)
        except UnicodeDecodeError:
            continue
    return _read_csv(path, text_columns, _ENCODINGS[-1])


def _read_csv(path: Path, text_columns: Collection[str], encoding: str) -> pd.DataFrame:
    # low_memory=False: one type per column instead of one per chunk (pandas' DtypeWarning).
    return pd.read_csv(path, dtype=dict.fromkeys(text_columns, "str"), low_memory=False, encoding=encoding)
