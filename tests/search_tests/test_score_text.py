"""Scores as people read them."""

from __future__ import annotations

import math

import pytest

from search.score_text import change_text, score_text, spread_text


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (363924.25, "363924"),
        (20532.0645, "20532.1"),
        (-130.03, "-130.030"),
        (0.430221, "0.430221"),
        (0.00012345678, "0.000123457"),
        (0.0, "0.00000"),
        (math.inf, "inf"),
        (math.nan, "-"),
        (None, "-"),
    ],
)
def test_a_score_has_six_digits(score: float | None, said: str) -> None:
    """Two log losses are told apart, and a rent has no ten-thousandths of a yen."""
    assert score_text(score) == said


def test_what_stands_beside_a_score_has_its_decimals() -> None:
    """Spread and change line up with their score, whatever their own size."""
    assert spread_text(20532.0645, 17.25) == "20532.1 ± 17.2"
    assert spread_text(0.5, math.nan) == "0.500000"
    assert change_text(-0.0042, 0.430221) == "-0.004200"
    assert score_text(1234.5, 20532.0645, commas=True) == "1,234.5"
