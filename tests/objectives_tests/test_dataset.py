from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from objectives.data.checks import DataFiles
from objectives.data.dataset import load_dataset

if TYPE_CHECKING:
    from objectives.data.dataset import Dataset
    from tests.conftest import CsvPair
    from tests.objectives_tests.conftest import Competition


def arrays(dataset: Dataset) -> list[object]:
    """All that a model sees, comparable."""
    return [
        *(np.nan_to_num(x, nan=-1e9).tolist() for x in (dataset.train, dataset.target, dataset.test)),
        dataset.test_ids,
        dataset.encoder,
    ]


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet"])
def test_formats_are_one_table(competition: Competition, suffix: str) -> None:
    """The same table gives the same arrays and fingerprint from every format."""
    csv, other = competition.load(), competition.load(suffix)

    assert arrays(csv) == arrays(other)
    assert csv.fingerprint == other.fingerprint


def test_typed_parquet_is_the_same_table(competition: Competition) -> None:
    """A parquet file with real dates and categories is the CSV with their text."""
    csv = competition.load()
    for table in (competition.train, competition.test):
        table["built"] = pd.to_datetime(table["built"])
        table["kind"] = table["kind"].astype("category")

    assert competition.load(".parquet").fingerprint == csv.fingerprint


def test_shift_jis_is_the_same_table(competition: Competition) -> None:
    """A file saved by a Japanese spreadsheet is the UTF-8 file."""
    for table in (competition.train, competition.test):
        table["種類"] = table.pop("kind").replace({"flat": "マンション", "house": "一戸建て"})

    assert competition.load(encoding="cp932").fingerprint == competition.load().fingerprint


def test_loading_is_repeatable(competition: Competition) -> None:
    """The same files have the same fingerprint."""
    assert competition.load().fingerprint == competition.load().fingerprint


def test_studies_from_before_go_on(competition: Competition) -> None:
    """Numbers, dates and categories have the fingerprint that they had before there were other kinds."""
    assert competition.load().fingerprint == "340e49648311fbacc5aa52e6ab82db8c"


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("train", "area", 33.33),
        ("train", "area", None),
        ("train", "built", "2001-01-01"),
        ("train", "kind", "tent"),
        ("train", "rent", 1.0),
        ("test", "area", 33.33),
        ("test", "built", None),
        ("test", "kind", None),
        ("test", "id", "x1"),
    ],
)
def test_any_cell_changes_the_fingerprint(
    competition: Competition, table: str, column: str, value: object
) -> None:
    """No cell, target or test id can change under a study without being noticed."""
    before = competition.load().fingerprint
    getattr(competition, table).loc[4, column] = value

    assert competition.load().fingerprint != before


def test_order_changes_the_fingerprint(competition: Competition) -> None:
    """Folds are row positions, so another order is another data set."""
    before = competition.load().fingerprint
    competition.train = competition.train.iloc[::-1]

    assert competition.load().fingerprint != before


def test_a_lost_column_changes_the_fingerprint(competition: Competition) -> None:
    """Fewer features are another data set."""
    before = competition.load().fingerprint
    competition.test = competition.test.drop(columns="area")

    assert competition.load().fingerprint != before


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_ids_keep_their_zeros(competition: Competition, suffix: str) -> None:
    """A submission needs `000061`, not 61."""
    assert competition.load(suffix).test_ids[:2] == ("000060", "000061")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_same_text_is_one_category(competition: Competition, suffix: str) -> None:
    """Codes with a letter among them in training, all digits in the test file, still meet."""
    competition.train["zone"] = ["1", "2", "A"] * 20
    competition.test["zone"] = [1, 2] * 10
    dataset = competition.load(suffix)

    assert dataset.encoder.columns[-1].levels == ("1", "2", "A")
    assert dataset.test[:2, -1].tolist() == [0, 1]


def test_zero_padded_codes_are_one_category(competition: Competition) -> None:
    """`01` stays `01` in a test file of digits only, where training has a letter among the codes."""
    competition.train["zone"] = ["01", "02", "A1"] * 20
    competition.test["zone"] = ["01", "02"] * 10

    assert competition.load().test[:2, -1].tolist() == [0, 1]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_hole_does_not_rename_categories(competition: Competition, suffix: str) -> None:
    """A missing cell turns 1 into 1.0 in the test file; both are category 1."""
    competition.train["zone"] = [1, 2, 3] * 20
    competition.test["zone"] = [1.0, None] * 10
    competition.asked["categorical"] = ("zone",)
    dataset = competition.load(suffix)

    assert dataset.encoder.columns[-1].levels == ("1", "2", "3")
    assert dataset.test[:2, -1] == pytest.approx([0, float("nan")], nan_ok=True)


def test_unseen_test_categories_are_missing(competition: Competition) -> None:
    """A category that only the test file has is a missing value."""
    competition.test.loc[0, "kind"] = "castle"
    dataset = competition.load()

    assert np.isnan(dataset.test[:, dataset.encoder.names.index("kind")]).tolist() == [True] + [False] * 19


def test_findings_are_told(competition: Competition) -> None:
    """What was found out, left out and ignored is said in words."""
    competition.train["nothing"] = competition.test["nothing"] = None
    competition.train["label"] = [f"n{i}" for i in range(60)]
    competition.test["label"] = "n"
    competition.train["spread"] = 1.0
    competition.test["extra"] = 1.0

    assert competition.load().notes == (
        "Data: 60 training rows, 20 test rows, 3 features",
        "Task: regression (found out); metric: rmse (found out)",
        "Categorical (1): kind",
        "Dates (1): built",
        "Dropped: nothing (empty), label (text, every value differs)",
        "Ignored (in one file only): spread, extra",
    )


def test_given_settings_are_not_called_found_out(competition: Competition) -> None:
    """The words tell a choice of the user from a guess."""
    competition.asked |= {"task": "regression", "metric": "mae"}

    assert "Task: regression; metric: mae" in competition.load().notes


def test_neither_target_nor_id_is_a_feature(competition: Competition) -> None:
    """The id carries no signal and the target is the answer."""
    assert competition.load().encoder.names == ("area", "built", "kind")


def test_training_rows_need_no_id(competition: Competition) -> None:
    """Only the rows to predict need names."""
    competition.train = competition.train.drop(columns="id")

    assert competition.load().train.shape == (60, 3)


def test_real_sales(lucas_csvs: CsvPair) -> None:
    """House sales as they come: numbers, a date, text categories, every row and id kept."""
    pair = lucas_csvs
    dataset = load_dataset(DataFiles(pair.train, pair.test, pair.target, pair.id))

    assert (dataset.train.shape, dataset.test.shape) == ((1600, 16), (400, 16))
    assert {c.name: c.kind for c in dataset.encoder.columns if c.kind != "number"} == {
        "stories": "category",
        "wall": "category",
        "garage": "category",
        "sale_date": "date",
    }
    assert dataset.test_ids == tuple(pd.read_csv(pair.test, dtype=str)["id"])
    assert np.isfinite(dataset.train).all()


def test_text_classes(multiclass_csvs: CsvPair) -> None:
    """Labels as text are classes in alphabetical order."""
    pair = multiclass_csvs
    dataset = load_dataset(DataFiles(pair.train, pair.test, pair.target, pair.id))

    assert (dataset.task, dataset.classes) == ("multiclass", ("setosa", "versicolor", "virginica"))
    assert set(dataset.target) == {0, 1, 2}
