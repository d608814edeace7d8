"""What is wrong with a file as a table: delimiter, width, header, ids, their order, columns to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.submission.cells import DELIMITERS, guess_delimiter, read_cells, usual_width
from storage.submission.wording import id_fault, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.submission.cells import Row
    from storage.submission.form import SubmissionFormat


def shape_fault(text: str, rows: Sequence[Row], form: SubmissionFormat) -> str | None:
    """Returns why a file is not a table of the sample's width; None where it is."""
    blank = [number for number, row in enumerate(rows, start=1) if not row]
    wrong = [(number, len(row)) for number, row in enumerate(rows, start=1) if row and len(row) != form.width]
    if not wrong:
        return _blank_fault(blank, rows, form)
    width = usual_width(rows)
    if width != form.width:
        return _width_fault(text, width, form)
    (number, got), n_wrong = wrong[0], len(wrong)
    return (
        f"columns: got {n_wrong} rows of another width, first row {number} with {got}; allowed: {form.width}"
    )


def permuted_fault(rows: Sequence[Row], form: SubmissionFormat) -> str | None:
    """Returns a line if the header has the right names in another order: all else follows from that."""
    names = [cell.text for cell in rows[0]]
    if tuple(names) == form.header or sorted(names) != sorted(form.header):
        return None
    got, wanted = (short(form.delimiter.join(some)) for some in (names, form.header))
    return f"header: got {got}, another order of columns; allowed: {wanted}"


def table_faults(rows: Sequence[Row], n_names: int, form: SubmissionFormat) -> list[str]:
    """Returns what differs between the cells of a file and of the sample, predictions apart.

    Args:
        rows: All rows, of the right width.
        n_names: How many of them are a header, 0 or 1.
        form: The competition's format.
    """
    faults = _header_faults(rows, n_names, form)
    got = [row[form.id_place].text for row in rows[n_names:]]
    fault = id_fault(got, form.ids) or _order_fault(got, form)
    if fault:
        return [*faults, fault]
    return faults + _kept_faults(rows[n_names:], form)


def _blank_fault(blank: Sequence[int], rows: Sequence[Row], form: SubmissionFormat) -> str | None:
    if not blank:
        return None
    _, template = form.template()
    if [number for number, row in enumerate(template, start=1) if not row] == list(blank):
        return None
    last = " at the end" if list(blank) == [len(rows)] else ""
    return (
        f"lines: got {len(blank)} blank ones{last}, first line {blank[0]}; allowed: as many as in the sample"
    )


def _width_fault(text: str, width: int, form: SubmissionFormat) -> str:
    allowed = f"{form.width}: {', '.join(form.header)}" if form.header else str(form.width)
    other = guess_delimiter(text, form.ids)
    if other != form.delimiter and usual_width(read_cells(text, other)) == form.width:
        got, wanted = DELIMITERS[other], DELIMITERS[form.delimiter]
        return f"delimiter: got {got}; allowed: {wanted}, as in the sample"
    return f"columns: got {width} in most rows; allowed: {allowed}"


def _header_faults(rows: Sequence[Row], n_names: int, form: SubmissionFormat) -> list[str]:
    wanted = short(form.delimiter.join(form.header))
    if n_names == 0:
        return [f"header: got none; allowed: {wanted}"] if form.header else []
    names = [cell.text for cell in rows[0]]
    got = short(form.delimiter.join(names))
    if not form.header:
        return [f"header: got {got}; allowed: none, as in the sample"]
    if tuple(names) == form.header:
        return []
    return [f"header: got {got}; allowed: {wanted}"]


def _order_fault(got: Sequence[str], form: SubmissionFormat) -> str | None:
    pairs = zip(got, form.ids, strict=True)
    first = next(((row, pair) for row, pair in enumerate(pairs, 1) if pair[0] != pair[1]), None)
    if first is None:
        return None
    row, (one, other) = first
    where = "the sample" if form.sample is not None else "the test file"
    return f"order: got id {short(one)} in row {row}; allowed: {short(other)}, as in {where}"


def _kept_faults(body: Sequence[Row], form: SubmissionFormat) -> list[str]:
    kept = [place for place in range(form.width) if place != form.id_place and place not in form.places]
    if not kept:
        return []
    _, template = form.template()
    wanted = [row for row in template if row][bool(form.header) :]
    faults = []
    for place in kept:
        pairs = enumerate(zip(body, wanted, strict=True), start=1)
        wrong = [(number, got[place].text, want[place].text) for number, (got, want) in pairs]
        wrong = [entry for entry in wrong if entry[1] != entry[2]]
        if wrong:
            name = form.header[place] if form.header else str(place + 1)
            number, one, other = wrong[0]
            faults.append(
                f"column {name}: got {short(one)} in row {number}, {len(wrong)} rows in all; "
                f"allowed: {short(other)}, as in the sample"
            )
    return faults
