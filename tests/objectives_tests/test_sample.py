from __future__ import annotations

import csv
import hashlib
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from objectives.data.sample import COLUMNS, TARGET, Sample, SamplePaths, make_sample, write_sample
from objectives.data.sample_places import read_places

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 3_000


@pytest.fixture(scope="module")
def sample() -> Sample:
    """A sample that is large enough for shares and correlations."""
    return make_sample(ROWS)


@pytest.fixture(scope="module")
def everything(sample: Sample) -> pd.DataFrame:
    """All rows, training first; the target is missing in the test rows."""
    return pd.concat([sample.train, sample.test], ignore_index=True)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _skewness(values: pd.Series) -> float:
    centred = values.to_numpy(np.float64) - values.mean()
    return float(np.mean(centred**3) / np.mean(centred**2) ** 1.5)


def test_bytes_are_the_same_everywhere(tmp_path: Path) -> None:
    """The sample is one data set: its bytes depend on the row count and nothing else."""
    paths = write_sample(tmp_path / "sample", 400)
    assert _sha256(paths.train) == "65725e21b81521514af8f2ee93fa666f4a93d9fa3c461f3c4447cbb3e0eccd0e"
    assert _sha256(paths.test) == "461218a33ac10a1588bb230d3105f2fda5a644ba697b5aebb355ce4dd3f4b2ad"
    assert _sha256(paths.test_target) == "1f3a150a652772bc195bd55d01d54c666587eb5c50c76559081031961fc7aad6"
    assert _sha256(paths.sample_submit) == "1dc4e93797a2d12a1b1fcd0863bccd949db0a4b9046841cde53b02c297a0187c"


def test_another_seed_is_another_sample() -> None:
    """The seed decides the values, so that a study of several samples is possible."""
    first, again, other = make_sample(200, 1), make_sample(200, 1), make_sample(200, 2)
    pd.testing.assert_frame_equal(first.train, again.train)
    assert not first.train[TARGET].equals(other.train[TARGET])


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    """A fault says what was given, what is allowed and what to do, and leaves nothing behind."""
    with pytest.raises(ValueError, match=r"99 sample rows; allowed: 100 or more; give a larger number"):
        write_sample(tmp_path / "sample", 99)
    assert list(tmp_path.iterdir()) == []


def test_tables_have_the_columns_of_the_competition(sample: Sample) -> None:
    """Training rows carry every column, test rows all but the target, in the same order."""
    assert tuple(sample.train) == COLUMNS
    assert tuple(sample.test) == tuple(name for name in COLUMNS if name != TARGET)
    assert len(sample.train) == ROWS
    assert len(sample.test) == len(sample.test_target) == len(sample.sample_submit) == ROWS // 4


def test_ids_are_unique_and_keep_their_zeros(sample: Sample, everything: pd.DataFrame) -> None:
    """Ids are six digits of text; test ids start at 000000, and the answers are in the test's order."""
    assert everything["id"].is_unique
    assert everything["id"].str.fullmatch(r"\d{6}").all()
    assert list(sample.test["id"][:2]) == ["000000", "000001"]
    assert list(sample.test_target["id"]) == list(sample.sample_submit["id"]) == list(sample.test["id"])


def test_sample_submit_has_no_header(tmp_path: Path) -> None:
    """The form of a submission is the competition's: no header, zero-padded id, a zero."""
    paths = write_sample(tmp_path / "sample", 200)
    lines = paths.sample_submit.read_bytes().split(b"\n")
    assert lines[:2] == [b"000000,0", b"000001,0"]
    assert len(lines) == 51
    assert lines[-1] == b""


def test_test_periods_come_after_the_training_periods(sample: Sample) -> None:
    """The test rows are the future: January and July 2023, after eight training periods."""
    assert sorted(sample.train["target_ym"].unique()) == [
        year * 100 + month for year in range(2019, 2023) for month in (1, 7)
    ]
    assert sorted(sample.test["target_ym"].unique()) == [202301, 202307]


def test_no_building_is_listed_before_it_stands(everything: pd.DataFrame) -> None:
    """Dates agree: built, perhaps reformed, then listed."""
    assert (everything["year_built"] <= everything["target_ym"]).all()
    for name in ("reform_exterior_date", "reform_interior_date", "reform_wet_area_date"):
        known = everything[everything[name].notna()]
        assert (known[name] >= known["year_built"]).all()
        assert (known[name] <= known["target_ym"]).all()


def test_awkward_columns_are_there(everything: pd.DataFrame) -> None:
    """What makes real files hard is in it: missing three in four, empty, mixed type, tags."""
    missing = everything.isna().mean()
    for name in ("reform_exterior_date", "reform_interior_date", "reform_wet_area_date"):
        assert missing[name] == pytest.approx(0.75, abs=0.03)
    assert missing["house_area"] == 1
    assert missing["free_rent_duration"] > 0.9
    numeric = everything["unit_name"].dropna().str.fullmatch(r"\d+")
    assert 0.01 < (~numeric.astype(bool)).mean() < 0.2
    for name in ("building_tag_id", "unit_tag_id"):
        tags = everything[name].str.split("/")
        assert tags.map(len).between(6, 16).all()
        assert tags.map(lambda row: len(set(row)) == len(row)).all()
        assert everything[name].str.fullmatch(r"\d{6}(/\d{6})*").all()


def test_rents_have_a_long_right_tail() -> None:
    """A few luxury flats stretch the target beyond a million yen a month at the default size."""
    rent = make_sample().train[TARGET]
    assert 65_000 < rent.median() < 90_000
    assert rent.max() > 1_000_000
    assert _skewness(rent) > 3
    assert (rent % 500 == 0).all()
    assert (rent > 0).all()


def test_buildings_and_units_come_back(sample: Sample) -> None:
    """Buildings repeat with one address and age; most test buildings, and some units, are known."""
    train, test = sample.train, sample.test
    assert train["building_id"].nunique() < 0.6 * len(train)
    fixed = ["full_address", "year_built", "building_create_date", "floor_count", "building_tag_id", "lon"]
    assert (train.groupby("building_id")[fixed].nunique().max() == 1).all()
    assert 0.5 < test["building_id"].isin(train["building_id"]).mean() < 1
    assert 0.1 < test["unit_id"].isin(train["unit_id"]).mean() < 0.9


def test_listings_of_one_unit_differ_a_little_in_rent(sample: Sample) -> None:
    """A unit's later listing is nearly a duplicate: same flat, slightly different rent."""
    again = sample.train[sample.train.duplicated("unit_id", keep=False)]
    units = again.groupby("unit_id")
    assert (units[["unit_area", "room_floor", "unit_tag_id", "building_id"]].nunique().max() == 1).all()
    spread = units[TARGET].max() / units[TARGET].min()
    assert 1.02 < spread.median() < 1.3


def test_places_agree_with_one_another(everything: pd.DataFrame) -> None:
    """A station belongs to a line through the ward, and the ward to the prefecture."""
    places = read_places()
    ward = np.repeat(np.arange(len(places.city)), places.count)
    known = set(zip(places.prefecture[ward], places.city[ward], places.line, places.station, strict=True))
    for number in ("1", "2"):
        names = ["addr1_1", "addr1_2", f"rosen_name{number}", f"eki_name{number}"]
        assert set(everything[names].dropna().itertuples(index=False, name=None)) <= known
    start = everything["addr1_1"] + everything["addr1_2"]
    pairs = zip(everything["full_address"], start, strict=True)
    assert all(str(address).startswith(str(city)) for address, city in pairs)


def test_no_column_of_the_test_gives_the_answer_away(sample: Sample) -> None:
    """Neither the target nor anything nearly a function of it is in the test table."""
    assert TARGET not in sample.test
    assert not [name for name in sample.test if str(name).startswith("hidden_")]
    rank = sample.test_target[TARGET].rank()
    for name in sample.test.select_dtypes("number"):
        values = sample.test[name].astype(float)
        if values.std() > 0:
            assert abs(float(values.rank().corr(rank))) < 0.8, name
    fees = sample.test["money_kyoueki"] / sample.test_target[TARGET]
    assert fees.std() / fees.mean() > 0.3


def test_a_model_learns_much_but_not_all(sample: Sample) -> None:
    """Gradient boosting halves the error of the mean on the held-back answers, and stays far from zero."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    numbers = [*sample.test.select_dtypes("number")]
    wards = {name: level for level, name in enumerate(sorted(sample.train["addr1_2"].unique()))}

    def matrix(table: pd.DataFrame) -> pd.DataFrame:
        return table[numbers].astype(float).assign(ward=table["addr1_2"].map(wards).astype(float))

    rent, answer = sample.train[TARGET], sample.test_target[TARGET]
    model = HistGradientBoostingRegressor(random_state=0).fit(matrix(sample.train), rent)
    trivial = float(np.sqrt(np.mean((answer - rent.mean()) ** 2)))
    error = float(np.sqrt(np.mean((answer - model.predict(matrix(sample.test))) ** 2)))
    assert 0.15 * trivial < error < 0.65 * trivial


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    """A complete folder is left alone, to the last modification time."""
    paths = write_sample(tmp_path / "deep" / "sample", 200)
    before = {path: path.stat().st_mtime_ns for path in paths.folder.iterdir()}
    assert write_sample(paths.folder, 200) == paths
    assert {path: path.stat().st_mtime_ns for path in paths.folder.iterdir()} == before
    assert sorted(path.name for path in before) == [
        "sample_submit.csv",
        "test.csv",
        "test_target.csv",
        "train.csv",
    ]
    assert [path.name for path in paths.folder.parent.iterdir()] == ["sample"]


def test_a_folder_with_something_else_is_not_overwritten(tmp_path: Path) -> None:
    """A sample of another size, a damaged one or a stranger's files stay; the fault names the folder."""
    paths = write_sample(tmp_path / "sample", 200)
    before = _sha256(paths.train)
    with pytest.raises(FileExistsError, match=re.escape(f"{paths.folder}: holds something other")):
        write_sample(paths.folder, 201)
    paths.test.unlink()
    with pytest.raises(FileExistsError, match="allowed: a new or empty folder"):
        write_sample(paths.folder, 200)
    assert _sha256(paths.train) == before
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """A folder made beforehand is as good as none."""
    paths = write_sample(tmp_path, 200)
    assert paths == SamplePaths(tmp_path)
    with paths.train.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == 201
