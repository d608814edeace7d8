from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from storage.submission.drift import Summary, drift_warnings, summarise
from storage.submission.form import Wanted
from storage.submission.reading import read_format
from storage.submission.writing import oof_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

IDS = tuple(str(number) for number in range(400))
NUMBERS = read_format(None, Wanted(IDS))
LABELS = read_format(None, Wanted(IDS, classes=("a", "b", "c"), wants_labels=True))


def _normal(seed: int, rows: int, mean: float = 100.0, std: float = 10.0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(mean, std, rows)


@pytest.mark.parametrize("seed", range(20))
def test_the_same_distribution_is_quiet(seed: int) -> None:
    """Test predictions like the out-of-fold ones give no warning, draw after draw."""
    known = summarise(oof_values(_normal(seed, 1_000), NUMBERS), NUMBERS)

    assert drift_warnings(oof_values(_normal(seed + 100, 400), NUMBERS), NUMBERS, known) == []


def test_a_shift_has_figures() -> None:
    """Another level is a warning with both means, in standard deviations."""
    known = summarise(oof_values(_normal(0, 1_000), NUMBERS), NUMBERS)
    values = _normal(1, 400, mean=105)
    (line,) = drift_warnings(oof_values(values, NUMBERS), NUMBERS, known)

    (before,) = known
    shift = (values.mean() - before.mean) / before.std
    assert f"mean {values.mean():.6g} against {before.mean:.6g} ({shift:+.2f} standard deviations)" in line
    assert 0.15 < float(line.rsplit(maxsplit=1)[1]) < 0.25


def test_another_shape_is_seen() -> None:
    """The same mean with another spread is a warning too."""
    known = summarise(oof_values(_normal(0, 1_000, std=10), NUMBERS), NUMBERS)
    warnings = drift_warnings(oof_values(_normal(1, 400, std=2), NUMBERS), NUMBERS, known)

    assert any("greatest distance of the distributions" in line for line in warnings)


def test_a_mean_of_models_is_no_other_distribution_of_small_probabilities() -> None:
    """Most probabilities of many classes are tiny, and of another size where models are averaged: no warning."""
    rng = np.random.default_rng(0)
    likely = rng.random(1_000) < 0.1
    oof = np.where(likely, rng.beta(20, 1, 1_000), np.exp(rng.normal(-12, 2, 1_000)))
    test = np.where(likely[:400], rng.beta(20, 1, 400), np.exp(rng.normal(-11, 1, 400)))
    known = summarise(oof_values(oof, NUMBERS), NUMBERS)

    assert drift_warnings(oof_values(test, NUMBERS), NUMBERS, known) == []
    assert drift_warnings(oof_values(np.where(likely[:400], test, test + 0.05), NUMBERS), NUMBERS, known)


def test_predictions_out_of_range_are_counted() -> None:
    """Values outside the out-of-fold range are counted, with both ranges."""
    known = summarise(oof_values(np.linspace(0, 1, 1_000), NUMBERS), NUMBERS)
    values = np.linspace(0, 1, 400)
    values[:8] = -1.5
    (line,) = drift_warnings(oof_values(values, NUMBERS), NUMBERS, known)

    assert line == (
        "prediction: 8 of 400 predictions are outside the out-of-fold range 0 to 1; theirs is -1.5 to 1"
    )


def test_constant_predictions_are_seen() -> None:
    """One value for all rows is worth a word, even without out-of-fold predictions."""
    assert drift_warnings(oof_values(np.full(400, 0.5), NUMBERS), NUMBERS, ()) == [
        "prediction: all 400 predictions are 0.5"
    ]


def test_rows_without_a_prediction_are_left_out() -> None:
    """Rows that no fold validates, as in time splits, count for nothing."""
    oof = np.concatenate([np.full(500, np.nan), _normal(0, 1_000)])
    (summary,) = summarise(oof_values(oof, NUMBERS), NUMBERS)

    assert summary.rows == 1_000
    assert np.isfinite(summary.mean)


def test_class_shares_are_compared() -> None:
    """Where labels are written, shares of classes are compared; rows without a prediction are no class."""
    oof = np.eye(3)[np.arange(900) % 3]
    oof[:300] = np.nan
    known = summarise(oof_values(oof, LABELS), LABELS)
    same, other = np.eye(3)[np.arange(400) % 3], np.eye(3)[np.arange(400) % 2]

    assert [summary.rows for summary in known] == [600] * 3
    assert drift_warnings(oof_values(same, LABELS), LABELS, known) == []
    (line,) = drift_warnings(oof_values(other, LABELS), LABELS, known)
    assert line.startswith("class shares differ from the out-of-fold predictions: ")
    assert line.endswith(": a 50% against 33%, b 50% against 33%, c 0% against 33%")


def test_a_summary_survives_json() -> None:
    """What is kept of the out-of-fold predictions comes back as it was."""
    (summary,) = summarise(oof_values(_normal(0, 100), NUMBERS), NUMBERS)

    assert Summary.from_json(summary.to_json()) == summary
