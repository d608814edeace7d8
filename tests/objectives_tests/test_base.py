from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from objectives.base import CVResult, find_objective

if TYPE_CHECKING:
    from tests.objectives_tests.conftest import Competition


def test_mean_and_spread_are_of_the_folds() -> None:
    """A result's score is the mean over folds, its spread numpy's population standard deviation."""
    none = np.empty(0)
    result = CVResult((1.0, 2.0, 6.0), none, none, (1, 1, 1), none, ())

    assert result.mean == 3
    assert result.std == pytest.approx(np.std([1, 2, 6]))


def test_an_unknown_objective_is_a_key_error() -> None:
    """A name that the registry lacks is refused, not guessed."""
    with pytest.raises(KeyError, match="xgbost"):
        find_objective("xgbost")


def test_the_contract_is_cheap_to_import() -> None:
    """A command that prints help must not wait for LightGBM or scikit-learn."""
    code = (
        "import objectives.base, sys; print({'lightgbm', 'sklearn', 'pandas', 'mlflow'} & set(sys.modules))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "set()"


def test_the_example_rows_are_raw(competition: Competition) -> None:
    """The example of what a served model receives is the test file as it is, id and text included."""
    example = competition.load().raw_test

    assert list(example) == ["id", "area", "built", "kind"]
    assert example["id"].tolist()[0] == "000060"
    assert example["kind"].tolist() == competition.test["kind"].tolist()
