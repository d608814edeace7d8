from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from objectives.data.checks import DataFiles
from objectives.data.dataset import DatasetError, load_dataset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Planting = Callable[["Honest"], None]

N_TRAIN, N_TEST = 600, 200
PLANTED: dict[str, tuple[str, Planting]] = {}


class Honest:
    """Two tables of one distribution, in which area and kind predict rent, strongly but not by themselves."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        n = N_TRAIN + N_TEST
        area = self.rng.uniform(15, 90, n)
        kind = self.rng.integers(0, 3, n)
        rent = 3000 * area + 40000 * kind + self.rng.normal(0, 25000, n) + 100000
        built = pd.Timestamp("1990-01-01") + pd.to_timedelta(self.rng.integers(0, 9000, n), unit="D")
        table = pd.DataFrame(
            {
                "id": [f"L-{i:06d}" for i in range(n)],
                "area": area.round(2),
                "kind": np.array(["flat", "house", "room"])[kind],
                "walk": np.where(self.rng.random(n) < 0.2, np.nan, self.rng.integers(1, 30, n)),
                "built": built.strftime("%Y-%m-%d"),
                "lat": self.rng.normal(35.6, 0.1, n),
                "rent": rent.round(-2),
            }
        )
        self.train, self.test = table.iloc[:N_TRAIN].copy(), table.iloc[N_TRAIN:].copy()
        self.target = "rent"

    @property
    def rent(self) -> pd.Series:
        """The training target."""
        return self.train["rent"]

    def add(self, name: str, values: object) -> None:
        """A column with training values; the test rows draw from them, so that only the target tells."""
        self.train[name] = values
        self.test[name] = self.train[name].sample(N_TEST, random_state=1).to_numpy()

    def choose(self, target: str, classes: pd.Series) -> None:
        """Another target of the training rows."""
        self.train[target] = classes.to_numpy()
        self.train, self.test = self.train.drop(columns="rent"), self.test.drop(columns="rent")
        self.target = target

    def write(self, folder: Path) -> DataFiles:
        """Both files."""
        test = self.test.drop(columns=self.target, errors="ignore")
        paths = folder / "train.csv", folder / "test.csv"
        self.train.to_csv(paths[0], index=False)
        test.to_csv(paths[1], index=False)
        return DataFiles(*paths, self.target, "id")


def plant(expected: str) -> Callable[[Planting], Planting]:
    """Registers a leak with the words that its warning must contain."""

    def register(function: Planting) -> Planting:
        PLANTED[function.__name__] = expected, function
        return function

    return register


@plant("'deposit', copy of 'rent'")
def scaled_and_shifted_copy(tables: Honest) -> None:
    """Two months' rent and a fee."""
    tables.add("deposit", 2 * tables.rent + 5000)


@plant("'log_rent', copy of 'rent'")
def logarithm(tables: Honest) -> None:
    """A monotone function of the target."""
    tables.add("log_rent", np.log(tables.rent))


@plant("'about', copy of 'rent'")
def rounded_copy(tables: Honest) -> None:
    """The target to the nearest ten thousand, with holes."""
    tables.add("about", tables.rent.round(-4).where(tables.rng.random(N_TRAIN) > 0.05))


@plant("'guess', copy of 'rent'")
def noisy_copy(tables: Honest) -> None:
    """The target within about two percent."""
    tables.add("guess", tables.rent * tables.rng.normal(1, 0.01, N_TRAIN))


@plant("'v', copy of 'rent'")
def folded_copy(tables: Honest) -> None:
    """A function of the target that no straight line shows."""
    tables.add("v", np.cos(tables.rent.rank() / N_TRAIN * 3.1))


@plant("'old_rent', partial copy of 'rent'")
def copy_in_some_rows(tables: Honest) -> None:
    """The target itself, in a third of the rows, and noise in some others."""
    known = tables.rng.random(N_TRAIN)
    values = tables.rent.where(known < 0.35, tables.rng.permutation(tables.rent.to_numpy()))
    tables.add("old_rent", values.where(known < 0.5))


@plant("'class', binned copy of 'rent'")
def price_class(tables: Honest) -> None:
    """Three names for three ranges of the target."""
    tables.add("class", pd.qcut(tables.rent, 3, labels=["low", "middle", "high"]).astype(str))


@plant("'code', copy of 'sold'")
def code_of_a_class(tables: Honest) -> None:
    """A one-to-one code of the classes, under other names."""
    tables.choose("sold", pd.qcut(tables.rent, 4, labels=["a", "b", "c", "d"]).astype(str))
    tables.add("code", tables.train["sold"].map({"a": "k7", "b": "k2", "c": "k9", "d": "k1"}))


@plant("'tenant', copy of 'rent'")
def code_of_many_values(tables: Honest) -> None:
    """A code with hundreds of values, encoded by the target in each fold."""
    tables.train["rent"] = tables.rent.round(-3)
    tables.train = pd.concat([tables.train] * 4, ignore_index=True)
    n = len(tables.train)
    tables.train["id"] = [f"M-{i}" for i in tables.rng.permutation(n)]
    tables.train["rent"] = tables.rng.integers(0, 600, n) * 1000 + 7
    tables.train["lat"] = tables.rng.normal(35.6, 0.1, n)
    tables.add("tenant", tables.train["rent"].map(lambda rent: f"t{hash((rent,)) % 10**9}"))


@plant("'is_c', copy of 'sold'")
def one_class_of_several(tables: Honest) -> None:
    """A flag that gives one class of four away."""
    tables.choose("sold", pd.qcut(tables.rent, 4, labels=["a", "b", "c", "d"]).astype(str))
    tables.add("is_c", (tables.train["sold"] == "c").astype(int))


@plant("'area' * 'per_m2'")
def rent_per_square_metre(tables: Honest) -> None:
    """The target divided by another column."""
    tables.add("per_m2", (tables.rent / tables.train["area"]).round(1))


@plant("'fee' / 'months'")
def ratio(tables: Honest) -> None:
    """The target times another column."""
    tables.add("months", tables.rng.integers(1, 25, N_TRAIN))
    tables.add("fee", tables.rent * tables.train["months"])


@plant("'service' + 'net'")
def sum_of_parts(tables: Honest) -> None:
    """The target in two parts."""
    tables.add("service", (tables.rng.uniform(0.1, 0.9, N_TRAIN) * tables.rent).round())
    tables.add("net", tables.rent - tables.train["service"])


@plant("'total' - 'extras'")
def difference(tables: Honest) -> None:
    """The target within a total."""
    tables.add("extras", tables.rng.uniform(0, 500000, N_TRAIN).round())
    tables.add("total", tables.rent + tables.train["extras"])


@plant("order of the rows that predicts 'rent'")
def sorted_by_the_target(tables: Honest) -> None:
    """Rows in the order of the target, ids given before."""
    tables.train["rent"] = (tables.rent + tables.rng.normal(0, 50000, N_TRAIN)).to_numpy()
    tables.train = tables.train.sort_values("rent")


@plant("order of the rows that predicts 'rent'")
def alike_neighbours(tables: Honest) -> None:
    """Rows in blocks of five with nearly the same target."""
    block = np.repeat(tables.rng.permutation(N_TRAIN // 5), 5)
    tables.train["rent"] = 1000.0 * block + tables.rng.integers(0, 100000, N_TRAIN)


@plant("id 'id' that predicts 'rent'")
def ids_in_the_order_of_the_target(tables: Honest) -> None:
    """Ids given in the order of the target, rows shuffled afterwards."""
    tables.train["id"] = [f"L-{int(rank):06d}" for rank in tables.rent.rank(method="first")]
    tables.test["id"] = [f"L-{10_000 + i:06d}" for i in range(N_TEST)]


@plant("id 'id' that predicts 'sold'")
def ids_with_the_class_in_them(tables: Honest) -> None:
    """A letter in the id that goes with the class."""
    tables.choose("sold", (tables.rent > tables.rent.median()).map({True: "y", False: "n"}))
    right = tables.rng.random(N_TRAIN) < 0.9
    letters = np.where((tables.train["sold"] == "y") == right, "A", "B")
    tables.train["id"] = [f"{letter}-{i}" for i, letter in enumerate(letters)]


@plant("id 'id' that predicts 'sold'")
def ids_counted_by_class(tables: Honest) -> None:
    """The class is the id's remainder."""
    tables.choose("sold", pd.Series([f"c{i % 4}" for i in range(N_TRAIN)]))


@plant("row number 'Unnamed: 0' that predicts 'rent'")
def a_saved_index(tables: Honest) -> None:
    """The row numbers of a table once sorted by target, saved as a column without a name."""
    noisy = tables.rent + tables.rng.normal(0, 50000, N_TRAIN)
    tables.train.insert(0, "", noisy.rank(method="first").astype(int))
    tables.test.insert(0, "", tables.rng.permutation(N_TRAIN)[:N_TEST])


@plant("of the test rows in training too")
def answers_among_training_rows(tables: Honest) -> None:
    """A tenth of the test rows with their answers among the training rows."""
    tables.train = tables.train.iloc[:-20]
    copied = tables.test.head(20).assign(id=[f"C-{i}" for i in range(20)])
    tables.train = pd.concat([tables.train, copied]).sample(frac=1, random_state=0)


@plant("of the training rows repeated with different 'rent'")
def rows_that_contradict_each_other(tables: Honest) -> None:
    """The same flat, to the second decimal, for another rent."""
    repeated = tables.train.head(40).assign(id=[f"C-{i}" for i in range(40)])
    repeated["rent"] += tables.rng.integers(1, 9, 40) * 1000
    tables.train = pd.concat([tables.train, repeated]).sample(frac=1, random_state=0)


@plant("of the training rows repeated, target included")
def rows_repeated(tables: Honest) -> None:
    """A file put behind itself, shuffled, with new ids."""
    repeated = tables.train.head(300).assign(id=[f"C-{i}" for i in range(300)])
    tables.train = pd.concat([tables.train, repeated]).sample(frac=1, random_state=0)


@plant("'cancelled_at', missing in 5")
def gaps_that_tell_the_class(tables: Honest) -> None:
    """A column that is filled in for one class only."""
    tables.choose("sold", (tables.rent > tables.rent.median()).map({True: "y", False: "n"}))
    tables.add("cancelled_at", tables.train["area"].where(tables.train["sold"] == "n"))


@plant("'luxury_tax', missing in")
def gaps_that_tell_the_price(tables: Honest) -> None:
    """A column that is filled in above a price."""
    tables.add("luxury_tax", tables.train["lat"].where(tables.rent > 300000))


@plant("'final_rating', known in 100% of the training rows but 0% of the test rows")
def empty_in_test(tables: Honest) -> None:
    """A column that the test rows have not yet."""
    tables.train["final_rating"] = tables.rng.integers(1, 6, N_TRAIN)
    tables.test["final_rating"] = np.nan


@plant("'final_rating', of many values in training but one in the test rows")
def zero_in_test(tables: Honest) -> None:
    """A column that is zero until the event."""
    tables.train["final_rating"] = tables.rng.integers(0, 6, N_TRAIN)
    tables.test["final_rating"] = 0


@plant("'listed' - 'let' in days")
def days_between_two_dates(tables: Honest) -> None:
    """The target is the time between two dates."""
    days = pd.Series(tables.rng.integers(1, 400, N_TRAIN), tables.train.index)
    tables.choose("days", days)
    listed = pd.Timestamp("2020-01-01") + pd.to_timedelta(tables.rng.integers(0, 2000, N_TRAIN), unit="D")
    tables.add("listed", listed.strftime("%Y-%m-%d"))
    tables.add("let", (listed + pd.to_timedelta(days.to_numpy(), unit="D")).strftime("%Y-%m-%d"))


@plant("'paid' after 'seen' in 5")
def a_date_after_the_event(tables: Honest) -> None:
    """For one class a date moves behind another."""
    tables.choose("late", (tables.rent > tables.rent.median()).map({True: "y", False: "n"}))
    paid = pd.Timestamp("2020-01-01") + pd.to_timedelta(tables.rng.integers(0, 2000, N_TRAIN), unit="D")
    side = np.where(tables.train["late"] == "y", 1, -1) * tables.rng.integers(1, 90, N_TRAIN)
    tables.add("paid", paid.strftime("%Y-%m-%d"))
    tables.add("seen", (paid + pd.to_timedelta(side, unit="D")).strftime("%Y-%m-%d"))


@plant("'updated' after 'month' in 40% of the training rows and in no test row")
def a_date_written_later_in_training_only(tables: Honest) -> None:
    """Training rows were updated after their month, test rows were not yet."""
    for table, share in ((tables.train, 0.4), (tables.test, 0.0)):
        n = len(table)
        month = tables.rng.integers(1, 13, n)
        moved = np.where(np.arange(n) < share * n, 40, -40)
        first = pd.to_datetime([f"2021-{m:02d}-01" for m in month])
        table["month"] = 202100 + month
        table["updated"] = (first + pd.to_timedelta(tables.rng.permutation(moved), unit="D")).strftime(
            "%Y-%m-%d"
        )


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_leak_is_caught(tmp_path: Path, name: str) -> None:
    """Each kind of leak is one warning with figures, and nothing else is suspected."""
    expected, function = PLANTED[name]
    tables = Honest()
    function(tables)

    warnings = [note for note in load_dataset(tables.write(tmp_path)).notes if note.startswith("Warning")]

    assert [expected in warning for warning in warnings] == [True], warnings
    assert "\n" not in warnings[0]
    assert warnings[0].index("got ") < warnings[0].index("; allowed") < warnings[0].index("; do: ")


@pytest.mark.parametrize("target", ["rent", "sold", "band"])
@pytest.mark.parametrize("seed", range(4))
def test_honest_tables_raise_no_alarm(tmp_path: Path, seed: int, target: str) -> None:
    """Strong predictors, holes, dates and text are no leaks, for numbers, two classes and several."""
    tables = Honest(seed)
    if target != "rent":
        tables.choose(target, pd.qcut(tables.rent, 2 if target == "sold" else 5, labels=False))
    files = tables.write(tmp_path)

    notes = load_dataset(DataFiles(files.train, files.test, files.target, files.id, strict=True)).notes

    assert [note for note in notes if "leak" in note] == []


def test_a_column_that_repeats_by_chance_is_no_leak(tmp_path: Path) -> None:
    """Rows of few categories are alike in training and test, and differ in their target, without a leak."""
    tables = Honest()
    for table in (tables.train, tables.test):
        table["area"], table["lat"], table["built"] = table["area"].round(-1), 35, "2000-01-01"
        table["walk"] = 1

    assert [note for note in load_dataset(tables.write(tmp_path)).notes if "leak" in note] == []


def test_new_categories_are_no_gaps(tmp_path: Path) -> None:
    """A text column whose test values training never had is there, although a model cannot use it."""
    tables = Honest()
    for table, first in ((tables.train, 0), (tables.test, 300)):
        table["block"] = [f"block {first + i // 2}" for i in range(len(table))]
    tables.train = tables.train.sample(frac=1, random_state=0)

    assert [note for note in load_dataset(tables.write(tmp_path)).notes if "leak" in note] == []


def test_strict_refuses_every_leak_at_once(tmp_path: Path) -> None:
    """With `strict` each leak is a fault line, all together, and nothing is loaded."""
    tables = Honest()
    scaled_and_shifted_copy(tables)
    empty_in_test(tables)
    files = tables.write(tmp_path)

    with pytest.raises(DatasetError) as caught:
        load_dataset(DataFiles(files.train, files.test, "rent", "id", strict=True))

    assert ["deposit" in caught.value.faults[0], "final_rating" in caught.value.faults[1]] == [True, True]
    assert len(caught.value.faults) == 2


def test_groups_in_both_files_are_a_note(tmp_path: Path) -> None:
    """Buildings that training and test share are said, with the share, and are no leak."""
    tables = Honest()
    tables.train["building_id"] = tables.rng.integers(0, 100, N_TRAIN)
    tables.test["building_id"] = np.arange(N_TEST) // 2 + 50

    notes = load_dataset(tables.write(tmp_path)).notes

    assert "Groups that test rows share with training: building_id (50%)" in notes
    assert [note for note in notes if "leak" in note] == []
