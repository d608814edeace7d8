from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest

from objectives.data.checks import DataFiles
from objectives.data.dataset import DatasetError, load_dataset
from objectives.data.split.plan import SplitPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from tests.objectives_tests.conftest import Competition

SPOILED: dict[str, tuple[str, Callable[[Competition], DataFiles]]] = {}


def spoil(expected: str) -> Callable[[Callable[[Competition], DataFiles]], None]:
    """Registers a way to spoil a sound competition, with the words its fault must contain."""

    def register(function: Callable[[Competition], DataFiles]) -> None:
        SPOILED[function.__name__.strip("_")] = expected, function

    return register


def _repeat_first_id(table: pd.DataFrame, times: int) -> None:
    ids = table["id"].tolist()
    table["id"] = [*ids[:1] * (times + 1), *ids[times + 1 :]]


def faults_of(files: DataFiles) -> tuple[str, ...]:
    """The faults that loading reports."""
    with pytest.raises(DatasetError) as caught:
        load_dataset(files)
    return caught.value.faults


@spoil("no such file")
def _missing_file(competition: Competition) -> DataFiles:
    files = competition.files()
    files.test.unlink()
    return files


@spoil("is a folder")
def _folder(competition: Competition) -> DataFiles:
    files = competition.files()
    files.train.unlink()
    files.train.mkdir()
    return files


@spoil("unknown kind of file")
def _unknown_suffix(competition: Competition) -> DataFiles:
    files = competition.files()
    return DataFiles(files.train.rename(files.train.with_suffix(".xlsx")), files.test, "rent", "id")


@spoil("train.csv")
def _empty_file(competition: Competition) -> DataFiles:
    files = competition.files()
    files.train.write_bytes(b"")
    return files


@spoil("without rows")
def _header_only(competition: Competition) -> DataFiles:
    competition.test = competition.test.head(0)
    return competition.files()


@spoil("test.csv.gz, not readable")
def _truncated_gzip(competition: Competition) -> DataFiles:
    files = competition.files(".csv.gz")
    files.test.write_bytes(files.test.read_bytes()[:-40])
    return files


@spoil("train.csv.gz, not readable")
def _damaged_gzip(competition: Competition) -> DataFiles:
    files = competition.files(".csv.gz")
    whole = files.train.read_bytes()
    files.train.write_bytes(whole[:60] + b"\xff" * 200 + whole[260:])
    return files


@spoil("train.csv.gz, not readable")
def _no_gzip_at_all(competition: Competition) -> DataFiles:
    files = competition.files(".csv.gz")
    files.train.write_bytes(gzip.decompress(files.train.read_bytes()))
    return files


@spoil("train.parquet, not readable")
def _damaged_parquet(competition: Competition) -> DataFiles:
    files = competition.files(".parquet")
    files.train.write_bytes(files.train.read_bytes()[:200])
    return files


@spoil("train.csv with 4 fields in line 3, where the header has 3")
def _ragged_csv(competition: Competition) -> DataFiles:
    files = competition.files()
    files.train.write_text("id,area,rent\n1,2,3\n1,2,3,4\n")
    return files


@spoil("target: got 'price', not a column of")
def _target_missing(competition: Competition) -> DataFiles:
    competition.asked["target"] = "price"
    return competition.files()


@spoil("constant 'rent'")
def _target_constant(competition: Competition) -> DataFiles:
    competition.train["rent"] = 5.0
    return competition.files()


@spoil("2 missing values in 'rent'")
def _target_nan(competition: Competition) -> DataFiles:
    competition.train.loc[[3, 5], "rent"] = np.nan
    return competition.files()


@spoil("1 values in 'rent' that are not numbers, such as 'ask'")
def _target_text(competition: Competition) -> DataFiles:
    competition.train["rent"] = ["ask", *competition.train["rent"].astype(str)[1:]]
    return competition.files()


@spoil("2 infinite values in 'rent'")
def _target_infinite(competition: Competition) -> DataFiles:
    competition.train.loc[[3, 5], "rent"] = np.inf, -np.inf
    return competition.files()


@spoil("target: got 'rent' in")
def _target_in_test(competition: Competition) -> DataFiles:
    competition.test["rent"] = 1.0
    return competition.files()


@spoil("id: got 'id', not a column of")
def _id_missing_in_test(competition: Competition) -> DataFiles:
    competition.test = competition.test.drop(columns="id")
    return competition.files()


@spoil("1 repeats of 'id'")
def _repeated_test_ids(competition: Competition) -> DataFiles:
    _repeat_first_id(competition.test, times=1)
    return competition.files()


@spoil("2 repeats of 'id'")
def _repeated_train_ids(competition: Competition) -> DataFiles:
    _repeat_first_id(competition.train, times=2)
    return competition.files()


@spoil("1 missing values of 'id'")
def _missing_ids(competition: Competition) -> DataFiles:
    competition.test.loc[3, "id"] = None
    return competition.files()


@spoil("no feature in common")
def _no_common_columns(competition: Competition) -> DataFiles:
    competition.test = competition.test[["id"]].assign(other=1)
    return competition.files()


@spoil("metric: got 'accurracy'")
def _unknown_metric(competition: Competition) -> DataFiles:
    competition.asked["metric"] = "accurracy"
    return competition.files()


@spoil("metric: got 'auc'; allowed for regression: rmse")
def _metric_of_another_task(competition: Competition) -> DataFiles:
    competition.asked |= {"task": "regression", "metric": "auc"}
    return competition.files()


@spoil("task: got 'ranking'; allowed: regression, binary, multiclass")
def _unknown_task(competition: Competition) -> DataFiles:
    competition.asked["task"] = "ranking"
    return competition.files()


@spoil("with fewer rows than folds: 'castle' (2 rows)")
def _rare_class(competition: Competition) -> DataFiles:
    competition.asked["target"] = "kind"
    competition.train.loc[[3, 5], "kind"] = "castle"
    competition.test = competition.test.drop(columns="kind")
    return competition.files()


@spoil("got 3 classes in 'kind'; allowed for binary: 2")
def _binary_with_three_classes(competition: Competition) -> DataFiles:
    competition.asked |= {"target": "kind", "task": "binary"}
    competition.test = competition.test.drop(columns="kind")
    return competition.files()


@spoil("allowed: at least 500")
def _fewer_rows_than_folds(competition: Competition) -> DataFiles:
    competition.asked["split"] = SplitPlan(folds=500)
    return competition.files()


@spoil("categorical: got 'colour', not a feature of")
def _unknown_categorical(competition: Competition) -> DataFiles:
    competition.asked["categorical"] = ("kind", "colour")
    return competition.files()


@spoil("got no usable feature: area (empty), built (empty), kind (empty)")
def _all_columns_empty(competition: Competition) -> DataFiles:
    competition.train[["area", "built", "kind"]] = None
    return competition.files()


@pytest.mark.parametrize("name", SPOILED)
def test_a_fault_is_one_line_with_its_cure(competition: Competition, name: str) -> None:
    """Each data fault gives exactly one line that says what was got, what is allowed and what to do."""
    expected, function = SPOILED[name]

    (fault,) = faults_of(function(competition))

    assert expected in fault
    assert "\n" not in fault
    assert fault.index("got ") < fault.index("; allowed") < fault.index("; do: ")


def test_faults_of_both_files_come_at_once(competition: Competition) -> None:
    """Two unreadable files are two lines, not one after the other."""
    files = competition.files()
    files.train.unlink()
    files.test.write_bytes(b"")

    faults = faults_of(files)

    assert ["train.csv" in faults[0], "test.csv" in faults[1]] == [True, True]
    assert len(faults) == 2


def test_faults_of_the_tables_come_at_once(competition: Competition) -> None:
    """Every fault of readable tables is reported by one call."""
    competition.train.loc[3, "rent"] = np.nan
    competition.train.loc[4, "rent"] = np.inf
    _repeat_first_id(competition.train, times=1)
    competition.test = competition.test[["area"]].rename(columns={"area": "rent"})
    competition.asked |= {"categorical": ("colour",), "metric": "auc", "task": "regression"}

    faults = faults_of(competition.files())

    expected = ("auc", "'rent' in", "'id', not", "repeats", "colour", "no feature", "missing", "infinite")
    assert [word for word in expected if not any(word in fault for fault in faults)] == []
    assert len(faults) == len(expected)


def test_the_error_reads_as_its_faults(competition: Competition) -> None:
    """The exception's text is the fault lines, for whoever only prints it."""
    with pytest.raises(DatasetError) as caught:
        load_dataset(_spoiled(competition))

    assert str(caught.value) == "\n".join(caught.value.faults)


def _spoiled(competition: Competition) -> DataFiles:
    competition.test["rent"] = 1.0
    competition.asked["metric"] = "none"
    return competition.files()
