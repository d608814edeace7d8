"""What is wrong with a file between its cells: ends of lines, quotes, spaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.submission.cells import line_ends
from storage.submission.wording import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.submission.cells import Row
    from storage.submission.form import SubmissionFormat

_NAMES = {"\r\n": "CRLF", "\n": "LF", "\r": "CR", "": "no line end"}
_ENDS = ("\r\n", "\n", "\r")


def text_faults(text: str, rows: Sequence[Row], n_names: int, form: SubmissionFormat) -> list[str]:
    """Returns what differs in the text around the cells, a line each; nothing where their number differs.

    Args:
        text: The file's text.
        rows: Its rows, of the right width.
        n_names: How many of them are a header, 0 or 1.
        form: The competition's format.
    """
    faults = _end_faults(text, form)
    if faults or len(rows) - n_names != len(form.ids) or n_names != bool(form.header):
        return faults
    wanted_text, lines = form.template()
    template = [row for row in lines if row]
    return _around_faults(text, rows, wanted_text, template)


def _end_faults(text: str, form: SubmissionFormat) -> list[str]:
    wanted_text, _ = form.template()
    got, wanted = line_ends(text), line_ends(wanted_text)
    if got.keys() - wanted.keys():
        allowed = " and ".join(_NAMES[end] for end in wanted) or "none"
        counts = ", ".join(f"{n} {_NAMES[end]}" for end, n in got.items())
        return [f"line ends: got {counts}; allowed: {allowed}, as in the sample"]
    last, allowed_last = _last(text), _last(wanted_text)
    if last != allowed_last:
        return [f"last line: got {_NAMES[last]} after it; allowed: {_NAMES[allowed_last]}, as in the sample"]
    return []


def _last(text: str) -> str:
    return next((end for end in _ENDS if text.endswith(end)), "")


def _around_faults(text: str, rows: Sequence[Row], wanted: str, template: Sequence[Row]) -> list[str]:
    """Compares the text around each cell; one line for quotes, one for spaces."""
    found: dict[str, str] = {}
    for number, (row, other) in enumerate(zip(rows, template, strict=True), start=1):
        for place, (cell, model) in enumerate(zip(row, other, strict=True), start=1):
            one = text[max(0, cell.start - 1) : cell.start], text[cell.end : cell.end + 1]
            two = wanted[max(0, model.start - 1) : model.start], wanted[model.end : model.end + 1]
            kind = _kind_of(one, two)
            if kind and kind not in found:
                got, allowed = short("…".join(one)), short("…".join(two))
                found[kind] = (
                    f"{kind}: got {got} around cell {place} of row {number}; allowed: {allowed}, as in the sample"
                )
    return list(found.values())


def _kind_of(one: tuple[str, str], two: tuple[str, str]) -> str | None:
    if one == two:
        return None
    if ('"' in one) != ('"' in two):
        return "quotes"
    return "spaces" if (" " in one) != (" " in two) else None
