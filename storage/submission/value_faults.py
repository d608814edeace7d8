"""What is wrong with the predictions in a file: no numbers, no classes, no probabilities."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from storage.submission.wording import examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from storage.submission.cells import Row
    from storage.submission.form import SubmissionFormat

SUM_TOLERANCE = 0.01
"""How far a row of probabilities may be from 1; competitions print as few as three decimals."""

_MISSING = {"", "nan", "na", "n/a", "null", "none", "nat", "<na>", "#n/a", "-", "?"}
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_OTHER_MARK = re.compile(r"[+-]?\d{1,3}(?:[ ,.']\d{3})+(?:[.,]\d+)?|[+-]?\d+[,.]\d+", re.ASCII)


def value_faults(body: Sequence[Row], form: SubmissionFormat) -> list[str]:
    """Returns what is wrong with the values, a line for each kind of fault.

    Args:
        body: The rows below the header, of the right width.
        form: The competition's format.
    """
    found: dict[str, list[str]] = {}
    for row in body:
        for kind, text in _row_faults([row[place].text for place in form.places], form):
            found.setdefault(kind, []).append(f"{text} for id {row[form.id_place].text}")
    allowed = _allowed(form)
    return [
        f"values: got {len(places)} that are {kind}, {examples(places)}; allowed: {allowed}"
        for kind, places in found.items()
    ]


def _row_faults(texts: list[str], form: SubmissionFormat) -> Iterator[tuple[str, str]]:
    if form.kind == "label":
        yield from ((_label_kind(text), text) for text in texts if text not in form.labels)
        return
    total = 0.0
    for text in texts:
        value = form.numbers.read(text)
        kind = _number_kind(text, value)
        if kind is None and form.kind == "probability" and value is not None and not 0 <= value <= 1:
            kind = "no probabilities"
        if kind is not None:
            yield kind, text
            total = math.nan
        elif value is not None:
            total += value
    if form.order and abs(total - 1) > SUM_TOLERANCE:
        yield "rows of probabilities that do not sum to 1", f"{total:.4g}"


def _label_kind(text: str) -> str:
    return "missing" if text.lower() in _MISSING else "not among the classes"


def _number_kind(text: str, value: float | None) -> str | None:
    """Names what a value is that is no finite number."""
    if value is not None:
        return "infinite" if math.isinf(value) else None
    if text.lower() in _MISSING:
        return "NaN" if text.lower() == "nan" else "missing"
    if _INFINITE.fullmatch(text):
        return "infinite"
    if _OTHER_MARK.fullmatch(text):
        return "numbers with another decimal mark or with separators"
    return "no number"


def _allowed(form: SubmissionFormat) -> str:
    if form.kind == "label":
        return f"the classes {', '.join(form.labels[:10])}{' ...' if len(form.labels) > 10 else ''}"  # noqa: PLR2004
    if form.kind == "probability":
        return "numbers from 0 to 1" + (", 1 in each row" if form.order else "")
    return "finite numbers" + (" with a decimal comma" if form.numbers.mark == "," else "")
