"""The convergence chart's geometry."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.config import CHART_DOTS
from search.web.chart import HEIGHT, WIDTH, draw

FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@given(
    st.lists(st.one_of(FINITE, st.sampled_from([math.nan, math.inf, -math.inf])), min_size=1, max_size=60),
    st.none() | FINITE,
    st.booleans(),
)
def test_all_that_is_drawn_is_inside(scores: list[float], default: float | None, maximize: bool) -> None:
    """Whatever the scores are, no coordinate leaves the picture, and the line of the best only gets better."""
    chart = draw(list(enumerate(scores, 1)), default, len(scores), maximize=maximize)
    if chart is None:
        assert not any(math.isfinite(score) for score in scores)
        return

    heights = [float(y) for y in re.findall(r"V([-\d.]+)", chart.best)]
    drawn = [*heights, *(dot[1] for dot in chart.dots), *(tick[0] for tick in chart.ticks)]
    assert all(0 <= y <= HEIGHT for y in drawn)
    assert all(0 <= dot[0] <= WIDTH for dot in chart.dots)
    assert heights == sorted(heights, reverse=maximize)


@pytest.mark.parametrize(("maximize", "expected"), [(False, "from 3 to 1"), (True, "from 3 to 9")])
def test_the_line_follows_the_direction(maximize: bool, expected: str) -> None:
    """The words beside the picture say where it begins and ends."""
    chart = draw([(1, 3.0), (2, 9.0), (4, 1.0)], None, 4, maximize=maximize)

    assert chart is not None
    assert expected in chart.text


def test_a_long_study_is_thinned_but_for_its_steps() -> None:
    """The page stays small, and no improvement is left out."""
    scores = [(i, 1.0 / i) for i in range(1, 2_001)]
    chart = draw(scores, None, 2_000, maximize=False)

    assert chart is not None
    assert len(chart.dots) <= CHART_DOTS
    assert chart.best.count("V") == 1_999


def test_one_bad_configuration_does_not_flatten_the_rest() -> None:
    """It is shown at the edge, and the others keep their differences."""
    chart = draw([(1, 1.0), (2, 1.1), (3, 1e9), (4, 0.9), (5, 1.05)], 1.0, 5, maximize=False)

    assert chart is not None
    seen = [is_seen for _, _, is_seen in chart.dots]
    assert (seen[0], seen[2], seen[3], seen[4]) == (True, False, True, True)
    assert max(y for _, y, _ in chart.dots) - min(y for _, y, _ in chart.dots) > HEIGHT / 2
