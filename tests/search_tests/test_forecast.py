from __future__ import annotations

import numpy as np
import pytest

from search.loop.forecast import Forecast, forecast


def made(n: int, noise: float, seed: int = 0) -> Forecast:
    """From trials whose final score is 10 plus the standing, but for noise."""
    rng = np.random.default_rng(seed)
    standings = rng.uniform(0, 1, n)
    found = forecast(list(standings), list(10 + standings + rng.normal(0, noise, n)))
    assert found is not None
    return found


def test_the_stated_doubt_is_true() -> None:
    """A trial beats the score that it beats with a probability of 10 % in about a tenth of all cases."""
    rng = np.random.default_rng(1)
    beaten = []
    for seed in range(600):
        line, standing = made(9, 0.3, seed), float(rng.uniform(0, 1))
        beaten.append(10 + standing + rng.normal(0, 0.3) < line.best(standing, 0.1))

    assert 0.06 < np.mean(beaten) < 0.14


def test_more_noise_and_fewer_trials_leave_more_open() -> None:
    """The score that is nearly out of reach is the farther away the less is known."""
    reach = [
        np.mean([10.5 - made(n, noise, seed).best(0.5, 0.05) for seed in range(20)])
        for n, noise in [(10, 0.1), (10, 0.5), (4, 0.5)]
    ]

    assert reach == sorted(reach)
    assert reach[0] > 0


def test_too_few_foretell_nothing() -> None:
    """Two trials make a line without any doubt about it, so there is no forecast."""
    assert forecast([], []) is None
    assert forecast([1.0, 2.0], [1.0, 2.0]) is None


def test_equal_standings_foretell_the_usual_end() -> None:
    """Where all stood alike, the mean of their ends is what there is to say, and their spread around it."""
    line = forecast([1.0] * 4, [1.0, 2.0, 3.0, 4.0])

    assert line is not None
    assert line.best(1.0, 0.5) == pytest.approx(2.5)
    assert line.best(1.0, 0.05) < 0
