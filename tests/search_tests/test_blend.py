from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from objectives.data.folds import Fold
from objectives.data.metrics import METRICS
from search.conclusion.blend import nested_score, select
from search.conclusion.blend_loss import blend_loss
from search.conclusion.candidates import Part
from search.config import (
    BLEND_BAG_SHARE,
    BLEND_BAGS,
    BLEND_PARTS,
    BLEND_ROWS_OWN_METRIC,
    BLEND_SHORTLIST,
    BLEND_STEPS,
)

if TYPE_CHECKING:
    from objectives.base import FloatArray
    from objectives.data.metrics import Metric

N = 300
RMSE = METRICS["rmse"]


def part(trial: int) -> Part:
    """A part that is told from others by its trial alone."""
    return Part(trial, {})


def split(n_rows: int = N, n_folds: int = 3, seed: int = 0) -> tuple[Fold, ...]:
    """Random folds of uneven size."""
    rows = np.random.default_rng(seed).permutation(n_rows)
    cuts = [n_rows * (k + 1) // n_folds + 7 * k for k in range(n_folds - 1)]
    return tuple(Fold(np.setdiff1d(rows, val), np.sort(val)) for val in np.split(rows, cuts))


def noisy(target: FloatArray, n_parts: int, seed: int = 0) -> dict[Part, FloatArray]:
    """Predictions that err independently of each other, the later the more."""
    rng = np.random.default_rng(seed)
    return {part(k): target + rng.normal(0, 1 + k / 10, len(target)) for k in range(n_parts)}


def target_and_oofs(metric: Metric) -> tuple[FloatArray, dict[Part, FloatArray]]:
    """Something to blend for a metric's first task."""
    rng = np.random.default_rng(3)
    if metric.tasks[0] == "regression":
        target = rng.gamma(2, 10, N)
        return target, {k: np.abs(oof) for k, oof in noisy(target, 6).items()}
    n_classes = 2 if metric.tasks[0] == "binary" else 4
    target = rng.integers(0, n_classes, N).astype(np.float64)
    odds = [
        np.exp(rng.normal(0, 1, (N, n_classes)) + 2 * np.eye(n_classes)[target.astype(int)]) for _ in range(6)
    ]
    shares = [one / one.sum(axis=1, keepdims=True) for one in odds]
    return target, {part(k): one[:, 1] if n_classes == 2 else one for k, one in enumerate(shares)}


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_blend_scores_as_the_metric_says(name: str) -> None:
    """However a metric is computed for blends, the best continuation is the one the metric itself prefers."""
    metric, folds = METRICS[name], split()
    target, oofs = target_and_oofs(metric)
    counts = np.array([2, 0, 1, 0, 0, 0])
    arrays = [*oofs.values()]
    rows = [fold.val_idx for fold in folds]
    loss = blend_loss(arrays, target, metric, rows, np.random.default_rng(0))
    losses = loss.with_one_more(counts, [0, 3, 5])
    for found, k in zip(losses, [0, 3, 5], strict=True):
        blend = (2 * arrays[0] + arrays[2] + arrays[k]) / 4
        scores = [metric.score(target[some], blend[some]) for some in rows]
        wanted = -np.mean(scores) if metric.greater_is_better else np.mean(scores)
        assert found == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_blend_beats_the_best_part_where_errors_are_independent(name: str) -> None:
    """For each metric the selected blend is a mean with weights of sum 1 that scores better than its best part."""
    metric, folds = METRICS[name], split()
    target, oofs = target_and_oofs(metric)
    chosen = select(oofs, target, metric, folds, seed=0)
    weights = [weight for _, weight in chosen]
    blend = np.sum([weight * oofs[one] for one, weight in chosen], axis=0)
    assert sum(weights) == pytest.approx(1)
    assert weights == sorted(weights, reverse=True)

    def score(prediction: FloatArray) -> float:
        return float(np.mean([metric.score(target[f.val_idx], prediction[f.val_idx]) for f in folds]))

    assert all(metric.is_better(score(blend), score(oof)) for oof in oofs.values())


def test_a_part_that_is_best_with_any_other_stays_alone() -> None:
    """Where the others only repeat the best part's errors and add to them, the blend is that part alone."""
    rng = np.random.default_rng(1)
    target, error = rng.normal(0, 1, N), rng.normal(0, 1, N)
    oofs = {part(k): target + (1 + k / 4) * error for k in range(8)}
    assert select(oofs, target, RMSE, split(), seed=0) == ((part(0), 1.0),)


def test_many_parts_make_a_small_blend_that_is_always_the_same() -> None:
    """However many parts there are, a blend has few, and the same seed gives the same blend."""
    target = np.random.default_rng(2).normal(0, 1, N)
    oofs = noisy(target, 40)
    first, again = (select(oofs, target, RMSE, split(), seed=5) for _ in range(2))
    assert first == again
    assert len(first) == BLEND_PARTS


def test_rows_that_no_fold_validates_do_not_count() -> None:
    """Folds that go forward in time leave the earliest rows without a prediction, and nobody out."""
    folds = tuple(Fold(np.arange(100 * k), np.arange(100 * k, 100 * k + 100)) for k in (1, 2))
    target = np.random.default_rng(4).normal(0, 1, N)
    oofs = noisy(target, 3)
    for oof in oofs.values():
        oof[:100] = np.nan
    assert len(select(oofs, target, RMSE, folds, seed=0)) == 3
    nested = nested_score(oofs, target, RMSE, folds, seed=0)
    assert np.isfinite([*nested.blend, *nested.single]).all()


def test_a_part_without_a_prediction_is_left_out() -> None:
    """A part that lacks the prediction of a single scored row is not blended; of none there is no blend."""
    target = np.random.default_rng(5).normal(0, 1, N)
    oofs = noisy(target, 3)
    oofs[part(0)][17] = np.nan
    assert {one for one, _ in select(oofs, target, RMSE, split(), seed=0)} == {part(1), part(2)}
    with pytest.raises(ValueError, match="got 1 parts, none finite"):
        select({part(0): oofs[part(0)]}, target, RMSE, split(), seed=0)


@pytest.mark.parametrize("repeated", [False, True])
def test_a_fold_is_scored_by_what_was_chosen_without_its_rows(repeated: bool) -> None:
    """A part that is good in one fold only is not chosen for that fold, also where a repeat validates its rows too."""
    rng = np.random.default_rng(6)
    target, folds = rng.normal(0, 1, N), split()
    lucky_rows = folds[0].val_idx
    usual, lucky = target + rng.normal(0, 1, N), target + 100.0
    lucky[lucky_rows], usual[lucky_rows] = target[lucky_rows], target[lucky_rows] + 50.0
    if repeated:
        folds = (*folds, Fold(folds[0].train_idx, lucky_rows[::-1]))
    oofs = {part(0): usual, part(1): lucky}
    nested = nested_score(oofs, target, RMSE, folds, seed=0)
    assert nested.blend[0] == pytest.approx(50.0)
    assert nested.single[0] == pytest.approx(50.0)


def test_what_luck_made_is_not_in_the_nested_score() -> None:
    """Where no part knows anything, the best of many looks better than it is, and the nested score tells."""
    rng = np.random.default_rng(7)
    target, folds = rng.normal(0, 1, N), split(n_folds=5)
    oofs = {part(k): rng.normal(0, 0.5, N) for k in range(40)}
    chosen = select(oofs, target, RMSE, folds, seed=0)
    blend = np.sum([weight * oofs[one] for one, weight in chosen], axis=0)
    apparent = np.mean([RMSE.score(target[f.val_idx], blend[f.val_idx]) for f in folds])
    assert np.mean(nested_score(oofs, target, RMSE, folds, seed=0).blend) > apparent


def test_one_fold_has_no_nested_score() -> None:
    """With a single fold nothing is left to select on, which is said."""
    target = np.zeros(N)
    with pytest.raises(ValueError, match="got 1 fold; allowed: 2 or more"):
        nested_score(noisy(target, 2), target, RMSE, split()[:1], seed=0)


def test_an_own_metric_is_called_seldom_and_on_few_rows() -> None:
    """A metric that may take long is called a bounded number of times, each on a bounded number of rows."""
    sizes: list[int] = []

    def score(y: FloatArray, p: FloatArray) -> float:
        sizes.append(len(y))
        return float(np.mean(np.abs(y - p)))

    own = replace(METRICS["mae"], name="own", score=score, source="its text")
    n_rows, n_parts, folds = 9_000, 40, split(9_000)
    target = np.random.default_rng(8).normal(0, 1, n_rows)
    select(noisy(target, n_parts), target, own, folds, seed=0)
    full, short = 2 * (round(BLEND_BAG_SHARE * n_parts) + 1), (BLEND_STEPS - 2) * BLEND_SHORTLIST
    assert len(sizes) <= len(folds) * (n_parts + BLEND_BAGS * (full + short))
    assert sum(sizes[: len(folds)]) <= BLEND_ROWS_OWN_METRIC
