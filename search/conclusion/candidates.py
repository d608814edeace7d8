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
_OF_ALL_ROWS = re.compile(r"(?:^|, )(\d+) of all rows, ([\d.]+) rounds$")


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
        """How many models of all rows it has and none of folds, as `slow, 3 of all rows, 120.4 rounds` says."""
        named = _OF_ALL_ROWS.search(self.variant)
        return int(named[1]) if named else 0

    @property
    def rounds(self) -> float:
        """Mean of the rounds that the folds kept, where it has models of all rows."""
        named = _OF_ALL_ROWS.search(self.variant)
        return float(named[2]) if named else 0.0

    @property
    def by_folds(self) -> Part:
        """The same with the models of the folds instead."""
        return replace(self, variant=_OF_ALL_ROWS.sub("", self.variant))

    def whole(self, models: int, rounds: float) -> Part:
        """The same with so many models of all rows instead; scored by those of its folds."""
        fitted = [self.by_folds.variant] if self.by_folds.variant else []
        return replace(self, variant=", ".join([*fitted, f"{models} of all rows", f"{rounds:.1f} rounds"]))

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
        parts: Each part with its weight; the weights are positive and sum to 1. The heaviest comes first, and next to
            a part its models of all rows.
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
        return len(self.configurations) == 1

    @property
    def is_plain(self) -> bool:
        """Whether it is a trial as it ran."""
        return len(self.parts) == 1 and not self.lead.variant

    @property
    def trial(self) -> int | None:
        """The trial that it is, maybe with models of all rows beside; None: a blend, or fitted anew."""
        return self.lead.trial if self.is_single and not self.lead.variant else None

    @property
    def configurations(self) -> tuple[Part, ...]:
        """What it is made of, without telling models of all rows from those of folds."""
        return tuple(self.shares)

    @property
    def shares(self) -> dict[Part, float]:
        """The weight of each configuration, in order, that of its models of all rows included."""
        found: dict[Part, float] = {}
        for part, weight in self.parts:
            found[part.by_folds] = found.get(part.by_folds, 0.0) + weight
        return found

    @property
    def lead(self) -> Part:
        """The part with the most weight."""
        return self.parts[0][0]

    def mixed(self, predictions: Mapping[Part, FloatArray]) -> FloatArray:
        """The weighted mean of its parts' predictions; a single part's are returned as they are.

        Args:
            predictions: Those of each part, all of one shape; NaN stays NaN.
        """
        if len(self.parts) == 1:
            return predictions[self.lead]
        total = self.parts[0][1] * predictions[self.lead]
        # Always in the order of the parts, so that it is the same to the bit wherever it is made.
        for part, weight in self.parts[1:]:
            total = total + weight * predictions[part]
        return total

    def joined(self, wholes: Mapping[Part, Part], folds: int) -> Candidate:
        """The same with models of all rows beside those of some parts' folds.

        Args:
            wholes: The part with models of all rows, by the part with those of the folds.
            folds: Models of these in a part; each model counts the same.
        """
        parts: list[tuple[Part, float]] = []
        for part, weight in self.parts:
            whole = wholes.get(part)
            share = whole.of_all_rows / (folds + whole.of_all_rows) if whole else 0.0
            parts.append((part, weight * (1 - share)))
            parts += [(whole, weight * share)] if whole else []
        more = f" and {parts[1][0].of_all_rows} of all rows" if self.is_single else ""
        return replace(self, name=self.name + more, parts=tuple(parts))

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
