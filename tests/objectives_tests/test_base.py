from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from objectives.base import CVResult, find_objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.objectives_tests.conftest import Competition


def test_mean_and_spread_are_of_the_folds() -> None:
    """A result's score is the mean over folds, its spread numpy's population standard deviation."""
    none = np.empty(0)
    result = CVResult((1.0, 2.0, 6.0), none, none, (1, 1, 1), none, ())

    assert result.mean == 3
    assert result.std == pytest.approx(np.std([1, 2, 6]))


def _result(oof: NDArray[Any], *models: str) -> CVResult:
    none = np.empty(0)
    return CVResult((1.0,), oof, none, (1,), none, models)


def test_equal_bits_have_equal_hashes() -> None:
    """A copy has the same hash, whatever its layout in memory."""
    oof = np.arange(6.0).reshape(3, 2)

    assert _result(oof).oof_hash == _result(np.asfortranarray(oof)).oof_hash
    assert _result(oof, "a", "b").model_hash == _result(oof * 2, "a", "b").model_hash


@pytest.mark.parametrize(
    "other",
    [np.array([0.0, 1.0, np.nextafter(2, 3)]), np.arange(3), np.arange(3.0)[:, None], np.array([-0.0, 1, 2])],
    ids=["the last bit", "type", "shape", "the sign of zero"],
)
def test_other_bits_have_another_hash(other: NDArray[Any]) -> None:
    """Type, shape and every bit count: equal to the eye is not the same."""
    assert _result(np.arange(3.0)).oof_hash != _result(other).oof_hash


def test_model_texts_are_told_apart() -> None:
    """The folds' order and borders count."""
    none = np.empty(0)
    hashes = {_result(none, *texts).model_hash for texts in (("ab", "c"), ("a", "bc"), ("c", "ab"), ("abc",))}

    assert len(hashes) == 4


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
