"""The wards of the built-in sample and their stations, from `sample_places.csv`.

Prefectures, wards, lines and stations carry real names and rough coordinates; the levels of rent and the
weights are rough guesses.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[Any]

_TABLE = Path(__file__).with_name("sample_places.csv")


@dataclass(frozen=True)
class Places:
    """The table of wards, one array an attribute, and their stations behind one another.

    Attributes:
        prefecture, city, post1: Names, shape (n_wards,).
        lat, lon, level, weight: Centre in degrees, yen per square metre, share; shape (n_wards,).
        first, count: Where a ward's stations start in `line` and `station`, and how many it has.
        line, station: Names, shape (n_stations,).
    """

    prefecture: Texts
    city: Texts
    post1: Texts
    lat: Floats
    lon: Floats
    level: Floats
    weight: Floats
    first: Ints
    count: Ints
    line: Texts
    station: Texts


def read_places() -> Places:
    """Reads the table of wards that comes with the package."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    stops = [_stations(row["stations"]) for row in rows]
    count = np.array([len(ward) for ward in stops])

    def numbers(name: str) -> Floats:
        return np.array([float(row[name]) for row in rows])

    return Places(
        prefecture=np.array([row["prefecture"] for row in rows]),
        city=np.array([row["city"] for row in rows]),
        post1=np.array([row["post1"] for row in rows]),
        lat=numbers("lat"),
        lon=numbers("lon"),
        level=numbers("yen_per_m2"),
        weight=numbers("weight"),
        first=np.cumsum(count) - count,
        count=count,
        line=np.array([line for ward in stops for line, _ in ward]),
        station=np.array([station for ward in stops for _, station in ward]),
    )


def _stations(cell: str) -> list[tuple[str, str]]:
    lines = (part.split(":") for part in cell.split(";"))
    return [(line, station) for line, stations in lines for station in stations.split()]
