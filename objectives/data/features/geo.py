"""Points on a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from objectives.data.features.values import as_numbers

if TYPE_CHECKING:
    import pandas as pd

    from objectives.base import FloatArray

_REFERENCES = 4
_MOST_POINTS = 10_000
_OUTER = 1.0
_DIGITS = 6


@dataclass(frozen=True)
class Geo:
    """Coordinates turned by 45 degrees, and distances to reference points.

    A tree cuts parallel to the axes; these let it cut across, and around the middle and the edges of the map.

    Attributes:
        latitude: The raw column that points north, in any unit.
        longitude: The raw column that points east, in the same unit.
        squeeze: What a unit of longitude is worth in units of latitude here.
        references: The points, as (latitude, longitude).
    """

    latitude: str
    longitude: str
    squeeze: float
    references: tuple[tuple[float, float], ...]
    kind: Literal["geo"] = "geo"

    @property
    def name(self) -> str:
        """As in the settings."""
        return f"{self.latitude}:{self.longitude}"

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw columns."""
        return (self.latitude, self.longitude)

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in order."""
        distances = (f"{self.name}.distance_{i}" for i in range(len(self.references)))
        return (f"{self.name}.north_east", f"{self.name}.north_west", *distances)

    def encode(self, latitude: pd.Series, longitude: pd.Series) -> FloatArray:
        """Shape (n, 2 + references), in units of latitude."""
        north, east = as_numbers(latitude), as_numbers(longitude) * self.squeeze
        features = [(north + east) / np.sqrt(2), (north - east) / np.sqrt(2)]
        features += [np.hypot(north - y, east - x * self.squeeze) for y, x in self.references]
        return np.column_stack(features)


def learn_geo(latitude: pd.Series, longitude: pd.Series) -> Geo:
    """Finds reference points in the training rows: the middle, then each farthest from those before.

    The outer percent on each side is left out, where the slips of the pen are.
    """
    points = np.column_stack([as_numbers(latitude), as_numbers(longitude)])
    points = points[np.isfinite(points).all(axis=1)]
    squeeze = _squeeze(points)
    low, high = np.percentile(points, [_OUTER, 100 - _OUTER], axis=0)
    inner = points[((points >= low) & (points <= high)).all(axis=1)]
    inner = inner[:: max(1, len(inner) // _MOST_POINTS)]
    references = [np.median(points, axis=0)]
    scale = np.array([1.0, squeeze])
    while len(inner) and len(references) < _REFERENCES:
        gaps = [np.hypot(*((inner - reference) * scale).T) for reference in references]
        references.append(inner[int(np.argmax(np.min(gaps, axis=0)))])
    return Geo(
        str(latitude.name), str(longitude.name), squeeze, tuple((float(y), float(x)) for y, x in references)
    )


def _squeeze(points: FloatArray) -> float:
    """Meridians meet at the poles; columns in metres, or in milliseconds of arc, are known by their size."""
    latitude = np.abs(points[:, 0])
    highest = float(latitude.max(initial=0.0))
    milliseconds = 3_600_000.0
    if highest > 90.0:  # noqa: PLR2004 - degrees of a quarter
        degrees_east = np.abs(points[:, 1]).max(initial=0.0) / milliseconds
        if not (10 < highest / milliseconds <= 90 and degrees_east <= 180):  # noqa: PLR2004
            return 1.0
        latitude = latitude / milliseconds
    return round(float(np.cos(np.radians(np.median(latitude)))), _DIGITS)
