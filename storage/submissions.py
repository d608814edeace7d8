"""Submission files: exact writing, and reading back to find every fault."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.atomic import temporary_save_path
from storage.submission_format import (
    Row,
    SubmissionFormat,
    examples,
    id_faults,
    read_format,
    read_rows,
    sample_faults,
    width_faults,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = [
    "Submission",
    "SubmissionFormat",
    "read_format",
    "read_submission",
    "sample_faults",
    "sha256_of",
    "submission_faults",
    "write_submission",
]

FloatArray = NDArray[np.float64]

_DO = "do not submit it; write it again"


class Submission(NamedTuple):
    """A submission read back.

    Attributes:
        ids: The ids, as their exact text.
        values: The predictions, shape (n,) or (n, n_columns), columns in the prediction's order.
    """

    ids: tuple[str, ...]
    values: FloatArray


def write_submission(
    path: Path,
    ids: Sequence[str],
    prediction: NDArray[Any],
    format: SubmissionFormat,  # noqa: A002 - the word of the trade
) -> None:
    r"""Writes a submission, all or nothing: UTF-8, lines ending in "\n", floats that read back to the bit.

    Args:
        path: The file; its folder must exist.
        ids: The ids, as their exact text.
        prediction: Shape (n,) or (n, n_columns).
        format: The competition's format.

    Raises:
        ValueError: If the shape does not fit the ids and the format.
        OSError: If the file cannot be written.
    """
    table = _table(prediction, len(ids), format)
    with temporary_save_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        if format.header:
            file.write(_line(format.names))
        file.writelines(_line((name, *map(repr, row))) for name, row in zip(ids, table.tolist(), strict=True))


def read_submission(path: Path, format: SubmissionFormat) -> Submission:  # noqa: A002
    """Reads a submission in which `submission_faults` finds nothing wrong.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not a table of numbers of that format.
    """
    rows = read_rows(path)[int(format.header) :]
    width = len(format.columns)
    table = np.array([[float(text) for text in row[1:]] for row in rows], np.float64).reshape(
        len(rows), width
    )
    if format.order is not None:
        table = table[:, np.argsort(format.order)]
    return Submission(tuple(row[0] for row in rows), table[:, 0] if width == 1 else table)


def submission_faults(path: Path, ids: Sequence[str], format: SubmissionFormat) -> list[str]:  # noqa: A002
    """Reads a submission back and returns what is wrong with it, a line each: got, allowed, do.

    Args:
        path: The file.
        ids: The test ids, in the order they must have.
        format: The competition's format.
    """
    try:
        rows = read_rows(path)
    except (OSError, ValueError) as error:
        return [f"submission {path}: got {error}; allowed: CSV in UTF-8; {_DO}"]
    faults = _header_faults(rows, format)
    body = rows[1:] if format.header else rows
    faults += _order_faults([row[0] if row else "" for row in body], ids)
    faults += width_faults(rows, len(format.columns))
    faults += _number_faults(body)
    return [f"submission {path}: {fault}" for fault in faults]


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _table(prediction: NDArray[Any], n_rows: int, format: SubmissionFormat) -> FloatArray:  # noqa: A002
    values = np.asarray(prediction, np.float64)
    table = values[:, np.newaxis] if values.ndim == 1 else values
    allowed = (n_rows, len(format.columns))
    if table.shape != allowed:
        raise ValueError(
            f"prediction: got shape {values.shape}; allowed: {allowed}, for {n_rows} ids and the columns "
            f"{', '.join(format.columns)}; predict the test rows with this study's model"
        )
    return table if format.order is None else table[:, list(format.order)]


def _line(fields: Iterable[str]) -> str:
    return ",".join(map(_quoted, fields)) + "\n"


def _quoted(text: str) -> str:
    # Python 3.11's csv.writer leaves a lone carriage return bare when lines end in "\n".
    if any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _header_faults(rows: Sequence[Row], format: SubmissionFormat) -> list[str]:  # noqa: A002
    got = rows[0] if rows else []
    if format.header and got != list(format.names):
        return [f"header: got {','.join(got)!r}; allowed: {','.join(format.names)!r}; {_DO}"]
    if not format.header and got == list(format.names):
        return [f"header: got {','.join(got)!r}; allowed: none, as in the sample; {_DO}"]
    return []


def _order_faults(got: Sequence[str], ids: Sequence[str]) -> list[str]:
    faults = []
    if len(got) != len(ids):
        faults.append(f"rows: got {len(got)}; allowed: {len(ids)}, one for each test id; {_DO}")
    faults += id_faults(got, ids, do=_DO)
    if not faults and list(got) != list(ids):
        pairs = zip(got, ids, strict=True)
        row, (one, other) = next((row, pair) for row, pair in enumerate(pairs, 1) if pair[0] != pair[1])
        faults.append(f"order: got id {one!r} in row {row}; allowed: {other!r}, as in the test file; {_DO}")
    return faults


def _number_faults(rows: Sequence[Row]) -> list[str]:
    found: dict[str, list[str]] = {}
    for row in rows:
        for kind, text in ((_kind(text), text) for text in row[1:]):
            if kind:
                found.setdefault(kind, []).append(f"{text} for id {row[0]}")
    return [
        f"values: got {len(places)} that are {kind}, {examples(places)}; allowed: finite numbers; {_DO}"
        for kind, places in found.items()
    ]


def _kind(text: str) -> str | None:
    """Names what a value is that is no finite number."""
    try:
        value = float(text)
    except ValueError:
        return "no number"
    # Python reads `1_000` and ` 1` as numbers; a competition's grader may not.
    if "_" in text or text != text.strip():
        return "no number"
    if math.isnan(value):
        return "NaN"
    return "infinite" if math.isinf(value) else None
