"""The synthetic listings of the built-in sample: units of the buildings, put on the market.

One unit may be listed in several periods, each time at a slightly different rent.
"""

# ruff: noqa: PLR2004 - the numbers are the invention itself; a name for each would hide the sentence
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from objectives.data.sample_buildings import make_buildings, sometimes
from objectives.data.sample_rent import draw_rent
from objectives.data.sample_tags import draw_tags, make_catalogue

if TYPE_CHECKING:
    import pandas as pd

    from objectives.data.sample_places import Ints, Texts

TRAIN_PERIODS = np.array([year * 12 + month for year in (2019, 2020, 2021, 2022) for month in (0, 6)])
TEST_PERIODS = np.array([2023 * 12, 2023 * 12 + 6])
# Usual areas in square metres by layout: rooms, kind (10 R, 20 K, 30 DK, 50 LDK), area, weight.
LAYOUTS = np.array(
    [
        (1, 10, 19, 12),
        (1, 20, 23, 34),
        (1, 30, 29, 9),
        (1, 50, 38, 15),
        (2, 30, 42, 8),
        (2, 50, 55, 11),
        (3, 30, 58, 3),
        (3, 50, 70, 7),
        (4, 50, 92, 1),
    ],
    dtype=np.float64,
)


def make_listings(rng: np.random.Generator, train_rows: int, test_rows: int) -> pd.DataFrame:
    """Invents listings, those of the training periods first, each part in random order.

    Args:
        rng: Source of every draw.
        train_rows: Listings in the training periods.
        test_rows: Listings in the later test periods.

    Returns:
        Every column of the sample but `id`, with the target, plus `hidden_` ones.
    """
    built_rng, unit_rng, row_rng = rng.spawn(3)
    buildings = make_buildings(built_rng, max((train_rows + test_rows) // 3, 20))
    buildings["building_tag_id"], buildings["hidden_tags"] = draw_tags(
        built_rng, make_catalogue(built_rng, 21, 90, telling=4), len(buildings)
    )
    period = np.concatenate(
        [row_rng.choice(TRAIN_PERIODS, train_rows), row_rng.choice(TEST_PERIODS, test_rows)]
    )
    unit_building = np.repeat(np.arange(len(buildings)), buildings["hidden_units"])
    picked = _pick_units(row_rng, buildings["built"].to_numpy()[unit_building], period)
    listed, unit = np.unique(picked, return_inverse=True)
    units = _make_units(unit_rng, buildings.iloc[unit_building[listed]].reset_index(drop=True))
    listings = units.iloc[unit].reset_index(drop=True)
    _add_terms(row_rng, listings, period)
    listings["money_room"] = draw_rent(row_rng, listings)
    return listings


def _pick_units(rng: np.random.Generator, built: Ints, period: Ints) -> Ints:
    """Picks a unit for each listing among those that stood by then; `built` ascends."""
    standing = np.searchsorted(built, period, side="right")
    return (rng.random(len(period)) * standing).astype(np.int64)


def _make_units(rng: np.random.Generator, units: pd.DataFrame) -> pd.DataFrame:
    """Adds what belongs to a unit to its building's columns."""
    size = len(units)
    _add_layout(rng, units)
    floors = units["floor_count"].to_numpy()
    floor = 1 + (rng.random(size) * floors).astype(np.int64)
    units["room_floor"] = np.where(units["building_type"] == 2, 1, floor)
    units["unit_id"] = rng.permutation(max(9 * size, 900_000))[:size] + 100_000
    units["unit_name"] = _unit_names(rng, floor)
    area = units["unit_area"].to_numpy()
    units["balcony_area"] = np.round(area * rng.uniform(0.06, 0.2, size), 1)
    units["unit_tag_id"], effect = draw_tags(rng, make_catalogue(rng, 31, 117, telling=4), size)
    units["hidden_tags"] += effect
    # Luxury flats are let at their operator's list price: less scatter than between private landlords.
    units["hidden_calm"] = np.where(units["hidden_luxury"], 0.5, 1.0)
    units["hidden_unit"] = units["hidden_calm"] * rng.normal(0, 0.05, size)
    return units


def _add_layout(rng: np.random.Generator, units: pd.DataFrame) -> None:
    """Adds layout and area; family layouts where buildings are houses, large ones in luxury buildings."""
    size = len(units)
    house, luxury = units["building_type"].to_numpy() == 2, units["hidden_luxury"].to_numpy()
    edges = np.cumsum(LAYOUTS[:, 3])
    draw = rng.random(size)
    draw = np.where(house, 0.75 + draw / 4, np.where(luxury, 0.45 + draw * 0.55, draw))
    rooms, kind, usual, _ = LAYOUTS[np.searchsorted(edges, draw * edges[-1], side="right")].T
    spread = np.exp(rng.normal(0, 0.15, size) + luxury * rng.uniform(0, 0.5, size))
    units["unit_area"] = np.round(usual * spread, 2)
    units["madori_number_all"], units["madori_kind_all"] = rooms.astype(np.int64), kind.astype(np.int64)
    units["room_count"] = units["madori_number_all"] + (kind == 50)


def _unit_names(rng: np.random.Generator, floor: Ints) -> Texts:
    """Door numbers, mostly digits, some with letters: a column of mixed type."""
    door = floor * 100 + rng.integers(1, 13, len(floor))
    style = rng.random(len(floor))
    names = np.array([f"{'AB'[n % 2]}-{n}" if s < 0.06 else str(n) for n, s in zip(door, style, strict=True)])
    return np.where(style < 0.7, names.astype(object), np.array([None], dtype=object))


def _add_terms(rng: np.random.Generator, listings: pd.DataFrame, period: Ints) -> None:
    """Adds what belongs to one listing: period, fees, reforms, flags."""
    size = len(listings)
    listings["hidden_period"] = period
    listings["target_ym"] = _yyyymm(period)
    built = listings["built"].to_numpy()
    listings["year_built"] = _yyyymm(built)
    _add_fees(rng, listings)
    for place in ("exterior", "interior", "wet_area"):
        since = (rng.random(size) * np.minimum(period - built, 180)).astype(np.int64)
        listings[f"reform_{place}_date"] = sometimes(_yyyymm(period - since), rng.random(size) < 0.25)
    listings["flg_new"] = (period - built < 12).astype(np.int64)
    listings["free_rent_duration"] = sometimes(rng.integers(1, 4, size), rng.random(size) < 0.04)
    listings["house_area"] = None


def _add_fees(rng: np.random.Generator, listings: pd.DataFrame) -> None:
    """Adds management and parking fees, in yen: they follow size, type and place, never the rent itself."""
    size = len(listings)
    dear = np.exp(listings["hidden_level"].to_numpy() - np.log(2000))
    mansion = listings["building_type"].to_numpy() == 1
    usual = (1500 + 60 * listings["unit_area"].to_numpy() * np.where(mansion, 1.6, 0.7)) * (0.5 + 0.5 * dear)
    fee = np.round(usual * rng.uniform(0.4, 1.6, size) / 500) * 500
    listings["money_kyoueki"] = np.where(rng.random(size) < 0.12, 0, fee).astype(np.int64)
    parking = np.round(9000 * dear * rng.uniform(0.6, 1.5, size) / 500) * 500
    listings["parking_money"] = sometimes(parking.astype(np.int64), rng.random(size) < 0.45)


def _yyyymm(month: Ints) -> Ints:
    return month // 12 * 100 + month % 12 + 1
