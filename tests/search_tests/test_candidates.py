"""What can be promoted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from search.conclusion.candidates import Candidate, Part, blend_of, single


def test_a_part_is_told_by_trial_and_variant() -> None:
    """A part read back from a record finds the predictions of the part that was recorded."""
    part = Part(12, {"learning_rate": 0.1})
    assert {part: 1}[Part(12, {"learning_rate": 0.1000001})] == 1
    assert Part(12, {"learning_rate": 0.1}, "slow") != part
    assert Part(12, {}, "slow").name == "trial 12, slow"


def test_a_candidate_survives_json() -> None:
    """What is recorded is what was chosen, weights to the bit."""
    blend = blend_of(((Part(3, {"a": 1}), 1.0), (Part(5, {"a": 0.3}, "slow"), 2.0)))
    again = Candidate.from_json(json.loads(json.dumps(blend.to_json())))
    assert again == blend
    assert [dict(part.params) for part, _ in again.parts] == [{"a": 0.3}, {"a": 1}]


def test_a_blend_is_the_weighted_mean() -> None:
    """A blend predicts the mean of its parts by weight, and keeps rows that no fold validates unknown."""
    first, second = Part(0, {}), Part(1, {})
    blend = blend_of(((first, 1.0), (second, 3.0)))
    known = {first: np.array([1.0, np.nan]), second: np.array([5.0, np.nan])}
    np.testing.assert_array_equal(blend.mixed(known), [4.0, np.nan])
    assert (blend.name, blend.configurations, blend.lead) == ("blend of 2", (second, first), second)


def test_a_blend_of_one_is_that_trial() -> None:
    """A blend that came to one part is promoted as the simpler thing it is."""
    assert blend_of(((Part(4, {}), 7.0),)) == single(Part(4, {}))


def test_weights_that_do_not_sum_to_one_are_refused() -> None:
    """Weights that would shift every prediction never reach a submission."""
    with pytest.raises(AssertionError):
        Candidate("blend of 2", ((Part(0, {}), 0.5), (Part(1, {}), 0.6)))


@pytest.mark.parametrize(
    ("variant", "seed"), [("", None), ("slow", None), ("seed 2", 2), ("slow seed 13", 13)]
)
def test_a_variant_may_name_a_seed(variant: str, seed: int | None) -> None:
    """What was fitted with another seed is fitted again, and scored on fresh splits, with another seed."""
    assert Part(1, {}, variant).seed == seed
