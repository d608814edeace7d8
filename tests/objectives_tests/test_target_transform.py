"""Transforms of the target: forward for labels, back for predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives.data.target_transform import PLAIN, TargetTransform, transform_fault

if TYPE_CHECKING:
    from objectives.base import FloatArray

NAMES = [*PLAIN, "per:area"]
TARGETS = st.lists(st.floats(0, 1e12, allow_subnormal=False), min_size=2, max_size=60)


def fitted(name: str, values: list[float]) -> tuple[TargetTransform, FloatArray, FloatArray | None]:
    """A transform, its targets and what they are divided by."""
    target = np.array(values)
    per = np.linspace(0.5, 200, len(target)) if name == "per:area" else None
    return TargetTransform.fit(name, target), target, per


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=60)
@given(TARGETS)
def test_round_trip(name: str, values: list[float]) -> None:
    """What comes back from a label is the target it was made of."""
    transform, target, per = fitted(name, values)

    back = transform.back(transform.forward(target, per), per)

    assert back == pytest.approx(target, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=60)
@given(TARGETS)
def test_both_ways_keep_the_order(name: str, values: list[float]) -> None:
    """Of two targets of like rows the larger has the larger label, and of two labels, however far out."""
    transform, target, _ = fitted(name, sorted(values))
    per = np.full(len(target), 3.0) if name == "per:area" else None
    labels = transform.forward(target, per)
    spread = np.concatenate([[-1e3, -10, -1e-9], labels, [labels.max() + 1e-9, 100]])
    spread_per = None if per is None else np.full(len(spread), 3.0)

    assert (np.diff(labels)[np.diff(target) > target.max() * 1e-12] > 0).all()
    assert (np.diff(transform.back(np.sort(spread), spread_per)) >= 0).all()


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=30)
@given(TARGETS)
def test_its_text_is_the_same_transform(name: str, values: list[float]) -> None:
    """What is saved with a model gives the same predictions to the bit."""
    transform, target, per = fitted(name, values)
    read_back = TargetTransform.from_json(transform.to_json())
    labels = transform.forward(target, per)

    assert np.array_equal(read_back.back(labels, per), transform.back(labels, per))


@settings(deadline=None, max_examples=60)
@given(TARGETS)
def test_quantile_labels_are_normal_places(values: list[float]) -> None:
    """Labels of a quantile transform are finite, and no prediction leaves the range of the fold's targets."""
    transform, target, _ = fitted("quantile", values)

    assert np.isfinite(transform.forward(target)).all()
    assert np.array_equal(transform.back(np.array([-np.inf, np.inf])), [target.min(), target.max()])


def test_quantile_makes_any_shape_normal() -> None:
    """A skewed target has labels with the moments of the normal distribution."""
    target = np.random.default_rng(0).lognormal(10, 2, 5000)
    labels = TargetTransform.fit("quantile", target).forward(target)

    assert labels.mean() == pytest.approx(0, abs=0.02)
    assert labels.std() == pytest.approx(1, abs=0.03)


def test_a_square_root_below_zero_is_zero() -> None:
    """A model may predict a little below zero; squaring that would turn the order round."""
    assert TargetTransform("sqrt").back(np.array([-3.0, 0.0, 2.0])).tolist() == [0, 0, 4]


@pytest.mark.parametrize(
    ("name", "values", "fault"),
    [
        ("log1p", [-1.0, 2.0, -5.0], "got log1p and 2 targets it cannot take, such as -5"),
        ("log1p", [-0.5, 0.0], None),
        ("sqrt", [-0.5, 0.0], "got sqrt and 1 targets it cannot take, such as -0.5"),
        ("sqrt", [0.0, 1.0], None),
        ("quantile", [-9.0, 1.0], None),
        ("none", [-9.0, 1.0], None),
    ],
)
def test_targets_out_of_range_are_refused(name: str, values: list[float], fault: str | None) -> None:
    """A transform that has no label for a target says so in one line, with the count and an example."""
    said = transform_fault(name, np.array(values))

    assert (fault in said if said and fault else said is fault) is True
    assert said is None or "allowed: targets" in said
