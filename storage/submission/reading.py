"""From a sample file to the format it shows; without one, to our own convention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.submission.cells import guess_delimiter, quoted, read_cells, usual_width
from storage.submission.columns import Columns, SampleError, find_columns, has_header
from storage.submission.encoding import Encoding, guess_encoding
from storage.submission.form import PREDICTION, Kind, SubmissionFormat, Wanted
from storage.submission.labels import find_kind, label_texts
from storage.submission.numbers import NumberStyle, find_style
from storage.submission.wording import id_fault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from storage.submission.cells import Row

_ONE_DECIMAL = NumberStyle(decimals=1)


def read_format(sample: bytes | None, wanted: Wanted) -> SubmissionFormat:
    """Finds out the format.

    Args:
        sample: The bytes of the competition's sample submission; None: a comma, a header, UTF-8, LF.
        wanted: What is to be submitted.

    Raises:
        SampleError: If the sample cannot be copied.
    """
    if sample is None:
        return _plain(wanted)
    if not sample.strip():
        raise SampleError("got an empty file; allowed: rows; do: give the competition's sample file")
    try:
        encoding = guess_encoding(sample)
    except ValueError as error:
        raise SampleError(
            f"got {error}; allowed: UTF-8, Shift-JIS and others; do: save it as UTF-8"
        ) from None
    return _format(sample, encoding, wanted)


def read_sample(sample: Path, wanted: Wanted) -> tuple[SubmissionFormat | None, list[str]]:
    """Finds out the format from a file, or what is wrong with it, in a line: got, allowed, do."""
    try:
        return read_format(sample.read_bytes(), wanted), []
    except OSError as error:
        fault = f"got {error.strerror}; allowed: a file; do: give the competition's sample file"
    except SampleError as error:
        fault = str(error)
    return None, [f"sample {sample}: {fault}"]


def sample_rows(sample: Path) -> list[list[str]]:
    """Returns a sample's rows as text, header included, for data of which nothing is known yet.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is empty or of no known encoding.
    """
    data = sample.read_bytes()
    if not data.strip():
        raise ValueError("an empty file")
    text = guess_encoding(data).decode(data)
    return [[cell.text for cell in row] for row in read_cells(text, guess_delimiter(text, ())) if row]


def _plain(wanted: Wanted) -> SubmissionFormat:
    n_classes = len(wanted.classes)
    is_table = n_classes > 2 and not wanted.wants_labels  # noqa: PLR2004 - two need one probability
    names = wanted.classes if is_table else (wanted.column or PREDICTION,)
    value = quoted(wanted.classes[0], ",") if wanted.wants_labels and n_classes else "0.0"
    lines = [(wanted.id_name, *names), *((name, *[value] * len(names)) for name in wanted.ids)]
    text = "".join(
        ",".join(cell if cell is value else quoted(cell, ",") for cell in line) + "\n" for line in lines
    )
    kind: Kind = "number" if not n_classes else "label" if wanted.wants_labels else "probability"
    columns = Columns(0, tuple(range(1, len(names) + 1)), tuple(range(n_classes)) if is_table else ())
    body = read_cells(text, ",")
    return SubmissionFormat(
        encoding=Encoding("utf-8"),
        delimiter=",",
        header=tuple(cell.text for cell in body[0]),
        ids=wanted.ids,
        width=len(body[0]),
        id_place=0,
        columns=names,
        places=columns.places,
        order=columns.order,
        kind=kind,
        labels=wanted.classes if kind == "label" else (),
        numbers=_ONE_DECIMAL,
        gaps=gaps_of(text, body[1:], columns.places),
        rows=None,
        wanted=wanted,
        sample=None,
    )


def _format(sample: bytes, encoding: Encoding, wanted: Wanted) -> SubmissionFormat:
    text = encoding.decode(sample)
    delimiter = guess_delimiter(text, wanted.ids)
    rows = [row for row in read_cells(text, delimiter) if row]
    _check_width(rows)
    header = tuple(cell.text for cell in rows[0]) if has_header(rows, wanted.ids) else ()
    body = rows[1:] if header else rows
    if not body:
        raise SampleError("got a header alone; allowed: a row for each test id; do: give a whole sample file")
    columns = find_columns(header, body, wanted)
    ids = tuple(row[columns.id_place].text for row in body)
    fault = id_fault(ids, wanted.ids)
    if fault:
        raise SampleError(f"{fault}; do: give the sample of this test file, or none")
    texts = [row[place].text for row in body for place in columns.places]
    kind = find_kind(texts, wanted, n_columns=len(columns.places))
    return SubmissionFormat(
        encoding=encoding,
        delimiter=delimiter,
        header=header,
        ids=ids,
        width=len(body[0]),
        id_place=columns.id_place,
        columns=tuple(
            header[place] if header else _own_name(columns, place, wanted) for place in columns.places
        ),
        places=columns.places,
        order=columns.order,
        kind=kind,
        labels=label_texts(texts, wanted.classes) if kind == "label" else (),
        numbers=NumberStyle() if kind == "label" else find_style(texts),
        gaps=gaps_of(text, body, columns.places),
        rows=_order_of(ids, wanted.ids),
        wanted=wanted,
        sample=sample,
    )


def gaps_of(text: str, body: Sequence[Row], places: Sequence[int]) -> tuple[str, ...]:
    """Returns all text but the predictions': before each, and after the last.

    Args:
        text: The file's text.
        body: Its rows of values, all of one width.
        places: Which columns hold predictions.
    """
    gaps, last = [], 0
    for row in body:
        for place in places:
            cell = row[place]
            gaps.append(text[last : cell.start])
            last = cell.end
    return (*gaps, text[last:])


def _own_name(columns: Columns, place: int, wanted: Wanted) -> str:
    if not columns.order:
        return PREDICTION
    return wanted.classes[columns.order[columns.places.index(place)]]


def _check_width(rows: Sequence[Row]) -> None:
    width = usual_width(rows)
    wrong = [(number, len(row)) for number, row in enumerate(rows, start=1) if len(row) != width]
    if wrong:
        (number, got), n_wrong = wrong[0], len(wrong)
        raise SampleError(
            f"columns: got {n_wrong} rows of another width, first row {number} with {got}; allowed: {width} "
            "in each; do: give the competition's own file"
        )


def _order_of(ids: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...] | None:
    if tuple(ids) == tuple(wanted):
        return None
    place = {name: index for index, name in enumerate(wanted)}
    return tuple(place[name] for name in ids)
