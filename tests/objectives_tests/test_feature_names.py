from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from objectives.models.feature_names import plain_names


@given(st.lists(st.text('ab_2 "[]{}:,\n面', max_size=4), unique=True))
def test_plain_names_are_taken_and_unique(names: list[str]) -> None:
    """Whatever the columns are called, each gets a name of its own that LightGBM takes."""
    plain = plain_names(names)

    assert len(plain) == len(names)
    assert len(set(plain)) == len(plain)
    assert not [name for name in plain if not name or re.search(r'[\s",:\[\]{}]', name)]


def test_plain_names_are_kept() -> None:
    """A name without a refused character stays readable in the model, Japanese too."""
    assert plain_names(["unit_area", "面積(㎡)", "a.b-c"]) == ["unit_area", "面積(㎡)", "a.b-c"]


def test_names_made_alike_are_told_apart() -> None:
    """Two columns never become one feature."""
    assert plain_names(["a b", "a_b", "a:b"]) == ["a_b", "a_b_2", "a_b_3"]
