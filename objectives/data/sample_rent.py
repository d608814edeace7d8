"""The rent of the synthetic listings: what the columns tell, what they hide, and chance.

A product, so that its logarithm is a sum: area by place, age by area and structure, walk, floor, layout,
surroundings, some tags and the period are told by columns; the standing of a spot, a building and a unit is
not. Large flats in luxury buildings of dear wards make the long right tail.
"""

# ruff: noqa: PLR2004 - the numbers are the invention itself; a name for each would hide the sentence
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from objectives.data.sample_places import Floats, Ints


def draw_rent(rng: np.random.Generator, listings: pd.DataFrame) -> Ints:
    """Draws the monthly rent in yen, in steps of 500 or 1,000, shape (n_listings,)."""
    size = len(listings)
    told = _place_and_size(listings) + _age(listings) + _comfort(listings) + _surroundings(listings)
    untold = sum(listings[f"hidden_{name}"].to_numpy() for name in ("spot", "standing", "unit", "tags"))
    odd = rng.random(size) < 0.02
    noise = rng.normal(0, 0.06, size) + odd * rng.normal(0, 0.2, size)
    yen = np.exp(told + untold + listings["hidden_calm"].to_numpy() * noise)
    step = np.where(rng.random(size) < 0.25, 500, 1000)
    return (np.maximum(np.round(yen / step), 12) * step).astype(np.int64)


def _place_and_size(listings: pd.DataFrame) -> Floats:
    """A square metre costs less in a large flat, but not where places are dear, nor in luxury buildings."""
    urban, luxury = listings["hidden_urban"].to_numpy(), listings["hidden_luxury"].to_numpy()
    size = np.log(listings["unit_area"].to_numpy() / 25)
    trend = (listings["hidden_period"].to_numpy() - 2019 * 12) / 12 * (0.006 + 0.016 * urban)
    dear = luxury * (0.2 + 0.1 * size + 0.01 * listings["room_floor"].to_numpy())
    level = listings["hidden_level"].to_numpy() + np.log(25) + size * (0.56 + 0.26 * urban)
    return np.asarray(level + dear + trend, dtype=np.float64)


def _age(listings: pd.DataFrame) -> Floats:
    """Wood ages fastest, the first twenty years cost most, and large old flats lose more."""
    years = np.maximum(listings["hidden_period"].to_numpy() - listings["built"].to_numpy(), 0) / 12
    wood = np.isin(listings["building_structure"], (1, 9))
    worn = np.minimum(years, 20) * np.where(wood, 0.017, 0.011) + np.maximum(years - 20, 0) * 0.004
    size = np.log(listings["unit_area"].to_numpy() / 25)
    new = np.where(years < 1, 0.03, 0.0)
    return np.asarray(new - worn * (1 + 0.35 * np.clip(size, -0.5, 1.5)), dtype=np.float64)


def _comfort(listings: pd.DataFrame) -> Floats:
    """Walk (saturating, dearer in town), bus, floor, structure and layout."""
    minutes = listings["walk_distance1"].to_numpy() / 80
    urban = listings["hidden_urban"].to_numpy()
    floor, kind = listings["room_floor"].to_numpy(), listings["madori_kind_all"].to_numpy()
    walk = -0.4 * (1 - np.exp(-minutes / 9)) * (0.7 + 0.6 * urban)
    bus = np.where(listings["bus_time1"].notna(), -0.08, 0.0)
    high = 0.007 * np.minimum(floor, 15) + 0.004 * np.maximum(floor - 15, 0) - (floor == 1) * 0.035
    strong = np.where(np.isin(listings["building_structure"], (4, 5)), 0.05, 0.0)
    layout = np.select([kind == 10, kind == 50], [-0.03, 0.06], 0.0)
    return np.asarray(walk + bus + high + strong + layout, dtype=np.float64)


def _surroundings(listings: pd.DataFrame) -> Floats:
    """Many weak effects: what is near raises the rent, more so for those it serves."""
    family = np.where(listings["madori_number_all"].to_numpy() >= 2, 1.4, 0.6)
    total = np.zeros(len(listings))
    for name, weight, scale, who in (
        ("school_ele_distance", 0.36, 500, family),
        ("convenience_distance", 0.36, 250, 2 - family),
        ("super_distance", 0.36, 500, 1.0),
        ("hospital_distance", 0.36, 600, family),
        ("park_distance", 0.36, 400, family),
        ("walk_distance2", 0.36, 1500, 1.0),
    ):
        near = np.exp(-listings[name].to_numpy(np.float64, na_value=4 * scale) / scale)
        total += weight * who * near
    return total
