"""The built-in sample: SYNTHETIC Japanese rental listings, made up by a generator, the same on every machine.

No row describes a real flat. Prefectures, wards, lines and stations carry real names; everything else is
drawn at random. The shape imitates rental competitions on portal listings: monthly rent `money_room` in yen
with a long right tail, eight training periods (`target_ym`, January and July of 2019 to 2022) and two later
test periods (2023), buildings and units that come back, addresses and station names in Japanese, slash-separated
tag ids, reform dates missing in three rows of four, a column of mixed type (`unit_name`), an empty one
(`house_area`), zero-padded ids and a `sample_submit.csv` without a header.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_ROWS = 20_000
DEFAULT_SEED = 2025
FEWEST_ROWS = 100
TARGET = "money_room"
# fmt: off
COLUMNS = (
    "id", "target_ym", "money_room", "building_id", "unit_id", "unit_name", "building_type",
    "building_structure", "year_built", "building_create_date", "full_address", "addr1_1", "addr1_2",
    "post1", "post2", "lon", "lat", "unit_area", "house_area", "balcony_area", "floor_count", "room_floor",
    "room_count", "madori_number_all", "madori_kind_all", "rosen_name1", "eki_name1", "walk_distance1",
    "bus_time1", "rosen_name2", "eki_name2", "walk_distance2", "money_kyoueki", "parking_money",
    "school_ele_distance", "convenience_distance", "super_distance", "hospital_distance", "park_distance",
    "building_tag_id", "unit_tag_id", "reform_exterior_date", "reform_interior_date",
    "reform_wet_area_date", "flg_new", "free_rent_duration",
)
# fmt: on


@dataclass(frozen=True)
class Sample:
    """The four tables of the sample competition.

    Attributes:
        train: `COLUMNS`, shape (rows, 46).
        test: The same without the target, shape (rows // 4, 45).
        test_target: Held-back answers, `id` and `money_room`, shape (rows // 4, 2).
        sample_submit: `id` and a zero, shape (rows // 4, 2).
    """

    train: pd.DataFrame
    test: pd.DataFrame
    test_target: pd.DataFrame
    sample_submit: pd.DataFrame


@dataclass(frozen=True)
class SamplePaths:
    """The sample's files in one folder."""

    folder: Path

    @property
    def train(self) -> Path:
        """Training rows with the target."""
        return self.folder / "train.csv"

    @property
    def test(self) -> Path:
        """Test rows without the target."""
        return self.folder / "test.csv"

    @property
    def sample_submit(self) -> Path:
        """Form of a submission: no header, zero-padded ids."""
        return self.folder / "sample_submit.csv"

    @property
    def test_target(self) -> Path:
        """Held-back answers, for scoring only."""
        return self.folder / "test_target.csv"


def make_sample(rows: int = DEFAULT_ROWS, seed: int = DEFAULT_SEED) -> Sample:
    """Invents the sample.

    Args:
        rows: Training rows; a quarter as many test rows come on top.
        seed: Same seed and rows, same tables.

    Raises:
        ValueError: If there are fewer than 100 rows.
    """
    if rows < FEWEST_ROWS:
        raise ValueError(f"{rows} sample rows; allowed: {FEWEST_ROWS} or more; give a larger number")
    import numpy as np

    from objectives.data.sample_listings import make_listings

    test_rows = rows // 4
    listings = make_listings(np.random.Generator(np.random.PCG64(seed)), rows, test_rows)
    # Test ids start at 000000, as in the competitions; training ids go on where they end.
    numbers = [*range(test_rows, test_rows + rows), *range(test_rows)]
    listings["id"] = [f"{number:06d}" for number in numbers]
    table = listings[list(COLUMNS)]
    test = table.iloc[rows:].reset_index(drop=True)
    return Sample(
        train=table.iloc[:rows].reset_index(drop=True),
        test=test.drop(columns=TARGET),
        test_target=test[["id", TARGET]],
        sample_submit=test[["id"]].assign(**{TARGET: 0}),
    )


def write_sample(folder: Path, rows: int) -> SamplePaths:
    """Writes the sample into a folder, whole or not at all; a complete one is left as it is.

    Args:
        folder: Holds the four files afterwards; its parents are made.
        rows: Training rows.

    Raises:
        ValueError: If there are fewer than 100 rows.
        FileExistsError: If the folder holds something else, such as a sample of another size.
    """
    paths = SamplePaths(folder)
    if _is_complete(paths, rows):
        return paths
    sample = make_sample(rows)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(sample, SamplePaths(draft))
        _move_into_place(draft, paths, rows)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return paths


def _write(sample: Sample, paths: SamplePaths) -> None:
    for table, path in (
        (sample.train, paths.train),
        (sample.test, paths.test),
        (sample.test_target, paths.test_target),
        (sample.sample_submit, paths.sample_submit),
    ):
        table.to_csv(path, index=False, header=path != paths.sample_submit, lineterminator="\n")


def _move_into_place(draft: Path, paths: SamplePaths, rows: int) -> None:
    draft.chmod(0o777 & ~_umask())
    try:
        draft.rename(paths.folder)
    except OSError as error:
        if _is_complete(paths, rows):  # another process was faster
            return
        raise FileExistsError(
            f"{paths.folder}: holds something other than the sample of {rows} rows; "
            "allowed: a new or empty folder; remove it or choose another"
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _is_complete(paths: SamplePaths, rows: int) -> bool:
    """Whether all files are there, train.csv ending with the last id of a sample of that size."""
    files = (paths.train, paths.test, paths.test_target, paths.sample_submit)
    if not all(path.is_file() for path in files):
        return False
    with paths.train.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - 4096, 0))
        lines = file.read().splitlines()
    last = f"{rows // 4 + rows - 1:06d},".encode()
    return bool(lines) and lines[-1].startswith(last)
