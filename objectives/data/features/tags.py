"""Lists in one cell, such as `parking/elevator/pets`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from objectives.data.features.values import as_text, each_text_once

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from objectives.base import FloatArray

SEPARATORS = ("/", "|", ";", ",", "、")
_MOST_TAGS = 50
_RAREST = 0.005
_FEWEST_ROWS = 5


@dataclass(frozen=True)
class Tags:
    """One indicator (0 or 1) for each frequent tag, and the number of tags in the cell.

    Attributes:
        name: The raw column.
        separator: What stands between two tags.
        levels: The tags that have an indicator.
    """

    name: str
    separator: str
    levels: tuple[str, ...]
    kind: Literal["tags"] = "tags"

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw column."""
        return (self.name,)

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in order."""
        return (*(f"{self.name}={level}" for level in self.levels), f"{self.name}.count")

    def encode(self, values: pd.Series) -> FloatArray:
        """Shape (n, tags + 1); a missing list is missing in each."""
        return each_text_once(values, self._encode, len(self.levels) + 1)

    def _encode(self, texts: list[str]) -> NDArray[np.float64]:
        places = {level: i for i, level in enumerate(self.levels)}
        rows = np.zeros((len(texts), len(self.levels) + 1))
        for row, text in zip(rows, texts, strict=True):
            tags = split(text, self.separator)
            row[[places[tag] for tag in tags if tag in places]] = 1
            row[-1] = len(tags)
        return rows


def split(text: str, separator: str) -> set[str]:
    """The distinct tags of a cell."""
    return {tag for part in text.split(separator) if (tag := part.strip())}


def count_tags(values: pd.Series, separator: str) -> Counter[str]:
    """In how many of the rows each tag is."""
    cells = Counter(text for text in as_text(values) if text is not None)
    counts: Counter[str] = Counter()
    for text, n in cells.items():
        for tag in split(text, separator):
            counts[tag] += n
    return counts


def find_separator(values: pd.Series) -> str:
    """The separator that most cells have; the first one if none has any."""
    texts = [text for text in as_text(values) if text is not None]
    return max(SEPARATORS, key=lambda separator: sum(separator in text for text in texts))


def learn_tags(values: pd.Series) -> Tags:
    """Finds separator and frequent tags of a column in the training rows."""
    separator, n = find_separator(values), len(values)
    counts = count_tags(values, separator)
    least = max(_RAREST * n, min(_FEWEST_ROWS, n / 10))
    frequent = [tag for tag, count in counts.items() if least <= count < n]
    most = sorted(frequent, key=lambda tag: (-counts[tag], tag))[:_MOST_TAGS]
    return Tags(str(values.name), separator, tuple(sorted(most)))
