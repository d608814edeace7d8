from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from objectives.data.dataset import DatasetError
from objectives.data.features.choice import FeatureChoice

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.data.dataset import Dataset
    from tests.objectives_tests.conftest import Competition

AREA = """
def features(train, test):
    return tuple(table.assign(square=table["area"] ** 2)[["square"]] for table in (train, test))
"""
CENTRED = """
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import StandardScaler

transformer = make_column_transformer((StandardScaler(), ["area"]))
"""


def write(competition: Competition, source: str) -> Path:
    """Writes the file of features and names it in the settings."""
    path = competition.folder / "mine.py"
    path.write_text(source, encoding="utf-8")
    competition.asked["choice"] = FeatureChoice(own=path)
    return path


def load(competition: Competition, source: str) -> Dataset:
    """Loads with a file of features."""
    write(competition, source)
    return competition.load()


def fault(competition: Competition, source: str) -> str:
    """The one line on a bad file of features."""
    with pytest.raises(DatasetError) as caught:
        load(competition, source)
    (line,) = caught.value.faults
    return line


def test_columns_of_a_function(competition: Competition) -> None:
    """A function's columns are features beside the raw ones."""
    plain, dataset = competition.load(), load(competition, AREA)
    names = dataset.encoder.names

    assert names == (*plain.encoder.names, "square")
    assert np.array_equal(
        dataset.train[:, names.index("square")], dataset.train[:, names.index("area")] ** 2, equal_nan=True
    )


def test_a_function_may_give_back_all_columns(competition: Competition) -> None:
    """The usual habit, to add to the tables and return them, adds the new columns and replaces changed ones."""
    source = """
def features(train, test):
    for table in (train, test):
        table["double"] = 2 * table["area"]
        table["kind"] = table["kind"].str[:1]
    return train, test
"""
    dataset = load(competition, source)

    assert dataset.encoder.names == (*competition.load().encoder.names[:-1], "double")
    assert next(part for part in dataset.encoder.columns if part.name == "kind").levels == ("f", "h", "r")  # type: ignore[attr-defined]
    assert dataset.test_ids[0] == "000060"
    assert not [note for note in dataset.notes if "served model" in note]


def test_a_function_never_gets_the_target(competition: Competition) -> None:
    """What a function makes cannot have seen the target."""
    source = """
def features(train, test):
    assert "rent" not in train and "id" in train
    return train.assign(one=range(len(train)))[["one"]], test.assign(one=range(len(test)))[["one"]]
"""
    assert "one" in load(competition, source).encoder.names


def test_a_look_at_other_rows_is_told(competition: Competition) -> None:
    """A function that uses more than the row itself is noted: a served model sees other rows."""
    source = """
def features(train, test):
    mean = train["area"].mean()
    return tuple(table.assign(off=table["area"] - mean)[["off"]] for table in (train, test))
"""
    assert any("`features` gives other values" in note for note in load(competition, source).notes)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def features(train, test)", "SyntaxError"),
        ("import no_such_module", "ModuleNotFoundError"),
        ("x = 1", "without either"),
        ("features = 3", "no function"),
        ("def features(train, test):\n    return train['nothing']", "KeyError: 'nothing' in line 2"),
        ("def features(train, test):\n    return train", "DataFrame from `features`"),
        ("def features(train, test):\n    return 1, 2", "tuple from `features`"),
        ("def features(train, test):\n    return train[:3], test", "3 rows for 60 training rows"),
        ("def features(train, test):\n    return train, test[:-1]", "19 rows for 20 test rows"),
        ("def features(train, test):\n    return train[::-1], test", "training rows with another index"),
        (
            "def features(train, test):\n    return train.assign(a=1), test.assign(b=1)",
            "a, b for one of the two",
        ),
        (
            "def features(train, test):\n    return train[['area', 'area']], test[['area', 'area']]",
            "'area' twice",
        ),
        (
            "def features(train, test):\n    return train.assign(rent=1), test.assign(rent=1)",
            "the target as 'rent'",
        ),
        ("transformer = 3", "a transformer of type int"),
        (
            "from sklearn.preprocessing import StandardScaler\ntransformer = StandardScaler()",
            "ValueError",
        ),
        (
            "from sklearn.preprocessing import FunctionTransformer as F\ntransformer = F(lambda r: r[['area']][:2])",
            "shape (2, 1) for 30 rows",
        ),
        (
            "from sklearn.preprocessing import FunctionTransformer as F\ntransformer = F(lambda r: r[['area']])",
            "cannot be saved",
        ),
    ],
)
def test_bad_files_are_named_in_one_line(competition: Competition, source: str, words: str) -> None:
    """Whatever is wrong with a user's file is one line that says what, what is allowed and what to do."""
    line = fault(competition, source)

    assert line.startswith("features: got ")
    assert words in line
    assert "; allowed: " in line
    assert "; do: " in line
    assert "\n" not in line


def test_the_target_read_from_the_file_is_caught(competition: Competition) -> None:
    """A function that fetches the target by itself, under whatever name, is refused."""
    source = f"""
import pandas as pd

def features(train, test):
    rent = pd.read_csv({str(competition.folder / "train.csv")!r})["rent"]
    return train.assign(price=rent)[["price"]], test.assign(price=0.0)[["price"]]
"""
    assert "the target as 'price'" in fault(competition, source)


def test_a_missing_file_is_one_line(competition: Competition) -> None:
    """A path with nothing there is a fault like any other."""
    competition.asked["choice"] = FeatureChoice(own=competition.folder / "none.py")

    with pytest.raises(DatasetError, match="no such Python file"):
        competition.load()


def test_the_source_is_part_of_the_question(competition: Competition) -> None:
    """Another formula is other data; comments and layout are not."""
    first = load(competition, AREA).fingerprint

    assert (
        load(competition, "# squares\n" + AREA.replace("    return", "    # here\n    return")).fingerprint
        == first
    )
    assert load(competition, AREA.replace("** 2", "** 3")).fingerprint != first
    assert load(competition, AREA + "\nunused = 1\n").fingerprint != first


def test_a_transformer_learns_in_the_fold(competition: Competition) -> None:
    """It is fitted on the training rows of the fold: those are centred, all rows together are not."""
    dataset = load(competition, CENTRED)
    from objectives.data.folds import make_folds

    folds = make_folds(dataset.target, "regression", 3, seed=0)
    encoded = dataset.learned.in_fold(folds[0], folds, dataset.target).train[:, 0]

    assert dataset.feature_names[-1].startswith("transformer.")
    assert np.nanmean(encoded[folds[0].train_idx]) == pytest.approx(0, abs=1e-12)
    assert abs(np.nanmean(encoded[folds[0].val_idx])) > 1e-3


def test_a_transformer_of_other_widths_is_told(competition: Competition) -> None:
    """A transformer that gives other columns in a fold than at first stops with a line that says so."""
    source = """
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder

transformer = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["built"]))
"""
    dataset = load(competition, source)
    from objectives.data.folds import make_folds

    folds = make_folds(dataset.target, "regression", 10, seed=0)

    with pytest.raises(ValueError, match=r"mine\.py: got \d+ columns from transformer in a fold"):
        dataset.learned.in_fold(folds[0], folds, dataset.target)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"tags": ("nothing",)}, "tags: got 'nothing', not a feature"),
        ({"text": ("rent",)}, "text: got 'rent', not a feature"),
        ({"target_encode": ("id",)}, "target_encode: got 'id', not a feature"),
        ({"months": ("kind",)}, "months: got 'kind', where no value is a month"),
        ({"calendar": ("kind",)}, "calendar: got 'kind', where no value is a date"),
        ({"tags": ("kind",), "text": ("kind",)}, "text: got 'kind', given as tags too"),
        ({"geo": ("area",)}, "geo: got 'area'; allowed: LATITUDE:LONGITUDE"),
        ({"geo": ("area:kind",)}, "geo: got 'kind' without a number"),
    ],
)
def test_bad_choices_are_named_in_one_line(
    competition: Competition, choice: dict[str, tuple[str, ...]], words: str
) -> None:
    """A column that does not exist, or cannot be what is said, is a fault with what is allowed."""
    competition.asked["choice"] = FeatureChoice(**choice)

    with pytest.raises(DatasetError) as caught:
        competition.load()

    assert [words in line and "; allowed: " in line and "; do: " in line for line in caught.value.faults] == [
        True
    ]
