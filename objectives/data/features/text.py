"""Long text: how much of it, and a bag of its characters."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from objectives.data.features.values import each_text_once

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from objectives.base import FloatArray

WIDTH = 32


@dataclass(frozen=True)
class Text:
    """Number of characters and words, and the counts of its hashed pairs of neighbouring characters.

    Pairs of characters need no dictionary and no blanks between words, so Japanese works. Full-width and
    half-width forms of a character are one, as are capitals and small letters.
    """

    name: str
    width: int = WIDTH
    kind: Literal["text"] = "text"

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw column."""
        return (self.name,)

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in order."""
        bag = (f"{self.name}#{i}" for i in range(self.width))
        return (f"{self.name}.length", f"{self.name}.words", *bag)

    def encode(self, values: pd.Series) -> FloatArray:
        """Shape (n, 2 + width); a missing text is missing in each."""
        return each_text_once(values, self._encode, 2 + self.width)

    def _encode(self, texts: list[str]) -> NDArray[np.float64]:
        from sklearn.feature_extraction.text import HashingVectorizer

        plain = [unicodedata.normalize("NFKC", text) for text in texts]
        bag = HashingVectorizer(
            analyzer="char", ngram_range=(2, 2), n_features=self.width, alternate_sign=False, norm=None
        )
        sizes = [[len(text), len(text.split())] for text in plain]
        return np.hstack([np.asarray(sizes, np.float64), bag.transform(plain).toarray()])
