"""The choice of what to promote, and what it is worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from objectives.data.folds import make_folds
from objectives.data.metrics import METRICS
from search.conclusion.association import association
from search.conclusion.candidates import Part, blend_of, single
from search.conclusion.choice import Contender, Evidence, choose
from search.conclusion.honest import UnseenRows, honest_score
from search.conclusion.paired import paired_gain
from search.conclusion.scored_folds import ScoredFold, Scorer, own_folds

if TYPE_CHECKING:
    from objectives.base import FloatArray
    from search.conclusion.choice import Choice

N, FOLDS = 400, 5
DEFAULT, TUNED, OTHER = Part(0, {}), Part(7, {}), Part(9, {})


class Study:
    """Configurations whose models err by given amounts, on the study's split and on three fresh ones.

    Args:
        errors: Of each part's models: what all of them share, and what each has of its own.
        signal: Size of what there is to learn.
        luck: How much better a part looks on the study's own split than it is.
    """

    def __init__(
        self,
        errors: dict[Part, tuple[float, float]],
        *,
        signal: float = 1.0,
        luck: dict[Part, float] | None = None,
    ) -> None:
        self.rng = np.random.default_rng(1)
        self.truth = signal * self.rng.normal(size=N)
        target = self.truth + self.rng.normal(size=N)
        self.folds = make_folds(target, "regression", FOLDS, 0)
        self.shared = {part: shared * self.rng.normal(size=N) for part, (shared, _) in errors.items()}
        self.own_size = {part: own for part, (_, own) in errors.items()}
        oofs = {
            part: self._predict(part) * (1 - lucky) + lucky * target
            for part in errors
            for lucky in [(luck or {}).get(part, 0.0)]
        }
        self.scorer = Scorer(target, METRICS["rmse"], FOLDS, oofs)
        self.own = own_folds(self.folds, oofs)
        self.fresh = [
            ScoredFold((split, k), fold.val_idx, {part: predicted[part][fold.val_idx] for part in errors})
            for split in (1, 2, 3)
            for predicted in [{part: self._predict(part) for part in errors}]
            for k, fold in enumerate(make_folds(target, "regression", FOLDS, split))
        ]

    def _predict(self, part: Part) -> FloatArray:
        return self.truth + self.shared[part] + self.own_size[part] * self.rng.normal(size=N)

    def choose(self, *contenders: Contender, fresh: bool = True) -> Choice:
        """Chooses, with or without fresh splits."""
        evidence = Evidence(self.scorer, "regression", self.own, self.fresh if fresh else (), FOLDS)
        return choose(contenders, evidence)


BASE = Contender(single(DEFAULT), "default")


def test_a_better_trial_is_chosen() -> None:
    """Where fresh splits confirm a trial by more than a standard error, it is promoted."""
    study = Study({DEFAULT: (1.5, 0.1), TUNED: (0.2, 0.1)})
    choice = study.choose(BASE, Contender(single(TUNED), "single"))
    assert (choice.chosen.kind, choice.reason) == ("single", "best")
    assert choice.row.over_default is not None
    assert choice.row.over_default.is_sure


def test_nothing_is_promoted_over_a_default_that_is_the_best() -> None:
    """A trial within a standard error of the default is no reason to leave the default."""
    study = Study({DEFAULT: (0.30, 0.1), TUNED: (0.32, 0.1), OTHER: (0.31, 0.1)})
    blend = Contender(blend_of(((TUNED, 1.0), (OTHER, 1e-6))), "blend")
    choice = study.choose(BASE, Contender(single(TUNED), "single"), blend)
    assert (choice.chosen, choice.reason) == (BASE, "best")


def test_luck_on_the_studys_split_is_seen_through() -> None:
    """A trial that only looks better on the split it was chosen on does not beat the default."""
    study = Study({DEFAULT: (0.3, 0.2), TUNED: (0.3, 0.2)}, luck={TUNED: 0.4})
    choice = study.choose(BASE, Contender(single(TUNED), "single"))
    row = next(row for row in choice.rows if row.contender.kind == "single")
    assert choice.chosen.kind == "default"
    assert choice.reason == "default is as good"
    assert row.gap is not None
    assert row.gap > 0.1


def test_selection_must_hold_without_the_rows_it_saw() -> None:
    """Fresh splits validate the same rows; a gain that is gone when selection has not seen them is no gain."""
    study = Study({DEFAULT: (1.5, 0.1), TUNED: (0.2, 0.1)})
    worse = tuple(study.scorer.scores(BASE.candidate, study.own) + 0.1)
    choice = study.choose(BASE, Contender(single(TUNED), "single", worse))
    assert choice.chosen.kind == "default"


def test_without_fresh_splits_nested_selection_decides() -> None:
    """Where there was no time, the study's own folds choose by what was selected blindly."""
    study = Study({DEFAULT: (1.0, 0.1), TUNED: (0.2, 0.1)})
    good = tuple(study.scorer.scores(single(TUNED), study.own))
    bad = tuple(study.scorer.scores(BASE.candidate, study.own) + 0.01)
    assert study.choose(BASE, Contender(single(TUNED), "single", good), fresh=False).chosen.kind == "single"
    assert study.choose(BASE, Contender(single(TUNED), "single", bad), fresh=False).chosen.kind == "default"


def test_fresh_folds_decide_once_each_row_is_on_one() -> None:
    """Four of five folds of a fresh split decide nothing, and the repeated selection stands; all five decide."""
    study = Study({DEFAULT: (0.5, 0.1), TUNED: (0.2, 0.1)})
    nested = Contender(single(TUNED), "single", tuple(study.scorer.scores(single(TUNED), study.own)))
    whole = study.fresh[:FOLDS]
    for folds, resting_on in ((whole[:-1], 0), (whole, FOLDS)):
        study.fresh = folds
        assert study.choose(BASE, nested).fresh_folds == resting_on


def test_a_blend_is_not_paid_for_what_averaging_folds_brings_anyway() -> None:
    """A mean of like models beats one of them out of fold, but not on a test file that folds' models average."""
    parts = dict.fromkeys((DEFAULT, TUNED, OTHER), (0.0, 1.0))
    blend = Contender(blend_of(((DEFAULT, 1.0), (TUNED, 1.0), (OTHER, 1.0))), "blend")
    study = Study(parts)
    out_of_fold = paired_gain(
        study.scorer.gain(
            study.scorer.scores(blend.candidate, study.fresh),
            study.scorer.scores(BASE.candidate, study.fresh),
        ),
        FOLDS,
    )
    gain = next(row for row in study.choose(BASE, blend).rows if row.contender is blend).over_default
    assert gain is not None
    # Models whose own errors have variance 1: 5 of them leave 1/5 beside the noise of the target, 15 leave 1/15.
    assert gain.mean == pytest.approx(math.sqrt(1 + 1 / 5) - math.sqrt(1 + 1 / 15), abs=0.05)
    assert gain.mean < out_of_fold.mean / 3


def test_no_signal_promotes_the_default() -> None:
    """Where predictions say nothing about the target, nothing is promoted over the default, however it scores."""
    study = Study({DEFAULT: (1.0, 0.1), TUNED: (0.01, 0.01)}, signal=0.0)
    choice = study.choose(BASE, Contender(single(TUNED), "single"))
    assert (choice.chosen.kind, choice.reason) == ("default", "no signal")


def test_signal_on_the_studys_own_folds_is_the_defaults() -> None:
    """Where there are no fresh splits, a trial that was selected for looking good is no witness of a signal."""
    study = Study({DEFAULT: (1.0, 0.1), TUNED: (1.0, 0.1)}, signal=0.0, luck={TUNED: 0.5})
    good = tuple(study.scorer.scores(single(TUNED), study.own))
    choice = study.choose(BASE, Contender(single(TUNED), "single", good), fresh=False)
    assert (choice.chosen.kind, choice.reason) == ("default", "no signal")


def test_association_is_chance_where_there_is_none() -> None:
    """The measure has mean 0 and variance 1 for unrelated predictions, for every task and however skewed."""
    rng = np.random.default_rng(3)
    found: dict[str, list[float]] = {"regression": [], "binary": [], "multiclass": []}
    for _ in range(300):
        found["regression"].append(
            association(np.exp(3 * rng.normal(size=80)), rng.normal(size=80), "regression")
        )
        found["binary"].append(association((rng.random(80) < 0.1) * 1.0, rng.random(80), "binary"))
        classes = rng.integers(4, size=80) * 1.0
        found["multiclass"].append(association(classes, rng.dirichlet(np.ones(4), 80), "multiclass"))
    for values in found.values():
        assert abs(float(np.mean(values))) < 0.25
        assert 0.75 < float(np.std(values)) < 1.25
    assert association(np.arange(9.0), np.ones(9), "regression") == 0


def test_more_splits_do_not_make_rows() -> None:
    """The same rows validated ten times over are no surer than validated once."""
    gains = np.random.default_rng(0).normal(1, 1, size=5)
    once, often = paired_gain(gains, 5), paired_gain(np.tile(gains, 10), 5)
    assert often.mean == pytest.approx(once.mean)
    assert often.error == pytest.approx(once.error, rel=0.15)


@pytest.mark.parametrize("n_test", [100, 2_000])
def test_the_interval_holds_the_score_of_a_test_file(n_test: int) -> None:
    """Drawn again and again from one source, test files of a size score inside about as often as is said."""
    inside = [_is_inside(seed, n_test) for seed in range(120)]
    # 95 % of 120, less three standard deviations.
    assert sum(inside) >= 107


def _is_inside(seed: int, n_test: int) -> bool:
    rng = np.random.default_rng(seed)
    n = 300
    error, own = rng.standard_t(5, n + n_test), rng.normal(size=(4, n + n_test))
    target = np.zeros(n + n_test)
    folds = make_folds(target[:n], "regression", FOLDS, seed)
    models = [error + 0.5 * one for one in own]
    oofs = {DEFAULT: models[0][:n]}
    scorer = Scorer(target[:n], METRICS["rmse"], FOLDS, oofs)
    fresh = [
        ScoredFold((split, k), fold.val_idx, {DEFAULT: models[split][:n][fold.val_idx]})
        for split in (1, 2, 3)
        for k, fold in enumerate(folds)
    ]
    found = honest_score(
        single(DEFAULT), scorer, own_folds(folds, oofs), fresh, UnseenRows(n_test), optimism=0.0, seed=seed
    )
    # The test file is predicted by the mean of five models.
    score = METRICS["rmse"].score(target[n:], error[n:] + 0.5 / math.sqrt(5) * rng.normal(size=n_test))
    return found.low <= score <= found.high


@pytest.mark.parametrize(("name", "limit", "optimism"), [("accuracy", 1.0, -0.5), ("logloss", 0.0, 0.5)])
def test_an_interval_ends_at_the_best_there_is(name: str, limit: float, optimism: float) -> None:
    """Nobody is promised an accuracy above 1, however far chance and correction would lead."""
    target = np.random.default_rng(0).integers(0, 2, N).astype(np.float64)
    folds = make_folds(target, "binary", FOLDS, 0)
    oofs = {DEFAULT: np.where(np.arange(N) == 0, 1 - target, target) * 0.98 + 0.01}
    scorer = Scorer(target, METRICS[name], FOLDS, oofs)

    found = honest_score(
        single(DEFAULT), scorer, own_folds(folds, oofs), (), UnseenRows(20), optimism=optimism, seed=0
    )

    assert found.expected == limit
    assert limit in (found.low, found.high)


def test_whole_groups_widen_the_interval() -> None:
    """Rows of one group err together, so an interval for new groups is wider than one for new rows."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 20)
    target = rng.normal(size=N) * np.repeat(np.exp(rng.normal(size=20)), 20)
    folds = make_folds(target, "regression", FOLDS, 0)
    oofs = {DEFAULT: np.zeros(N)}
    scorer = Scorer(target, METRICS["rmse"], FOLDS, oofs)
    width = [
        found.high - found.low
        for rows in (UnseenRows(N), UnseenRows(N, groups, 20))
        for found in [
            honest_score(single(DEFAULT), scorer, own_folds(folds, oofs), (), rows, optimism=0.0, seed=0)
        ]
    ]
    assert width[1] > 2 * width[0]
