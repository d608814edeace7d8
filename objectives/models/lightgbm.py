"""LightGBM, cross-validated with early stopping on data that is binned once."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.base import CVResult, Objective, Params, Report
from objectives.data.folds import Fold
from objectives.data.split.expanding import fitted_folds, last_fit, last_rounds, whole_fit, whole_rounds
from objectives.models.boosting import Scoring, fit_fold, try_out
from objectives.models.bounds import inside
from objectives.models.fold_fit import FoldFit, result_of
from objectives.models.fold_labels import labelling_defaults, make_labelling
from objectives.models.fold_rows import BINNING, BinnedRows, FoldRows
from objectives.models.ladder import STEPS_PER_FOLD, Climb, StopsOnly
from objectives.models.lightgbm_params import known_params
from objectives.models.lightgbm_portfolio import PORTFOLIO, PORTFOLIO_OF_CLASSES
from objectives.models.lightgbm_space import default_params_of, rate_of, relative_work, space_of
from objectives.models.threads import ROWS_TO_MEASURE, fastest_threads

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.distributions import BaseDistribution

    from objectives.data.dataset import Dataset
    from objectives.data.metrics import Metric
    from objectives.known_params import KnownParam
    from objectives.models.fold_labels import Labelling

# Where a tryout on a few of the first fold's rows costs a twentieth of a whole evaluation (of nine features a twelfth),
# and ranks configurations much as the whole does (`python -m benchmarks.tryout`); 5,000 rows are too few for that.
_MANY_ROWS = 40_000
_TRYOUT_SHARE = 4
_TRYOUT_ROWS = 30_000
# On many rows of many features the last half of the rounds brings a hundredth: enough to submit, too dear to compare
# by. On 43,152 rows of 9 an evaluation takes seconds, and its last rounds are worth them.
_MANY_VALUES = 5_000_000
_TOLERANCE_ON_MANY_VALUES = 5e-4
# Same seed, same result: LightGBM otherwise chooses the histogram layout by timing.
_REPRODUCIBLE = {"deterministic": True, "force_col_wise": True}


class LightGBMObjective(Objective):
    """Tunes LightGBM's gradient boosted trees (https://lightgbm.readthedocs.io/en/stable/Parameters.html)."""

    name = "lightgbm"

    def __init__(
        self, dataset: Dataset, folds: tuple[Fold, ...], metric: Metric, *, seed: int, threads: int
    ) -> None:
        self._dataset = dataset
        self._folds = folds
        self._metric = metric
        self._seed = seed
        self._frees_rows = False
        self._first: LightGBMObjective | None = None
        self._of_all_rows, self._rounds = 0, 0
        self.threads = threads

    def __getstate__(self) -> dict[str, Any]:
        """All but what another process makes for itself, above all the binned data."""
        if not len(self._dataset.train):
            raise pickle.PicklingError(f"{self} has binned its rows and let go of them")
        own = {"_rows", "_binned", "_few", "_last", "_whole"}
        return {**{name: value for name, value in vars(self).items() if name not in own}, "_first": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Where it has crossed to, nobody else needs its rows once they are binned, at an eighth of their size."""
        vars(self).update(state)
        self._frees_rows = True

    def space(self) -> dict[str, BaseDistribution]:
        """Returns the search space; see `objectives.models.lightgbm_space`."""
        return space_of(self._dataset)

    def default_params(self) -> dict[str, Any]:
        """Returns LightGBM's own defaults, zeros replaced by the space's smallest value."""
        return default_params_of(self._dataset)

    def portfolio(self) -> list[dict[str, Any]]:
        """Returns the recorded portfolio, moved into this data's space."""
        space, defaults = self.space(), self.default_params()
        recorded = PORTFOLIO_OF_CLASSES if self._dataset.task == "multiclass" else PORTFOLIO
        return [inside(space, {**defaults, **params}) for params in recorded]

    def work(self, params: Params) -> float:
        """By the learning rate; bigger trees take longer, but the fewer of them."""
        return relative_work(params)

    def tryout_step(self) -> int | None:
        """The ladder's first fold, where rows are many, is of a few of them."""
        return STEPS_PER_FOLD - 1 if self._has_many_rows else None

    def fastest_threads(self, most: int) -> int:
        """Times rounds of the default configuration, where there are rows enough for threads to pay."""
        if most == 1 or len(self._dataset.target) < ROWS_TO_MEASURE:
            return 1
        labelling, own_params = make_labelling(self.default_params(), self._dataset)
        return fastest_threads(
            self._booster_params(own_params, labelling), self._rows.of(0, labelling).train, most
        )

    def on(self, folds: tuple[Fold, ...], seed: int | None = None) -> LightGBMObjective:
        """Returns the same on other folds: subsets of the same binned data."""
        seed = self._seed if seed is None else seed
        other = LightGBMObjective(self._dataset, folds, self._metric, seed=seed, threads=self.threads)
        other._first = self._first or self
        return other

    def of_all_rows(self, models: int, rounds: float) -> Objective:
        """Returns the same that fits all rows; where folds go forward in time one model of them predicts anyway."""
        if self._last is not None:
            return super().of_all_rows(models, rounds)
        other = self.on(self._folds)
        other._of_all_rows, other._rounds = models, whole_rounds(self._folds, rounds)  # noqa: SLF001 - of its own kind
        return other

    def slower(self, params: Params, factor: float) -> dict[str, Any]:
        """Divides the learning rate; the rounds follow by early stopping."""
        return {**params, "learning_rate": rate_of(params) / factor}

    def known_params(self) -> dict[str, KnownParam]:
        """Returns what a user may search; one of them that a configuration lacks has LightGBM's own default."""
        return known_params(self.space(), labelling_defaults(self._dataset.approach))

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """Cross-validates one configuration, fold after fold.

        Where folds go forward in time, their models have not seen the latest rows: one model of all rows
        predicts then in their place.
        """
        labelling, own_params = make_labelling(params, self._dataset)
        booster_params = self._booster_params(own_params, labelling)
        is_transformed = labelling.is_transformed
        if self._of_all_rows:
            whole = self._fitted_to_all_rows(booster_params, labelling, report)
            return result_of(self._dataset, [], [], whole, is_transformed=is_transformed)
        fits: list[FoldFit] = []
        first_step, folds = 0, len(self._folds)
        if self._few:
            rows = self._rows.of(0, labelling)
            try_out(booster_params, rows, self._few, self._scoring, Climb(0, 0, (), report, folds))
            first_step = STEPS_PER_FOLD
        for k, fold in enumerate(self._folds):
            done = tuple(fit.score for fit in fits)
            climb = Climb(first_step + k * STEPS_PER_FOLD, k, done, report, folds)
            fits.append(fit_fold(booster_params, self._rows.of(k, labelling), fold, self._scoring, climb))
        kept = fits
        if self._last is not None:
            rounds = last_rounds(self._folds, [fit.rounds for fit in fits])
            kept = [self._fit_whole(booster_params, labelling, self._last, rounds, report)]
        return result_of(self._dataset, self._folds, fits, kept, is_transformed=is_transformed)

    def _fitted_to_all_rows(
        self, params: dict[str, Any], labelling: Labelling, report: Report
    ) -> list[FoldFit]:
        """Models of all rows, by other seeds than those of the folds."""
        assert self._whole is not None
        seeds = range(self._seed + 1, self._seed + 1 + self._of_all_rows)
        return [
            self._fit_whole({**params, "seed": seed}, labelling, self._whole, self._rounds, report)
            for seed in seeds
        ]

    def _fit_whole(
        self, params: dict[str, Any], labelling: Labelling, whole: Fold, rounds: int, report: Report
    ) -> FoldFit:
        place = len(self._folds)
        climb = Climb(0, place, (), StopsOnly(report))
        return fit_fold(
            params, self._rows.of(place, labelling), whole, self._scoring._replace(rounds=rounds), climb
        )

    def save_model(self, result: CVResult, folder: Path) -> None:
        """Writes the fold models as LightGBM text, and the encoders that feed them."""
        for k, model in enumerate(result.models):
            assert isinstance(model, str)
            (folder / f"fold_{k}.txt").write_text(model, encoding="utf-8", newline="\n")
        for k, transform in enumerate(result.transforms):
            (folder / f"fold_{k}.json").write_text(transform, encoding="utf-8")
        (folder / "encoder.json").write_text(self._dataset.encoder.to_json(), encoding="utf-8")
        self._dataset.learned.save(
            fitted_folds(self._folds, len(self._dataset.target), result), self._dataset.target, folder
        )

    @cached_property
    def _last(self) -> Fold | None:
        return last_fit(self._folds, len(self._dataset.target))

    @cached_property
    def _whole(self) -> Fold | None:
        """All rows, where a model is fitted to them."""
        return whole_fit(self._folds, len(self._dataset.target)) if self._of_all_rows else self._last

    @cached_property
    def _few(self) -> Fold | None:
        """Some of the first fold's rows, where there are many."""
        if not self._has_many_rows:
            return None
        rng = np.random.default_rng(self._seed)
        share = min(1 / _TRYOUT_SHARE, _TRYOUT_ROWS / len(self._dataset.target))
        return Fold(*(rng.choice(rows, int(share * len(rows)), replace=False) for rows in self._folds[0]))

    @property
    def _scoring(self) -> Scoring:
        is_dear = self._has_many_rows and math.prod(self._dataset.shape) >= _MANY_VALUES
        return Scoring(self._metric, _TOLERANCE_ON_MANY_VALUES if is_dear else 0.0)

    @property
    def _has_many_rows(self) -> bool:
        return len(self._dataset.target) >= _MANY_ROWS

    @cached_property
    def _rows(self) -> FoldRows:
        first = self._first
        if first is not None and self._folds is first._folds and not self._of_all_rows:  # noqa: SLF001 - of its own kind
            return first._rows  # noqa: SLF001
        whole = () if self._whole is None else (self._whole,)
        return FoldRows(self._binned, (*self._folds, *whole))

    @cached_property
    def _binned(self) -> BinnedRows:
        if self._first is not None:
            binned, self._dataset = self._first._binned, self._first._dataset  # noqa: SLF001 - of its own kind
            return binned
        binned = BinnedRows(self._dataset, self.threads)
        if self._frees_rows:
            self._dataset = replace(self._dataset, train=self._dataset.train[:0].copy())
        return binned

    def _booster_params(self, params: Params, labelling: Labelling) -> dict[str, Any]:
        fixed: dict[str, Any] = {
            **BINNING,
            **_REPRODUCIBLE,
            "objective": labelling.objective,
            "metric": "None",
            "bagging_freq": 1,
            "seed": self._seed,
            "num_threads": self.threads,
            "verbosity": -1,
        }
        if self._dataset.task == "multiclass":
            fixed["num_class"] = len(self._dataset.classes)
        # A rate that the user's space has under a condition may be missing, and the ladder needs it.
        return {"learning_rate": rate_of(params), **params, **fixed}
