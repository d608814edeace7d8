"""Slash-separated tag ids of the built-in sample, such as `210101/220301/230401`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from objectives.data.sample_places import Bools, Floats

FEWEST, MOST = 6, 16
_CHUNK = 20_000


@dataclass(frozen=True)
class TagCatalogue:
    """Known tags: how common they are and what they add to the log rent.

    Attributes:
        names: Tag ids in ascending order, shape (n_tags,).
        weight: Relative frequency, shape (n_tags,).
        effect: Log rent, zero for nearly all, shape (n_tags,).
    """

    names: list[str]
    weight: Floats
    effect: Floats


def make_catalogue(rng: np.random.Generator, first: int, size: int, telling: int) -> TagCatalogue:
    """Invents a catalogue.

    Args:
        rng: Source of every draw.
        first: Number in front of every tag id, two digits.
        size: How many tags.
        telling: How many of them matter for the rent.
    """
    names = [f"{first}{group // 10:02d}{group % 10 + 1:02d}" for group in range(10, size + 10)]
    effect = np.zeros(size)
    effect[rng.permutation(size)[:telling]] = rng.choice([-0.04, 0.03, 0.05, 0.08], telling)
    return TagCatalogue(names, 0.1 + rng.gamma(0.8, 1.0, size), effect)


def draw_tags(rng: np.random.Generator, catalogue: TagCatalogue, size: int) -> tuple[list[str], Floats]:
    """Draws 6 to 16 tags for each of `size` things; returns their text and their summed effect."""
    texts: list[str] = []
    effects = [np.empty(0)]
    for start in range(0, size, _CHUNK):
        chosen = _choose(rng, catalogue.weight, min(_CHUNK, size - start))
        texts += _join(catalogue.names, chosen)
        effects.append(chosen @ catalogue.effect)
    return texts, np.concatenate(effects)


def _choose(rng: np.random.Generator, weight: Floats, size: int) -> Bools:
    """Marks each row's tags, shape (size, n_tags); common tags come first with a small u / weight."""
    order = np.argpartition(rng.random((size, len(weight))) / weight, MOST - 1, axis=1)[:, :MOST]
    count = rng.integers(FEWEST, MOST + 1, size)
    chosen = np.zeros((size, len(weight)), dtype=np.bool_)
    # The partition's own order depends on the CPU: sorted, it does not.
    kept = np.sort(order, axis=1)
    rank = np.argsort(rng.random(kept.shape), axis=1, kind="stable")
    np.put_along_axis(chosen, kept, rank < count[:, None], axis=1)
    return chosen


def _join(names: list[str], chosen: Bools) -> list[str]:
    rows, tags = np.nonzero(chosen)
    ends = np.searchsorted(rows, np.arange(len(chosen)), side="right").tolist()
    words = [names[tag] for tag in tags.tolist()]
    return ["/".join(words[a:b]) for a, b in zip([0, *ends], ends, strict=False)]
