"""Whether a competition wants classes or probabilities, and how it writes a class."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from storage.submission.numbers import NumberStyle, find_style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from storage.submission.form import Kind, Wanted

_NUMBER = NumberStyle()
_CASES: tuple[Callable[[str], str], ...] = (str, str.lower, str.upper, str.title)
_FRACTION = re.compile(r"\d*[.,]\d*[1-9]\d*", re.ASCII)
_ZERO_AND_ONE = {0.0, 1.0}


def find_kind(texts: Sequence[str], wanted: Wanted, *, n_columns: int) -> Kind:
    """Tells what a sample wants.

    Args:
        texts: Its predictions.
        wanted: What is to be submitted.
        n_columns: How many columns hold them.
    """
    if not wanted.classes:
        return "number"
    if n_columns > 1:
        return "probability"
    if len(wanted.classes) > 2:  # noqa: PLR2004 - one probability says all of two classes
        return "label"
    shown = dict.fromkeys(texts)
    if any(_FRACTION.fullmatch(text) for text in shown):
        return "probability"
    if all(_same_class(text, wanted.classes) is not None for text in shown):
        # Of 0 and 1 alone only the score can tell; other labels are none by chance.
        numbers = {_NUMBER.read(label) for label in wanted.classes}
        return "label" if wanted.wants_labels or numbers != _ZERO_AND_ONE else "probability"
    return "label" if wanted.wants_labels else "probability"


def label_texts(texts: Sequence[str], classes: Sequence[str]) -> tuple[str, ...]:
    """Returns how each class is written: as in the sample where it is there, else in the sample's manner."""
    seen = {index: text for text in dict.fromkeys(texts) if (index := _same_class(text, classes)) is not None}
    if not seen:
        return tuple(classes)
    numbers = [_NUMBER.read(label) for label in classes]
    if all(number is not None for number in numbers):
        style = find_style(list(seen.values()))
        written = [style.write(number) for number in numbers if number is not None]
    else:
        case = next(
            (c for c in _CASES if all(c(classes[index]) == text for index, text in seen.items())), str
        )
        written = [case(label) for label in classes]
    return tuple(seen.get(index, text) for index, text in enumerate(written))


def _same_class(text: str, classes: Sequence[str]) -> int | None:
    """Returns the class that a text means: the same text, the same number, or the same letters."""
    if text in classes:
        return classes.index(text)
    number = _NUMBER.read(text)
    for index, label in enumerate(classes):
        same_number = number is not None and _NUMBER.read(label) == number
        if same_number or label.casefold() == text.casefold():
            return index
    return None
