"""Objectives of the user's own tried out before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from search.space.tried import own_fault
from tests.search_tests.fakes import FakeObjective
from tests.search_tests.two_objectives import Lightgbm

if TYPE_CHECKING:
    from objectives.base import Objective


class Own(FakeObjective):
    """A user's own, with any default."""

    name = "own"

    def __init__(self, **default: Any) -> None:
        super().__init__()
        self._default = default

    def default_params(self) -> dict[str, Any]:
        """As it was given; none is a mistake."""
        if not self._default:
            raise NotImplementedError("write it")
        return self._default


@pytest.mark.parametrize(
    ("default", "named"),
    [
        ({"x": 0.5, "n": 3}, None),
        ({"x": 0.5}, "got own: no n of its default"),
        ({"x": 2.0, "n": 3}, "got own: x = 2.0 of its default"),
        ({"x": 0.5, "n": 3, "y": 1}, "got own: y = 1 of its default"),
        ({}, "got NotImplementedError: write it; allowed: a class that can be made"),
    ],
)
def test_a_default_outside_the_space_is_told_before_the_search(
    default: dict[str, Any], named: str | None
) -> None:
    """What would fail in the first trial, or in the sampler, is a fault of the input, in one line."""
    fault = own_fault(lambda: Own(**default))

    assert fault is None if named is None else fault is not None and named in fault


def test_what_cannot_be_made_is_told() -> None:
    """A constructor that raises is no traceback."""

    def make() -> Objective:
        raise KeyError("column")

    assert "got KeyError: 'column'" in (own_fault(make) or "")


def test_the_built_in_ones_are_not_tried() -> None:
    """Ours are tested elsewhere, and making them may take time."""

    class Broken(Lightgbm):
        def space(self) -> dict[str, Any]:
            raise AssertionError

    assert own_fault(Broken) is None
