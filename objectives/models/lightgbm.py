"""LightGBM, cross-validated with early stopping on data that is binned once."""

from __future__ import annotations

import math
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np

from objectives.base import CVResult, Params, Report
from objectives.models.boosting import Climb, FoldFit, fit_fold
from objectives.models.feature_names import plain_names

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.distributions import BaseDistribution

    from objectives.base import FloatArray
    from objectives.data.dataset import Dataset
    from objectives.data.folds import Fold
    from objectives.data.metrics import Metric

# The loss that fits each metric best; any other metric is searched with the task's own loss.
_LOSS = {
    "regression": "regression",
    "binary": "binary",
    "multiclass": "multiclass",
    "mae": "regression_l1",
    "mape": "mape",
}
_ROWS_PER_LEAF = 100
_BINNING = {"max_bin": 255, "feature_pre_filter": False}
# Same seed, same result: LightGBM otherwise chooses the histogram layout by timing.
_REPRODUCIBLE = {"deterministic": True, "force_col_wise": True}


class LightGBMObjective:
    """Tunes LightGBM's gradient boosted trees (https://lightgbm.readthedocs.io/en/stable/Parameters.html)."""

    name = "lightgbm"

    def __init__(
        self, dataset: Dataset, folds: tuple[Fold, ...], metric: Metric, *, seed: int, threads: int
    ) -> None:
        self._dataset = dataset
        self._folds = folds
        self._metric = metric
        self._seed = seed
        self._threads = threads
        self._lock = threading.Lock()

    def space(self) -> dict[str, BaseDistribution]:
        """Returns the search space; the categorical parameters only where there are categories.

        `min_sum_hessian_in_leaf` is in it because its default makes unbalanced classes diverge. Rates low
        enough to need thousands of rounds and trees too big for the rows are not: one such configuration
        costs as much as twenty others, and with several classes each round is a tree for each of them.
        """
        from optuna.distributions import FloatDistribution, IntDistribution

        multiclass = self._dataset.task == "multiclass"
        most_leaves = int(np.clip(len(self._dataset.train) // _ROWS_PER_LEAF, 31, 63 if multiclass else 255))
        space: dict[str, BaseDistribution] = {
            "learning_rate": FloatDistribution(0.08 if multiclass else 0.04, 0.2, log=True),
            "num_leaves": IntDistribution(7, most_leaves, log=True),
            "min_data_in_leaf": IntDistribution(2, 200, log=True),
            "min_sum_hessian_in_leaf": FloatDistribution(1e-3, 10.0, log=True),
            "feature_fraction": FloatDistribution(0.2, 1.0),
            "bagging_fraction": FloatDistribution(0.4, 1.0),
            "lambda_l1": FloatDistribution(1e-6, 10.0, log=True),
            "lambda_l2": FloatDistribution(1e-6, 100.0, log=True),
            "path_smooth": FloatDistribution(1e-3, 100.0, log=True),
        }
        if self._dataset.encoder.categorical:
            space["cat_smooth"] = FloatDistribution(1.0, 200.0, log=True)
            space["cat_l2"] = FloatDistribution(1.0, 200.0, log=True)
            space["max_cat_threshold"] = IntDistribution(4, 128, log=True)
        return space

    def default_params(self) -> dict[str, Any]:
        """Returns LightGBM's own defaults, zeros replaced by the space's smallest value."""
        defaults: dict[str, Any] = {
            "learning_rate": 0.1,
            "num_leaves": 31,
            "min_data_in_leaf": 20,
            "min_sum_hessian_in_leaf": 1e-3,
            "feature_fraction": 1.0,
            "bagging_fraction": 1.0,
            "lambda_l1": 1e-6,
            "lambda_l2": 1e-6,
            "path_smooth": 1e-3,
            "cat_smooth": 10.0,
            "cat_l2": 10.0,
            "max_cat_threshold": 32,
        }
        return {name: defaults[name] for name in self.space()}

    def evaluate(self, params: Params, report: Report) -> CVResult:
        """Cross-validates one configuration, fold after fold."""
        with self._lock:
            binned = self._binned
        booster_params = self._booster_params(params)
        oof = np.empty((len(self._dataset.target), *self._prediction_shape))
        test = np.zeros((len(self._dataset.test), *self._prediction_shape))
        fits: list[FoldFit] = []
        for k, fold in enumerate(self._folds):
            climb = Climb(k, tuple(fit.score for fit in fits), report)
            fit = fit_fold(booster_params, binned, fold, self._metric, climb)
            oof[fold.val_idx] = fit.val_prediction
            prediction = fit.booster.predict(self._dataset.test, num_threads=self._threads)
            test += np.asarray(prediction) / len(self._folds)
            fits.append(fit)
        return CVResult(
            scores=tuple(fit.score for fit in fits),
            oof_prediction=oof,
            test_prediction=test,
            best_iterations=tuple(fit.best_iteration for fit in fits),
            importance=self._importance(fits),
            models=tuple(fit.booster for fit in fits),
        )

    def save_model(self, result: CVResult, folder: Path) -> None:
        """Writes the fold models as LightGBM text, and the encoder that feeds them."""
        for k, booster in enumerate(result.models):
            booster.save_model(folder / f"fold_{k}.txt")
        (folder / "encoder.json").write_text(self._dataset.encoder.to_json(), encoding="utf-8")

    @property
    def _prediction_shape(self) -> tuple[int, ...]:
        return (len(self._dataset.classes),) if self._dataset.task == "multiclass" else ()

    @cached_property
    def _binned(self) -> lgb.Dataset:
        """Binned once; folds are subsets of it, at 1/36 of the cost of binning each."""
        params = {**_BINNING, "num_threads": self._threads, "verbosity": -1}
        encoder = self._dataset.encoder
        return lgb.Dataset(
            self._dataset.train,
            self._dataset.target,
            feature_name=plain_names(encoder.names),
            categorical_feature=encoder.categorical,
            params=params,
        ).construct()

    def _booster_params(self, params: Params) -> dict[str, Any]:
        task, metric = self._dataset.task, self._metric.name
        fixed: dict[str, Any] = {
            **_BINNING,
            **_REPRODUCIBLE,
            "objective": _LOSS.get(metric, _LOSS[task]),
            "metric": "None",
            "bagging_freq": 1,
            "seed": self._seed,
            "num_threads": self._threads,
            "verbosity": -1,
        }
        if task == "multiclass":
            fixed["num_class"] = len(self._dataset.classes)
        return {**params, **fixed}

    def _importance(self, fits: list[FoldFit]) -> FloatArray:
        gain = np.sum([fit.booster.feature_importance("gain") for fit in fits], axis=0)
        total = float(gain.sum())
        return gain / total if math.isfinite(total) and total > 0 else np.zeros_like(gain, dtype=np.float64)
