"""What can be promoted: one evaluated configuration, or several blended."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from objectives.base import FloatArray


_SEED = re.compile(r"\bseed (\d+)")
_OF_ALL_ROWS = re.compile(r"(?:^|, )(\d+) of all rows$")


class PartKey(NamedTuple):
    """What tells a part from every other of the same study.

    Attributes:
        trial: Number of the trial.
        variant: How it was fitted anew after the search; empty for the trial as it was.
    """

    trial: int
    variant: str = ""


@dataclass(frozen=True)
class Part:
    """One configuration with predictions on the study's own folds; equal to another by trial and variant.

    Attributes:
        trial: Number of the trial whose configuration it is.
        params: The configuration as it was fitted, so that a variant's differs from the trial's.
        variant: How it was fitted anew after the search, in a word; empty for the trial as it was.
    """

    trial: int
    params: Mapping[str, Any] = field(compare=False)
    variant: str = ""

    @property
    def key(self) -> PartKey:
        """What tells it from the others; sorts, and may name a file."""
        return PartKey(self.trial, self.variant)

    @property
    def seed(self) -> int | None:
        """The models' seed where its variant names one, as `slow seed 2`; None: the study's."""
        named = _SEED.search(self.variant)
        return int(named[1]) if named else None

    @property
    def of_all_rows(self) -> int:
        """How many models of all rows join those of the folds, as `slow, 3 of all rows` says."""
        named = _OF_ALL_ROWS.search(self.variant)
        return int(named[1]) if named else 0

    @property
    def by_folds(self) -> Part:
        """The same without them."""
        return replace(self, variant=_OF_ALL_ROWS.sub("", self.variant))

    def joined(self, models: int) -> Part:
        """The same with so many of them."""
        fitted = self.by_folds.variant
        return replace(self, variant=f"{fitted}, {models} of all rows" if fitted else f"{models} of all rows")

    @property
    def name(self) -> str:
        """For people."""
        return f"trial {self.trial}" + (f", {self.variant}" if self.variant else "")

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {"trial": self.trial, "variant": self.variant, "params": dict(self.params)}

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Part:
        """The inverse of `to_json`."""
        return cls(int(known["trial"]), dict(known["params"]), str(known["variant"]))


@dataclass(frozen=True)
class Candidate:
    """A weighted mean of parts' predictions on the target's own scale.

    Attributes:
        name: For people: the part's own name, or `blend of 4`.
        parts: Each part with its weight; the weights are positive and sum to 1, the heaviest part comes first.
    """

    name: str
    parts: tuple[tuple[Part, float], ...]

    def __post_init__(self) -> None:
        weights = [weight for _, weight in self.parts]
        # A weight that is off by more than rounding would bias every prediction.
        assert min(weights, default=0.0) > 0, self.name
        assert math.isclose(math.fsum(weights), 1.0, abs_tol=1e-9), self.name

    @property
    def is_single(self) -> bool:
        """Whether it is one configuration rather than a blend."""
        return self.size == 1

    @property
    def size(self) -> int:
        """How many parts it has."""
        return len(self.parts)

    @property
    def lead(self) -> Part:
        """The part with the most weight."""
        return self.parts[0][0]

    def mixed(self, predictions: Mapping[Part, FloatArray]) -> FloatArray:
        """The weighted mean of its parts' predictions; a single part's are returned as they are.

        Args:
            predictions: Those of each part, all of one shape; NaN stays NaN.
        """
        if self.is_single:
            return predictions[self.lead]
        total = self.parts[0][1] * predictions[self.lead]
        # Always in the order of the parts, so that it is the same to the bit wherever it is made.
        for part, weight in self.parts[1:]:
            total = total + weight * predictions[part]
        return total

    def replacing(self, others: Mapping[Part, Part]) -> Candidate:
        """The same blend with other parts in the places of some, by the part that each replaces."""
        return replace(self, parts=tuple((others.get(part, part), weight) for part, weight in self.parts))

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        parts = [part.to_json() | {"weight": weight} for part, weight in self.parts]
        return {"name": self.name, "parts": parts}

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Candidate:
        """The inverse of `to_json`."""
        parts = tuple((Part.from_json(part), float(part["weight"])) for part in known["parts"])
        return cls(str(known["name"]), parts)


def single(part: Part) -> Candidate:
    """A part on its own."""
    return Candidate(part.name, ((part, 1.0),))


def blend_of(parts: tuple[tuple[Part, float], ...]) -> Candidate:
    """A blend with the heaviest part first; what is left of a single one is that part on its own.

    Args:
        parts: Each with its positive weight, of any sum.
    """
    total = math.fsum(weight for _, weight in parts)
    ordered = sorted(parts, key=lambda pair: (-pair[1], pair[0].key))
    if len(ordered) == 1:
        return single(ordered[0][0])
    return Candidate(f"blend of {len(ordered)}", tuple((part, weight / total) for part, weight in ordered))
