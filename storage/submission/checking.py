"""Every fault of a submission file, each in one line that names it.

A file is right if it is the sample byte for byte, but for its predictions. So nothing can slip by: where the
rest of its text differs, the modules named `*_faults` say how, and where they do not know, this one says where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.submission.byte_faults import byte_fault, encoding_fault
from storage.submission.cells import read_cells
from storage.submission.reading import gaps_of
from storage.submission.row_faults import permuted_fault, shape_fault, table_faults
from storage.submission.text_faults import text_faults
from storage.submission.value_faults import value_faults
from storage.submission.wording import short

if TYPE_CHECKING:
    from pathlib import Path

    from storage.submission.cells import Row
    from storage.submission.form import SubmissionFormat

DO = "do: write it again, and do not submit this one"


def submission_faults(path: Path, form: SubmissionFormat) -> list[str]:
    """Reads a submission and returns what is wrong with it, a line each: what is wrong, got, allowed, do.

    Args:
        path: The file.
        form: The competition's format.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        return [f"submission {path}: file: got {error.strerror}; allowed: a file; do: correct the path"]
    return [f"submission {path}: {fault}; {DO}" for fault in data_faults(data, form)]


def data_faults(data: bytes, form: SubmissionFormat) -> list[str]:
    """Returns what is wrong with a submission's bytes, a line each, without advice."""
    fault = byte_fault(data) or encoding_fault(data, form.encoding)
    if fault:
        return [fault]
    text = form.encoding.decode(data)
    rows = read_cells(text, form.delimiter)
    fault = shape_fault(text, rows, form) or permuted_fault(rows, form)
    if fault:
        return [fault]
    # A file may have a header where it should not, and none where it should.
    rows = [row for row in rows if row]
    n_names = _n_names(rows, form)
    body = rows[n_names:]
    is_same = n_names == bool(form.header) and gaps_of(text, body, form.places) == form.gaps
    faults = [] if is_same else _differences(text, rows, n_names, form)
    return faults + value_faults(body, form)


def _n_names(rows: list[Row], form: SubmissionFormat) -> int:
    known = set(form.ids)
    first = rows[0][form.id_place].text
    if first in known:
        return 0
    if form.header or len(rows) > len(form.ids):
        return 1
    return 0


def _differences(text: str, rows: list[Row], n_names: int, form: SubmissionFormat) -> list[str]:
    faults = table_faults(rows, n_names, form)
    # Ends of lines and quotes are compared row by row, so only where the rows are the same.
    faults += text_faults(text, rows, n_names, form)
    return faults or [_first_difference(gaps_of(text, rows[n_names:], form.places), form)]


def _first_difference(gaps: tuple[str, ...], form: SubmissionFormat) -> str:
    pairs = enumerate(zip(gaps, form.gaps, strict=False))
    place = next((place for place, (one, other) in pairs if one != other), min(len(gaps), len(form.gaps)) - 1)
    row = place // len(form.places) + 1
    return f"text: got {short(gaps[place])} before value {row}; allowed: {short(form.gaps[place])}, as in the sample"
