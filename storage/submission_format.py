"""The format of a competition's submissions, copied from its sample file."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

Row = list[str]

_SHOWN = 3


@dataclass(frozen=True)
class SubmissionFormat:
    """How a competition wants its file.

    Attributes:
        id_name: Name of the id column, which comes first.
        columns: Names of the prediction columns, in the file's order.
        header: Whether the first line holds the names.
        order: For each of `columns`, its position in a prediction's second axis; None: as they come.
    """

    id_name: str
    columns: tuple[str, ...]
    header: bool
    order: tuple[int, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All names, as the header line holds them."""
        return (self.id_name, *self.columns)


def read_format(
    sample: Path | None, *, id_name: str, columns: Sequence[str], ids: Sequence[str]
) -> SubmissionFormat:
    """Finds out the format from a sample file in which `sample_faults` finds nothing wrong.

    Args:
        sample: The competition's sample submission, CSV in UTF-8; None for a plain file with a header.
        id_name: Name of the id column in the data.
        columns: Names of the prediction's columns: one, or the classes in the prediction's order.
        ids: The test ids, as their exact text; a sample whose first field is one of them has no header.

    Raises:
        OSError: If the sample cannot be read.
        ValueError: If it is empty, not UTF-8, not CSV, or its columns are not the classes.
    """
    header = [] if sample is None else _header(read_sample(sample), ids)
    if not header:
        return SubmissionFormat(id_name, tuple(columns), header=sample is None)
    order = _order(header[1:], columns)
    if order is None:
        raise ValueError(_foreign_columns(header[1:], columns))
    return SubmissionFormat(header[0], tuple(header[1:]), header=True, order=order)


def sample_faults(sample: Path, *, ids: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Returns what is wrong with a sample submission for this data, a line each: got, allowed, do.

    Args:
        sample: The competition's sample submission.
        ids: The test ids, as their exact text.
        columns: Names of the prediction's columns: one, or the classes.
    """
    try:
        rows = read_sample(sample)
    except (OSError, ValueError) as error:
        return [f"sample {sample}: got {error}; allowed: CSV in UTF-8; give the competition's sample file"]
    header = _header(rows, ids)
    faults = width_faults(rows, len(columns))
    if not faults and header and _order(header[1:], columns) is None:
        faults.append(_foreign_columns(header[1:], columns))
    body = rows[1:] if header else rows
    faults += id_faults([row[0] for row in body], ids, do="give the sample of this test file, or none")
    return [f"sample {sample}: {fault}" for fault in faults]


def read_sample(sample: Path) -> list[Row]:
    """Returns a sample's rows, at least one, without blank lines.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is empty, not UTF-8 or not CSV.
    """
    # Excel puts a byte order mark before the first name.
    rows = [row for row in read_rows(sample, encoding="utf-8-sig") if row]
    if not rows:
        raise ValueError("an empty file")
    return rows


def read_rows(path: Path, *, encoding: str = "utf-8") -> list[Row]:
    """Returns a CSV file's rows as text, a blank line as an empty row.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is not CSV in that encoding.
    """
    try:
        with path.open(encoding=encoding, newline="") as file:
            return list(csv.reader(file, strict=True))
    except UnicodeDecodeError as error:
        raise ValueError(f"bytes that are not UTF-8, at position {error.start}") from None
    except csv.Error as error:
        raise ValueError(f"text that is not CSV ({error})") from None


def width_faults(rows: Sequence[Row], n_columns: int) -> list[str]:
    """Returns a line if some rows have not one id and `n_columns` values; the first row is 1."""
    wrong = [(place, len(row)) for place, row in enumerate(rows, start=1) if len(row) != n_columns + 1]
    if not wrong:
        return []
    (place, width), n_fields = wrong[0], n_columns + 1
    got = f"{len(wrong)} rows of another width, first row {place} with {width}"
    return [f"columns: got {got}; allowed: {n_fields}, the id first; use a file with those columns"]


def id_faults(got: Sequence[str], ids: Sequence[str], *, do: str) -> list[str]:
    """Returns a line each for missing, unknown and repeated ids.

    Args:
        got: The ids in a file.
        ids: The test ids.
        do: What the user should do.
    """
    present, allowed = set(got), set(ids)
    kinds = {
        "are missing": [name for name in ids if name not in present],
        "are not in the test data": [name for name in dict.fromkeys(got) if name not in allowed],
        "are there more than once": [name for name, count in Counter(got).items() if count > 1],
    }
    allowed_text = f"allowed: each of the {len(ids)} test ids once"
    return [
        f"ids: got {len(names)} that {kind}, {examples(names)}; {allowed_text}; {do}"
        for kind, names in kinds.items()
        if names
    ]


def examples(names: Collection[object]) -> str:
    """Returns the first few of some names, for a message."""
    shown = [repr(name) for name in list(names)[:_SHOWN]]
    return "first " + ", ".join(shown) if len(names) > _SHOWN else ", ".join(shown)


def _header(rows: Sequence[Row], ids: Sequence[str]) -> Row:
    return [] if rows[0][0] in set(ids) else rows[0]


def _order(names: Sequence[str], columns: Sequence[str]) -> tuple[int, ...] | None:
    """Returns each named column's position among the prediction's, None if they cannot be matched."""
    if len(names) == len(columns) == 1:
        return (0,)
    order = tuple(_position(name, columns) for name in names)
    return order if sorted(order) == list(range(len(columns))) else None


def _position(name: str, columns: Sequence[str]) -> int:
    # Samples name a class's column `C`, or with a word before it: `Status_C`, `class_3`.
    fitting = [place for place, column in enumerate(columns) if f"_{name}".endswith(f"_{column}")]
    return max(fitting, key=lambda place: len(columns[place]), default=-1)


def _foreign_columns(names: Sequence[str], columns: Sequence[str]) -> str:
    return (
        f"column names: got {', '.join(names)}; allowed: one for each class, in any order "
        f"({', '.join(columns)}), also as <word>_<class>; rename them"
    )
