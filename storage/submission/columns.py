"""Which column of a sample is what: the id, the predictions, and those to keep as they are."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from storage.submission.form import PREDICTION
from storage.submission.wording import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.submission.cells import Row
    from storage.submission.form import Wanted

_NUMERIC = re.compile(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?", re.ASCII)
_LOOKED_AT = 1_000


class Columns(NamedTuple):
    """A sample's columns.

    Attributes:
        id_place: Which one holds the ids.
        places: Which ones hold predictions.
        order: For each of `places`, its class; empty where one column holds all.
    """

    id_place: int
    places: tuple[int, ...]
    order: tuple[int, ...] = ()


class SampleError(ValueError):
    """A sample that cannot be copied; the message is one line: got, allowed, do."""


def has_header(rows: Sequence[Row], ids: Sequence[str]) -> bool:
    """Tells whether the first row holds names: a first row with a test id in it holds values."""
    known = set(ids)
    return not any(cell.text in known for cell in rows[0])


def find_columns(names: Sequence[str], body: Sequence[Row], wanted: Wanted) -> Columns:
    """Finds what each column is.

    Args:
        names: The header's names; empty for none.
        body: The rows below it, all of one width.
        wanted: What is to be submitted.

    Raises:
        SampleError: If that cannot be told.
    """
    id_place = _id_place(body, wanted.ids)
    others = [place for place in range(len(body[0])) if place != id_place]
    if not others:
        raise SampleError(
            "columns: got the id alone; allowed: the id and a prediction; do: give a whole sample file"
        )
    order = _class_order(names, others, wanted)
    if order:
        places = tuple(sorted(order))
        return Columns(id_place, places, tuple(order[place] for place in places))
    return Columns(id_place, (_single(names, body, others, wanted),))


def _id_place(body: Sequence[Row], ids: Sequence[str]) -> int:
    known = set(ids)
    found = Counter(
        place for row in body[:_LOOKED_AT] for place, cell in enumerate(row) if cell.text in known
    )
    # Of equals the first: predictions may look like ids.
    return max(range(len(body[0])), key=lambda place: (found[place], -place))


def _class_order(names: Sequence[str], others: Sequence[int], wanted: Wanted) -> dict[int, int]:
    """Returns the class of each column that has one; empty where there is not a column a class."""
    n_classes = len(wanted.classes)
    if n_classes == 0 or wanted.column is not None or len(others) < n_classes or len(others) == 1:
        return {}
    if not names:
        if len(others) != n_classes:
            return {}
        return {place: index for index, place in enumerate(others)}
    found = {place: _position(names[place], wanted.classes) for place in others}
    matched = {place: index for place, index in found.items() if index >= 0}
    if sorted(matched.values()) == list(range(n_classes)):
        return matched
    if len(others) == n_classes and n_classes > 2:  # noqa: PLR2004 - two classes also have a single column
        raise SampleError(
            f"column names: got {', '.join(names[place] for place in others)}; allowed: one for each class, in "
            f"any order ({', '.join(wanted.classes)}), also as <word>_<class>; do: rename them"
        )
    return {}


def _position(name: str, classes: Sequence[str]) -> int:
    # Samples name a class's column `C`, or with a word before it: `Status_C`, `class_3`.
    fitting = [place for place, label in enumerate(classes) if f"_{name}".endswith(f"_{label}")]
    return max(fitting, key=lambda place: len(classes[place]), default=-1)


def _single(names: Sequence[str], body: Sequence[Row], others: Sequence[int], wanted: Wanted) -> int:
    """Returns the one column that holds predictions."""
    if wanted.column is not None:
        return _named(names, others, wanted.column)
    if len(others) == 1:
        return others[0]
    for word in (wanted.target, PREDICTION):
        named = [place for place in others if names and names[place].casefold() == word.casefold()]
        if len(named) == 1:
            return named[0]
    numeric = [place for place in others if all(_NUMERIC.fullmatch(row[place].text) for row in body)]
    for choice in (numeric, [place for place in numeric if len({row[place].text for row in body}) > 1]):
        if len(choice) == 1:
            return choice[0]
    shown = examples([names[place] if names else f"column {place + 1}" for place in others])
    raise SampleError(
        f"columns: got {len(others)} besides the id, {shown}; allowed: one that holds the prediction, named "
        f"{wanted.target} or {PREDICTION} or the only numeric one; do: say which with --prediction-column"
    )


def _named(names: Sequence[str], others: Sequence[int], column: str) -> int:
    allowed = [names[place] if names else str(place + 1) for place in others]
    if column not in allowed:
        raise SampleError(
            f"--prediction-column: got {column!r}; allowed: {', '.join(allowed)}; do: name one of the sample's"
        )
    return others[allowed.index(column)]
