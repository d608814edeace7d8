from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from search.config import KEEP_OF_EACH_OBJECTIVE, KEEP_PREDICTIONS
from search.loop.keeping import Ranked, chosen_to_keep, scores_to_beat
from search.loop.likeness import ErrorSketches, error_sketch
from storage.predictions import PredictionStore

if TYPE_CHECKING:
    from pathlib import Path

    from objectives.base import FloatArray

N = 50


def unlike(numbers: range) -> dict[int, FloatArray]:
    """Errors that are not alike, of length 1."""
    rng = np.random.default_rng(0)
    vectors = {number: rng.normal(0, 1, N) for number in numbers}
    return {number: vector / np.linalg.norm(vector) for number, vector in vectors.items()}


def test_the_best_and_the_first_are_kept() -> None:
    """Of trials that err differently the best stay, and the first, which is the default."""
    ranked = [Ranked(number, "", float(-number)) for number in reversed(range(N))]
    kept = chosen_to_keep(ranked, unlike(range(N)))
    assert kept == [*range(N - 1, N - 1 - KEEP_PREDICTIONS, -1), 0]


def test_each_objective_keeps_its_best() -> None:
    """An objective that is far behind keeps its best few all the same."""
    ranked = [Ranked(k, "good" if k < 30 else "other", float(k)) for k in range(N)]
    kept = chosen_to_keep(ranked, unlike(range(N)))
    assert kept == [*range(KEEP_PREDICTIONS), *range(30, 30 + KEEP_OF_EACH_OBJECTIVE)]


def test_what_repeats_a_better_trial_goes_first() -> None:
    """A trial that repeats a better one's errors makes room for a worse one that does not, within one objective."""
    errors = unlike(range(N))
    for k in range(1, 10):
        errors[k] = errors[0]
    ranked = [Ranked(k, "", float(k)) for k in range(N)]
    assert chosen_to_keep(ranked, errors) == [0, *range(10, 9 + KEEP_PREDICTIONS)]
    assert chosen_to_keep(ranked[:12], errors) == [*range(12)]
    other = [one._replace(objective="other") if one.number == 5 else one for one in ranked]
    assert 5 in chosen_to_keep(other, errors)


def test_the_score_to_beat_is_that_of_the_last_place() -> None:
    """With room nothing has to be beaten; without, the last of the best or, if that is easier, of its own."""
    ranked = [Ranked(k, "good" if k < 30 else "other", float(k)) for k in range(N)]
    kept = chosen_to_keep(ranked, unlike(range(N)))
    assert scores_to_beat(ranked, kept) == {
        "good": KEEP_PREDICTIONS - 1.0,
        "other": 29.0 + KEEP_OF_EACH_OBJECTIVE,
    }
    assert scores_to_beat(ranked, kept[:10]) == {}
    few = [one for one in ranked if one.number < 33]
    assert scores_to_beat(few, chosen_to_keep(few, unlike(range(N)))).keys() == {"good"}


def test_sketches_multiply_to_the_correlation_of_errors() -> None:
    """The product of two sketches is the correlation of the errors in the rows that have a prediction."""
    rng = np.random.default_rng(1)
    target = rng.normal(0, 1, 100)
    one, other = target + rng.normal(3, 1, 100), target + rng.normal(0, 1, 100)
    one[:10], other[:10] = np.nan, np.nan
    product = float(error_sketch(one, target, 0) @ error_sketch(other, target, 0))
    assert product == pytest.approx(np.corrcoef(one[10:] - target[10:], other[10:] - target[10:])[0, 1])


def test_sketches_of_classes_look_at_all_probabilities() -> None:
    """Two models that give the true class the same probability are not alike where they disagree on the others."""
    target = np.zeros(40)
    one = np.tile([0.4, 0.6, 0.0], (40, 1))
    other = np.tile([0.4, 0.0, 0.6], (40, 1))
    assert error_sketch(one, target, 0) @ error_sketch(one.copy(), target, 0) == pytest.approx(1)
    assert error_sketch(one, target, 0) @ error_sketch(other, target, 0) < 0.9


def test_perfect_predictions_are_alike_to_none() -> None:
    """Without any errors there is nothing to correlate, and nothing breaks."""
    target = np.arange(10.0)
    assert not error_sketch(target, target, 0).any()


def test_known_sketches_are_of_what_is_on_disk(tmp_path: Path) -> None:
    """A resumed search reads what is kept, and passes over what is gone or torn."""
    store, target = PredictionStore(tmp_path), np.zeros(4)
    for number in (1, 2, 3):
        store.save(number, oof=np.arange(4.0) * number, test=np.ones(1))
    content = (tmp_path / "trial_00002.npz").read_bytes()
    (tmp_path / "trial_00002.npz").write_bytes(content[:40].ljust(60, b"x") + content[60:])
    sketches = ErrorSketches(store, target, seed=0)
    assert sketches.known([1, 2, 3, 4]) == {1, 3}
    assert sketches.errors.keys() == {1, 3}
