"""The synthetic buildings of the built-in sample: where they stand, what they are, what they hide."""

# ruff: noqa: PLR2004 - the numbers are the invention itself; a name for each would hide the sentence
from __future__ import annotations

import numpy as np
import pandas as pd

from objectives.data.sample_places import Bools, Floats, Ints, Places, Texts, read_places

LUXURY_LEVEL = 3500
# fmt: off
TOWNS = np.array([
    "本町", "中央", "栄町", "東町", "西町", "南町", "北町", "緑町",
    "旭町", "泉町", "桜台", "新町", "幸町", "若葉町", "富士見", "松原",
])
# fmt: on
FIRST_YEAR, LAST_MONTH = 1968, 2022 * 12 + 8


def make_buildings(rng: np.random.Generator, size: int) -> pd.DataFrame:
    """Invents buildings, oldest first, one a row.

    Columns that start with `hidden_` drive the rent and never reach a file.

    Args:
        rng: Source of every draw.
        size: How many.
    """
    places = read_places()
    ward = _weighted(rng, places.weight, size)
    table = pd.DataFrame({"ward": ward, "building_id": _ids(rng, size)})
    _add_body(rng, table, places)
    _add_address(rng, table, places)
    _add_stations(rng, table, places)
    _add_surroundings(rng, table)
    _add_hidden(rng, table, places)
    return table


def _weighted(rng: np.random.Generator, weights: Floats | list[float], size: int) -> Ints:
    """Draws indices with the given weights."""
    edges = np.cumsum(weights)
    found = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.asarray(found, dtype=np.int64)


def _ids(rng: np.random.Generator, size: int) -> Texts:
    numbers = rng.permutation(max(10 * size, 1_000_000))[:size]
    return np.array([f"b{number:07d}" for number in numbers])


def _add_body(rng: np.random.Generator, table: pd.DataFrame, places: Places) -> None:
    """Adds age, type (1 mansion, 2 house, 3 apartment), structure, height and number of units."""
    size = len(table)
    level = places.level[table["ward"]]
    urban = np.clip((level - 1000) / 3000, 0, 1)
    age = rng.gamma(2.2, 9.0, size) * 12
    month = np.sort(np.clip(LAST_MONTH - age, FIRST_YEAR * 12, LAST_MONTH).astype(np.int64))
    draw = rng.random(size)
    kind = np.where(draw < 0.35 + 0.4 * urban, 1, np.where(draw < 0.94, 3, 2))
    modern = (kind == 1) & (month >= 1998 * 12)
    luxury = modern & (level >= LUXURY_LEVEL) & (rng.random(size) < 0.25)
    towers = modern & (rng.random(size) < 0.03 + 0.07 * urban + 0.4 * luxury)
    floors = np.where(kind == 1, _height(rng, urban, towers), np.where(rng.random(size) < 0.8, 2, 3))
    units = 2 + rng.gamma(1.2, 3, size) * (1 + (floors > 12))
    table["built"], table["building_type"], table["floor_count"] = month, kind, floors
    solid = np.array([5, 4, 3])[_weighted(rng, [0.68, 0.17, 0.15], size)]
    solid[luxury], solid[modern & (level >= LUXURY_LEVEL) & ~luxury & (solid == 4)] = 4, 5
    light = np.array([1, 9, 3])[_weighted(rng, [0.62, 0.24, 0.14], size)]
    table["building_structure"] = np.where(kind == 1, solid, light)
    # The register of buildings opened in 2004; what is older carries a date of that year.
    entry, days = np.maximum(month, 2004 * 12).tolist(), rng.integers(1, 29, size).tolist()
    dates = zip(entry, days, strict=True)
    table["building_create_date"] = [f"{m // 12}-{m % 12 + 1:02d}-{d:02d}" for m, d in dates]
    table["hidden_units"] = np.where(kind == 2, 1, units).astype(np.int64)
    table["hidden_luxury"], table["hidden_urban"] = luxury, urban


def _height(rng: np.random.Generator, urban: Floats, towers: Bools) -> Ints:
    usual = 3 + rng.gamma(1.6, 2.6, len(urban)) * (0.6 + urban)
    high = 18 + rng.gamma(2.0, 7.0, len(urban))
    return np.clip(np.where(towers, high, usual), 3, 54).astype(np.int64)


def _add_address(rng: np.random.Generator, table: pd.DataFrame, places: Places) -> None:
    """Adds address, post code and coordinates (degrees, to about a decimetre)."""
    size, ward = len(table), table["ward"].to_numpy()
    town, chome = rng.integers(0, len(TOWNS), size), rng.integers(1, 7, size)
    block, lot = rng.integers(1, 31, size), rng.integers(1, 26, size)
    prefecture, city = places.prefecture[ward], places.city[ward]
    parts = zip(prefecture, city, TOWNS[town], chome, block, lot, strict=True)
    table["full_address"] = [f"{p}{c}{t}{n}丁目{b}-{x}" for p, c, t, n, b, x in parts]
    table["addr1_1"], table["addr1_2"], table["post1"] = prefecture, city, places.post1[ward]
    table["post2"] = [f"{number:04d}" for number in town * 7 + chome]
    # A town is a small patch of its ward, so that coordinates and post code tell the same story.
    table["lon"] = np.round(places.lon[ward] + (town % 4 - 1.5) * 0.011 + rng.normal(0, 0.004, size), 6)
    table["lat"] = np.round(places.lat[ward] + (town // 4 - 1.5) * 0.009 + rng.normal(0, 0.003, size), 6)
    table["hidden_town"] = ward * len(TOWNS) + town


def _add_stations(rng: np.random.Generator, table: pd.DataFrame, places: Places) -> None:
    """Adds the nearest station of the ward and, for most, a second one; distances in metres."""
    size, ward = len(table), table["ward"].to_numpy()
    count, first = places.count[ward], places.first[ward]
    nearest = rng.integers(0, count)
    other = (nearest + rng.integers(1, np.maximum(count, 2))) % count
    near = np.clip(rng.gamma(2.0, 330.0, size), 80, 4000).astype(np.int64) // 10 * 10
    far = np.clip(near + rng.gamma(1.5, 500.0, size), 160, 6000).astype(np.int64) // 10 * 10
    bus = (near > 1500) & (rng.random(size) < 0.6)
    second = (count > 1) & (rng.random(size) < 0.7)
    table["rosen_name1"], table["eki_name1"] = places.line[first + nearest], places.station[first + nearest]
    table["walk_distance1"] = near
    table["bus_time1"] = sometimes(near // 300 + rng.integers(1, 6, size), bus)
    table["rosen_name2"] = pd.Series(places.line[first + other]).where(second)
    table["eki_name2"] = pd.Series(places.station[first + other]).where(second)
    table["walk_distance2"] = sometimes(far, second)
    table["hidden_station"] = first + nearest


def _add_surroundings(rng: np.random.Generator, table: pd.DataFrame) -> None:
    """Adds distances in metres to what is around; most of them say next to nothing about the rent."""
    for name, typical, known in (
        ("school_ele_distance", 550, 0.7),
        ("convenience_distance", 260, 0.8),
        ("super_distance", 480, 0.75),
        ("hospital_distance", 620, 0.6),
        ("park_distance", 390, 0.55),
    ):
        metres = 20 + rng.gamma(1.8, typical / 1.8, len(table)).astype(np.int64)
        table[name] = sometimes(metres, rng.random(len(table)) < known)


def _add_hidden(rng: np.random.Generator, table: pd.DataFrame, places: Places) -> None:
    """Adds what no column tells: the standing of station, town and building itself (log rent)."""
    station = rng.normal(0, 0.05, len(places.station))
    town = rng.normal(0, 0.04, len(places.city) * len(TOWNS))
    table["hidden_level"] = 0.7 * np.log(places.level[table["ward"]] / 2000) + np.log(2000)
    table["hidden_spot"] = station[table["hidden_station"]] + town[table["hidden_town"]]
    luxury = table["hidden_luxury"].to_numpy()
    table["hidden_standing"] = rng.normal(0, 0.04, len(table)) + luxury * rng.normal(0, 0.03, len(table))


def sometimes(values: Ints, known: Bools) -> pd.Series[int]:
    """Whole numbers of which only some are known; the others are missing (nullable `Int64`)."""
    return pd.Series(values, dtype="Int64").where(pd.Series(known))
