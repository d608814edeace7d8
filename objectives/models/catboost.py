"""CatBoost: symmetric trees, and categories by what earlier rows of a permutation teach. Needs the extra `catboost`."""

from __future__ import annotations

import tempfile
import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from objectives.models.cross_validated import CrossValidatedObjective
from objectives.models.fold_model import Fitted, all_classes, as_task, by_source, read_constant
from objectives.models.saved_arrays import pack, unpack

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from objectives.base import FloatArray, Params
    from objectives.models.fold_model import FoldData, FoldModel
    from objectives.models.watch import Watch

_LOSSES = {
    "l2": "RMSE",
    "l1": "MAE",
    "mape": "MAE",
    "quantile": "Quantile:alpha={quantile_alpha}",
    "poisson": "Poisson",
    "tweedie": "Tweedie:variance_power={tweedie_variance_power}",
    "binary": "Logloss",
    "multiclass": "MultiClass",
}
_LOG_LINK = frozenset({"poisson", "tweedie"})
_BY_CHANCE = ("model_guid", "train_finish_time")
"""What CatBoost writes into a model that differs between equal ones."""
_MARK = 0.4375
"""Weight of each validation row, by which its metric is told from that of the rows to fit."""


class CatBoostObjective(CrossValidatedObjective):
    """Tunes CatBoost (https://catboost.ai/docs/en/references/training-parameters/)."""

    name = "catboost"
    losses: ClassVar[tuple[str, ...]] = tuple(_LOSSES)

    @property
    def requirements(self) -> tuple[str, ...]:
        """CatBoost, and what limits threads."""
        return ("catboost", "threadpoolctl")

    def own_space(self) -> dict[str, BaseDistribution]:
        """Returns rates, depths and penalties; how categories are combined only where there are several."""
        from optuna.distributions import FloatDistribution, IntDistribution

        space: dict[str, BaseDistribution] = {
            "learning_rate": FloatDistribution(0.06, 0.3, log=True),
            "depth": IntDistribution(4, 8),
            "l2_leaf_reg": FloatDistribution(0.5, 30.0, log=True),
            "random_strength": FloatDistribution(0.05, 10.0, log=True),
            "rsm": FloatDistribution(0.3, 1.0),
            "subsample": FloatDistribution(0.5, 1.0),
        }
        if len(self._dataset.encoder.categorical) > 1:
            space["max_ctr_complexity"] = IntDistribution(1, 3)
        return space

    def own_defaults(self) -> dict[str, Any]:
        """Returns CatBoost's own, but for fewer features a level."""
        return {
            "learning_rate": 0.1,
            "depth": 6,
            "l2_leaf_reg": 3.0,
            "random_strength": 1.0,
            "rsm": 0.7,
            "subsample": 0.8,
            "max_ctr_complexity": 2,
        }

    def own_portfolio(self) -> list[dict[str, Any]]:
        """Returns deep trees and shallow ones."""
        return [
            {"depth": 8, "l2_leaf_reg": 6.0, "rsm": 0.5},
            {"depth": 4, "l2_leaf_reg": 1.0, "random_strength": 0.3},
        ]

    def work(self, params: Params) -> float:
        """By the learning rate, and by the depth."""
        return 2 ** (float(params.get("depth", 6)) / 3) / float(params.get("learning_rate", 0.1))

    def fit_fold(self, params: Params, data: FoldData, watch: Watch) -> Fitted:
        """Boosts until the watch has seen enough, and cuts back to the best round."""
        from catboost import CatBoost

        rate = float(params["learning_rate"])
        watch.start(rate)
        judge = _Judge(data, watch)
        how = {**params, **_settings(data), "iterations": watch.most}
        categorical = np.array(data.categorical, np.int64)
        booster = CatBoost({**how, "eval_metric": judge})
        with warnings.catch_warnings():
            # It misses numba to compile the metric, which takes no time.
            warnings.simplefilter("ignore", UserWarning)
            booster.fit(
                _pool(data.rows, categorical, data.labels, data.weights),
                eval_set=_pool(
                    data.validation, categorical, _any_labels(data), np.full(len(data.validation), _MARK)
                ),
                use_best_model=False,
                callbacks=[judge],
            )
        if judge.error is not None:
            raise judge.error
        best = watch.best_round or booster.tree_count_
        booster.shrink(best)
        gain = np.maximum(booster.get_feature_importance(), 0.0)
        order = np.array([*data.numeric, *data.categorical], np.int64)
        importance = by_source(order, gain, data.rows.shape[1])
        model = CatBoostModel(_saved(booster), categorical, _Link.of(data))
        return Fitted(model, importance, best)

    @staticmethod
    def read_model(content: bytes) -> FoldModel:
        """Reads back a booster."""
        return read_constant(content) or CatBoostModel.from_bytes(content)


class _Judge:
    """Scores each round for the watch: a metric and a callback in CatBoost's form, which copies its parameters.

    Attributes:
        error: What ended the fit, to be raised outside: CatBoost would wrap it.
    """

    def __init__(self, data: FoldData, watch: Watch) -> None:
        self._link, self._watch = _Link.of(data), watch
        self._raw: FloatArray = np.empty((0, 0))
        self.error: Exception | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> _Judge:
        return self

    def is_max_optimal(self) -> bool:
        """Whether greater is better; nobody asks for its best."""
        return False

    def get_final_error(self, error: float, weight: float) -> float:  # noqa: ARG002 - CatBoost's form
        """What it shows as the metric."""
        return error

    def evaluate(self, raw: Any, _: Any, weight: Any) -> tuple[float, float]:
        """Keeps the validation rows' raw predictions of this round."""
        if weight is not None and len(weight) and weight[0] == np.float32(_MARK):
            self._raw = np.stack([np.array(one, np.float64) for one in raw], axis=1)
        return 0.0, 1.0

    def after_iteration(self, info: Any) -> bool:
        """Whether there should be another round."""
        watch = self._watch
        try:
            watch.check()
            if watch.rounds is None:
                watch.look(self._link.output(self._raw), info.iteration)
        except Exception as error:  # noqa: BLE001 - raised again outside
            self.error = error
            return False
        return watch.goes_on(info.iteration)


def _settings(data: FoldData) -> dict[str, Any]:
    return {
        "loss_function": _LOSSES[data.loss].format(**data.shapes),
        "boosting_type": "Plain",
        "bootstrap_type": "MVS",
        "random_seed": data.seed,
        "thread_count": data.threads,
        "allow_writing_files": False,
        "verbose": False,
    }


def _pool(
    rows: FloatArray,
    categorical: Any,
    labels: FloatArray | None = None,
    weights: FloatArray | None = None,
) -> Any:
    """Rows in CatBoost's form, the categories last: as text, for it takes no number with a hole."""
    from catboost import FeaturesData, Pool

    numeric = [i for i in range(rows.shape[1]) if i not in set(categorical.tolist())]
    levels = rows[:, categorical]
    texts = np.where(np.isnan(levels), -1, levels).astype(np.int64).astype("S").astype(object)
    features = FeaturesData(
        num_feature_data=rows[:, numeric].astype(np.float32) if numeric else None,
        cat_feature_data=texts if len(categorical) else None,
    )
    return Pool(features, labels, weight=weights)


def _any_labels(data: FoldData) -> FloatArray:
    """Some labels for the validation rows, which CatBoost wants though only the watch scores them."""
    return np.resize(data.labels, len(data.validation))


class _Link(NamedTuple):
    """The way from raw predictions to labels or probabilities.

    Attributes:
        loss: That it was fitted by.
        classes: Those that it knows, for multiclass; empty otherwise.
        n_classes: All; 0 for regression.
    """

    loss: str
    classes: FloatArray
    n_classes: int

    @classmethod
    def of(cls, data: FoldData) -> _Link:
        known = np.unique(data.labels) if data.task == "multiclass" else np.empty(0)
        return cls(data.loss, known, data.n_classes)

    def output(self, raw: FloatArray) -> FloatArray:
        """Of raw predictions of shape (n, 1) or (n, classes known)."""
        from scipy.special import expit, softmax

        if len(self.classes):
            return as_task(all_classes(softmax(raw, axis=1), self.classes, self.n_classes), self.n_classes)
        if self.n_classes:
            return np.asarray(expit(raw[:, 0]))
        return np.exp(raw[:, 0]) if self.loss in _LOG_LINK else raw[:, 0]


def _saved(booster: Any) -> bytes:
    metadata = booster.get_metadata()
    for name in _BY_CHANCE:
        metadata[name] = ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.cbm"
        booster.save_model(str(path), format="cbm")
        return path.read_bytes()


class CatBoostModel:
    """A booster in CatBoost's own binary format.

    Args:
        raw: The booster.
        categorical: Positions of the categories, shape (c,).
        link: The way from what it gives.
    """

    def __init__(self, raw: bytes, categorical: Any, link: _Link) -> None:
        self._raw, self._categorical, self._link = raw, categorical, link

    def predict(self, rows: FloatArray) -> FloatArray:
        """Labels or probabilities."""
        raw = self._booster.predict(_pool(rows, self._categorical), "RawFormulaVal", thread_count=1)
        return self._link.output(np.asarray(raw, np.float64).reshape(len(rows), -1))

    def to_bytes(self) -> bytes:
        """As named arrays."""
        booster = np.frombuffer(self._raw, np.uint8)
        return pack({"booster": booster, "categorical": self._categorical, **self._link._asdict()})

    @classmethod
    def from_bytes(cls, content: bytes) -> CatBoostModel:
        """What `to_bytes` wrote."""
        arrays = unpack(content)
        raw = arrays["booster"].tobytes()
        link = _Link(str(arrays["loss"]), arrays["classes"], int(arrays["n_classes"]))
        return cls(raw, arrays["categorical"], link)

    @cached_property
    def _booster(self) -> Any:
        from catboost import CatBoost

        booster = CatBoost()
        booster.load_model(blob=self._raw)
        return booster
