"""`search.splits`: sees when random folds flatter, and raises no alarm where they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from search.config import DataConfig
from search.results.scheme_lines import comparison_lines
from search.results.schemes import compare_splits
from search.splits import main
from storage.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

    from search.results.schemes import Comparison

N_TRAIN, N_TEST, N_GROUPS = 480, 120, 48


def _houses(seed: int, *, is_parted: bool, target: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Houses in cities of which only the position is known; what they cost depends on the city alone, or on nothing.

    Args:
        seed: Of every draw.
        is_parted: Whether the test file has other cities than the training file.
        target: "of the city": permuted between the cities; "of nothing": permuted between the rows.
    """
    rng, n = np.random.default_rng(seed), N_TRAIN + N_TEST
    share = N_GROUPS * N_TRAIN // n
    city = np.sort(rng.integers(0, N_GROUPS, n)) if is_parted else rng.integers(0, N_GROUPS, n)
    if is_parted:
        city = np.r_[rng.integers(0, share, N_TRAIN), rng.integers(share, N_GROUPS, N_TEST)]
    table = pd.DataFrame(
        {
            "id": range(n),
            "city": [f"c{i:02d}" for i in city],
            "x": rng.normal(size=N_GROUPS)[city],
            "y": rng.normal(size=N_GROUPS)[city],
            "area": rng.uniform(20, 90, n),
            "rent": rng.permutation(np.linspace(10, 90, N_GROUPS))[city] + rng.normal(0, 3, n),
        }
    )
    if target == "of nothing":
        table["rent"] = rng.permutation(table["rent"])
    return table[:N_TRAIN], table[N_TRAIN:].drop(columns="rent")


def _compare(folder: Path, tables: tuple[pd.DataFrame, pd.DataFrame], **asked: Any) -> Comparison:
    config = DataConfig(train=folder / "train.csv", test=folder / "test.csv", target="rent", folds=4, **asked)
    for path, table in zip((config.train, config.test), tables, strict=True):
        table.to_csv(path, index=False)
    return compare_splits(config, Layout(folder), [].append)


@pytest.mark.parametrize("seed", [0, 1])
def test_random_folds_that_flatter_are_found_out(seed: int, tmp_path: Path) -> None:
    """Costs permuted between cities teach nothing about other cities: by group the score is trivial, at random good."""
    compared = _compare(tmp_path, _houses(seed, is_parted=True, target="of the city"))

    best = compared.recommended
    assert (best.plan.scheme, best.plan.group) == ("group", "city")
    assert compared.is_flattering
    trivial = pd.read_csv(tmp_path / "train.csv")["rent"].std()
    assert best.mean > 0.7 * trivial
    assert compared.random.mean < 0.4 * trivial
    text = "\n".join(comparison_lines(compared))
    assert "WARNING: RANDOM FOLDS FLATTER" in text
    assert "Use: --group city --folds 4" in text


@pytest.mark.parametrize("seed", [0, 1])
def test_permuted_rows_flatter_nobody(seed: int, tmp_path: Path) -> None:
    """Where there is nothing to learn, no split scores better than another, and no alarm is raised."""
    compared = _compare(tmp_path, _houses(seed, is_parted=True, target="of nothing"))

    assert compared.recommended.plan.scheme == "group"
    assert not compared.is_flattering
    assert "WARNING" not in "\n".join(comparison_lines(compared))


@pytest.mark.parametrize("seed", [0, 1])
def test_rows_dealt_at_random_raise_no_alarm(seed: int, tmp_path: Path) -> None:
    """A test file with the same cities is like random folds, however much the cities matter."""
    compared = _compare(tmp_path, _houses(seed, is_parted=False, target="of the city"))

    assert compared.recommended is compared.random
    assert not compared.is_flattering
    text = "\n".join(comparison_lines(compared))
    assert "WARNING" not in text
    assert "Use: no flag" in text
    assert "Should the rows to predict have a city that training lacks after all" in text


def test_a_drift_is_split_in_time(tmp_path: Path) -> None:
    """Test rows that come after training ask for time folds; the month is found by itself."""
    rng, n = np.random.default_rng(0), N_TRAIN + N_TEST
    month = np.where(np.arange(n) < N_TRAIN, rng.integers(1, 13, n), 14)
    table = pd.DataFrame({"id": range(n), "ym": 202000 + month, "area": rng.uniform(20, 90, n)})
    table["rent"] = table["area"] + 30.0 * month
    compared = _compare(tmp_path, (table[:N_TRAIN], table[N_TRAIN:].drop(columns="rent")), gap=1)

    assert compared.found == ("ym",)
    assert compared.is_flattering
    assert (compared.recommended.plan.time, compared.recommended.plan.gap) == ("ym", 1)
    assert compared.test.later == compared.recommended.relation.later == {"ym": 1.0}


def test_classes_stay_stratified_in_groups(tmp_path: Path) -> None:
    """With classes the grouped candidate is the stratified one, and its flags say so."""
    train, test = _houses(0, is_parted=True, target="of the city")
    train = train.assign(rent=np.where(train["rent"] > 50, "dear", "cheap"))
    compared = _compare(tmp_path, (train, test))

    assert [one.plan.scheme for one in compared.schemes] == ["stratified", "stratified_group"]
    assert "Use: --split stratified_group --group city --folds 4" in comparison_lines(compared)


def test_a_scheme_that_cannot_be_is_left_out_with_a_word(tmp_path: Path) -> None:
    """A given column that splits nothing does not keep the others from being compared."""
    train, test = _houses(0, is_parted=True, target="of the city")
    compared = _compare(tmp_path, (train.assign(one=1), test.assign(one=1)), time="one", split="time")

    assert [one.plan.scheme for one in compared.schemes] == ["kfold", "group"]
    assert any(
        line.startswith("Not compared: time: got 1 distinct values") for line in comparison_lines(compared)
    )


def _flags(folder: Path, *more: str) -> list[str]:
    for name, table in zip(("train", "test"), _houses(0, is_parted=True, target="of the city"), strict=True):
        table.to_csv(folder / f"{name}.csv", index=False)
    files = ["--train", str(folder / "train.csv"), "--test", str(folder / "test.csv")]
    return [*files, "--target", "rent", *more]


def test_the_command_records_nothing(in_empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints its table and leaves no file behind."""
    assert main(_flags(in_empty_folder.parent, "--folds", "2")) == 0

    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  training -> test") for line in lines)
    assert "Use: --group city --folds 2" in lines
    assert lines[lines.index("or in a TOML file:") + 1 :] == ['  group = "city"', "  folds = 2"]
    assert list(in_empty_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--group", "where"], "group: got 'where', not a column of"),
        (["--time", "city"], "time: got 480 values in 'city' that are no moment"),
        (["--split", "cities"], "'cities'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    more: list[str], named: str, in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same faults as a search would name, before anything is computed."""
    assert main(_flags(in_empty_folder.parent, *more)) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert named in line
    assert "allowed: " in line
    assert list(in_empty_folder.iterdir()) == []
