"""The two raw tables of a competition, read so that they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from objectives.data.read import ReadTable, TableError, read_noted
from objectives.data.written import find_written, read_written

if TYPE_CHECKING:
    from objectives.data.checks import DataFiles

_MOST_CLASSES = 20


class Tables(NamedTuple):
    """Both tables, raw.

    Attributes:
        train: The training rows.
        test: The rows to predict.
        notes: What was guessed of the files, one line each.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    notes: tuple[str, ...]


def read_tables(files: DataFiles) -> tuple[Tables | None, list[str]]:
    """Reads both tables, or says why not, one line a fault."""
    faults: list[str] = []
    tables: list[ReadTable] = []
    text = {files.id, *files.categorical, *files.choice.target_encode}
    for path in (files.train, files.test):
        try:
            table = read_noted(path, text)
        except TableError as error:
            faults.append(str(error))
            continue
        faults += [
            f"got {path} with {name!r} more than once; allowed: one column of that name; do: rename the others"
            for name in table.repeated
            if name in (files.target, files.id)
        ]
        tables.append(table)
        # A column of text in training is read as text in test too, so that "1" and 1 are one category.
        text |= {str(c) for c, kind in table.frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)}
    faults = faults or _headerless(files, *tables)
    if faults:
        return None, faults
    train, test = tables
    frame, notes = _with_numeric_target(train.frame, files)
    return Tables(frame, test.frame, (*train.notes, *test.notes, *notes)), []


def _headerless(files: DataFiles, train: ReadTable, test: ReadTable) -> list[str]:
    """The fault of a file whose first line holds values where names should be."""
    asked = ((files.train, train.frame, files.target), (files.test, test.frame, files.id))
    return [
        f"got {path} without a header: its first line is {', '.join(map(str, frame.columns[:5]))}; "
        "allowed: column names in the first line; do: put them there"
        for path, frame, needed in asked
        if needed not in frame
        and find_written(pd.Series([str(c) for c in frame.columns]).head(1)) is not None
    ]


def _with_numeric_target(train: pd.DataFrame, files: DataFiles) -> tuple[pd.DataFrame, list[str]]:
    """A target of many written numbers, such as `85,000`, as numbers; few different ones are classes."""
    if files.target not in train or files.task not in (None, "regression"):
        return train, []
    target = train[files.target]
    if pd.api.types.is_numeric_dtype(target.dtype) or pd.to_numeric(target, errors="coerce").notna().all():
        return train, []
    known = target.dropna()
    few = known.nunique() <= _MOST_CLASSES and files.task is None
    decimal = None if few else find_written(known)
    if decimal is None:
        return train, []
    numbers = pd.Series(read_written(target, decimal), train.index)
    note = (
        f"Target: text read as numbers (decimal {decimal}), such as {known.iloc[0]!r} as {numbers.iloc[0]:g}"
    )
    return train.assign(**{files.target: numbers}), [note]
