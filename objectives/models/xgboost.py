"""XGBoost: trees grown level by level, with categories of its own. Needs the extra `xgboost`."""

from __future__ import annotations

from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from objectives.models.cross_validated import CrossValidatedObjective
from objectives.models.fold_model import Fitted, read_constant
from objectives.models.saved_arrays import pack, unpack

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from objectives.base import FloatArray, Params
    from objectives.models.fold_model import FoldData, FoldModel
    from objectives.models.watch import Watch

_LOSSES = {
    "l2": "reg:squarederror",
    "l1": "reg:absoluteerror",
    "mape": "reg:absoluteerror",
    "quantile": "reg:quantileerror",
    "poisson": "count:poisson",
    "gamma": "reg:gamma",
    "tweedie": "reg:tweedie",
    "binary": "binary:logistic",
    "multiclass": "multi:softprob",
}
_SHAPES = {"quantile": ("quantile_alpha", "quantile_alpha"), "tweedie": ("tweedie_variance_power",) * 2}


class XGBoostObjective(CrossValidatedObjective):
    """Tunes XGBoost (https://xgboost.readthedocs.io/en/stable/parameter.html)."""

    name = "xgboost"
    losses: ClassVar[tuple[str, ...]] = tuple(_LOSSES)

    @property
    def requirements(self) -> tuple[str, ...]:
        """The package that XGBoost came in: the one without GPU code, or the full one."""
        package = next(name for name in ("xgboost-cpu", "xgboost") if _is_installed(name))
        return (package, "threadpoolctl")

    def own_space(self) -> dict[str, BaseDistribution]:
        """Returns rates as for LightGBM, and depths in place of leaves."""
        from optuna.distributions import FloatDistribution, IntDistribution

        return {
            "learning_rate": FloatDistribution(0.05, 0.3, log=True),
            "max_depth": IntDistribution(3, 8 if self._dataset.task == "multiclass" else 10),
            "min_child_weight": FloatDistribution(0.1, 100.0, log=True),
            "subsample": FloatDistribution(0.5, 1.0),
            "colsample_bytree": FloatDistribution(0.3, 1.0),
            "colsample_bynode": FloatDistribution(0.3, 1.0),
            "reg_lambda": FloatDistribution(1e-3, 100.0, log=True),
        }

    def own_defaults(self) -> dict[str, Any]:
        """Returns rows and features drawn for each tree, unlike XGBoost's own."""
        return {
            "learning_rate": 0.08,
            "max_depth": 6,
            "min_child_weight": 3.0,
            "subsample": 0.8,
            "colsample_bytree": 0.6,
            "colsample_bynode": 0.8,
            "reg_lambda": 2.0,
        }

    def own_portfolio(self) -> list[dict[str, Any]]:
        """Returns shallow trees, deep ones and XGBoost's own."""
        return [
            {"max_depth": 4, "min_child_weight": 10.0, "colsample_bytree": 0.5},
            {"max_depth": 9, "min_child_weight": 5.0, "colsample_bytree": 0.4, "reg_lambda": 10.0},
            {
                "min_child_weight": 1.0,
                "subsample": 1.0,
                "colsample_bytree": 1.0,
                "colsample_bynode": 1.0,
                "reg_lambda": 1.0,
            },
        ]

    def work(self, params: Params) -> float:
        """By the learning rate, as rounds until early stopping are."""
        return 1 / float(params.get("learning_rate", 0.08))

    def fit_fold(self, params: Params, data: FoldData, watch: Watch) -> Fitted:
        """Boosts round by round, and cuts back to the best."""
        import xgboost as xgb

        kinds = _kinds(data)
        train = _matrix(data.rows, kinds, data.threads, label=data.labels, weight=data.weights)
        validation = _matrix(data.validation, kinds, data.threads)
        booster = xgb.Booster(_settings(params, data), [train, validation])
        watch.start(float(params["learning_rate"]))
        done = 0
        while watch.goes_on(done):
            watch.check()
            booster.update(train, done)
            done += 1
            if watch.rounds is None:
                watch.look(_as_floats(booster.predict(validation)), done)
        best = watch.best_round or done
        booster = booster[:best]
        gain = booster.get_score(importance_type="total_gain")
        importance = np.array([gain.get(f"f{i}", 0.0) for i in range(data.rows.shape[1])])
        return Fitted(XGBoostModel(bytes(booster.save_raw("ubj")), kinds), importance, best)

    @staticmethod
    def read_model(content: bytes) -> FoldModel:
        """Reads back a booster."""
        return read_constant(content) or XGBoostModel.from_bytes(content)


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _settings(params: Params, data: FoldData) -> dict[str, Any]:
    settings: dict[str, Any] = {
        **params,
        "objective": _LOSSES[data.loss],
        "tree_method": "hist",
        "seed": data.seed,
        "nthread": data.threads,
        "verbosity": 0,
    }
    if data.task == "multiclass":
        settings["num_class"] = data.n_classes
    if data.loss in _SHAPES:
        theirs, ours = _SHAPES[data.loss]
        settings[theirs] = data.shapes[ours]
    return settings


def _kinds(data: FoldData) -> str:
    """Of each feature one letter: c for a category, q for a quantity."""
    return "".join("c" if i in set(data.categorical) else "q" for i in range(data.rows.shape[1]))


def _matrix(rows: FloatArray, kinds: str, threads: int, **what: Any) -> Any:
    import xgboost as xgb

    return xgb.DMatrix(rows, feature_types=list(kinds), enable_categorical=True, nthread=threads, **what)


def _as_floats(output: Any) -> FloatArray:
    """Its float32; probabilities sum to 1 in floats again."""
    made = np.asarray(output, np.float64)
    return made / made.sum(axis=1, keepdims=True) if made.ndim > 1 else made


class XGBoostModel:
    """A booster in XGBoost's own binary format.

    Args:
        raw: The booster, as UBJSON.
        kinds: Of each feature one letter: c for a category, q for a quantity.
    """

    def __init__(self, raw: bytes, kinds: str) -> None:
        self._raw, self._kinds = raw, kinds

    def predict(self, rows: FloatArray) -> FloatArray:
        """Labels or probabilities."""
        return _as_floats(self._booster.predict(_matrix(rows, self._kinds, 1)))

    def to_bytes(self) -> bytes:
        """As named arrays."""
        return pack({"booster": np.frombuffer(self._raw, np.uint8), "kinds": self._kinds})

    @classmethod
    def from_bytes(cls, content: bytes) -> XGBoostModel:
        """What `to_bytes` wrote."""
        arrays = unpack(content)
        return cls(arrays["booster"].tobytes(), str(arrays["kinds"]))

    @cached_property
    def _booster(self) -> Any:
        import xgboost as xgb

        return xgb.Booster({"nthread": 1}, model_file=bytearray(self._raw))
