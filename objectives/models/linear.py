"""Ridge and logistic regression on pieces of numbers, frequent levels and the nearness to some rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from objectives.models.cross_validated import CrossValidatedObjective
from objectives.models.encodings.design import Design, Wanted
from objectives.models.fold_model import Fitted, all_classes, as_task, class_shares, read_constant, softmax
from objectives.models.label_scale import SCALES, LabelScale, may_take_logs, usual_scale
from objectives.models.ridge import Sought, apply_linear, fit_quantile, fit_ridge
from objectives.models.saved_arrays import pack, part_of, unpack, within

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from objectives.base import FloatArray, Params
    from objectives.models.fold_model import FoldData, FoldModel
    from objectives.models.watch import Watch

_MOST_CELLS = 60_000_000
"""Of the logistic regression's matrix, half a gigabyte."""
_PRODUCTS = 6e10
"""Of columns and rows: seconds of one core."""
_FEWEST_COLUMNS, _MOST_COLUMNS = 200, 2_000
_MOST_WEIGHTS = 16_000
_OTHER_COLUMNS = 200.0
_MOST_STEPS = 150
_CLASS_PENALTY = 20.0
_TOLERANCE = 1e-3
_MEDIAN = 0.5


class LinearObjective(CrossValidatedObjective):
    """Tunes penalised linear regression, or logistic regression for classes."""

    name = "linear"
    losses: ClassVar[tuple[str, ...]] = ("l2", "l1", "mape", "quantile", "binary", "multiclass")

    def own_space(self) -> dict[str, BaseDistribution]:
        """Returns penalty and pieces; the labels' scale where the user has not said one."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        space: dict[str, BaseDistribution] = {
            "penalty": FloatDistribution(0.05, 20.0, log=True),
            "pieces": IntDistribution(1, 32, log=True),
            "rows_per_level": IntDistribution(2, 50, log=True),
            "landmarks": IntDistribution(100, 1500, log=True),
            "width": FloatDistribution(0.1, 10.0, log=True),
            "relevance": FloatDistribution(0.0, 3.0),
        }
        if may_take_logs(self._dataset):
            space["label_scale"] = CategoricalDistribution(SCALES)
        return space

    def own_defaults(self) -> dict[str, Any]:
        """Returns twelve pieces a number, and logarithms of labels that are all above zero and skewed."""
        return {
            "penalty": 1.0,
            "pieces": 12,
            "rows_per_level": 5,
            "landmarks": 600,
            "width": 1.0,
            "relevance": 1.0,
            "label_scale": usual_scale(self._dataset),
        }

    def own_portfolio(self) -> list[dict[str, Any]]:
        """Returns nearer neighbours, few pieces under a low penalty, and next to no interactions."""
        return [
            {"width": 3.0, "landmarks": 1000},
            {"penalty": 0.3, "pieces": 4, "width": 0.4},
            {"penalty": 3.0, "pieces": 20, "landmarks": 100},
        ]

    def work(self, params: Params) -> float:
        """By the columns, each of which is multiplied with each."""
        return (_OTHER_COLUMNS + float(params.get("landmarks", 600))) ** 2

    def fit_fold(self, params: Params, data: FoldData, watch: Watch) -> Fitted:
        """Fits one fold; a stop is noticed before, and between the passes of a median."""
        design = Design.fit(data, _wanted(params, data))
        fit = _logistic if data.n_classes else _regression
        model = fit(params, design, data, watch)
        # A column's part in the spread of the predictions, were the columns independent.
        spread = np.std(design.apply(data.rows[:: len(data.rows) // 5_000 + 1]), axis=0)
        parts = (np.abs(model.coefficients) * spread[:, None]).sum(axis=1)
        return Fitted(model, design.importance(parts, data.rows.shape[1]))

    @staticmethod
    def read_model(content: bytes) -> FoldModel:
        """Reads back coefficients and their design."""
        return read_constant(content) or LinearModel.from_bytes(content)


def _wanted(params: Params, data: FoldData) -> Wanted:
    """What is asked for, or what there is time for: every two columns are multiplied, in every row.

    A logistic regression needs the whole matrix besides, again and again, and for each class.
    """
    columns = int(np.clip(np.sqrt(_PRODUCTS / len(data.rows)), _FEWEST_COLUMNS, _MOST_COLUMNS))
    if data.n_classes:
        columns = min(columns, _MOST_CELLS // len(data.rows), _MOST_WEIGHTS // data.n_classes)
    return Wanted(
        pieces=min(int(params["pieces"]), columns // 3 // max(len(data.numeric), 1)),
        fewest=int(params["rows_per_level"]),
        levels=columns // 3,
        landmarks=min(int(params["landmarks"]), columns // 3),
        width=float(params["width"]),
        relevance=float(params["relevance"]),
    )


def _regression(params: Params, design: Design, data: FoldData, watch: Watch) -> LinearModel:
    scale = LabelScale.fit(data.labels, params.get("label_scale"))
    labels = scale.outputs(data.labels)
    weights = np.ones(len(labels)) if data.weights is None else data.weights
    sought = Sought(data.rows, labels, weights, data.parts, float(params["penalty"]))
    if data.loss == "l2":
        coefficients, intercept = fit_ridge(design, sought)
    else:
        share = float(data.shapes["quantile_alpha"]) if data.loss == "quantile" else _MEDIAN
        coefficients, intercept = fit_quantile(design, sought, share, watch)
    model = LinearModel(design, coefficients[:, None], np.array([intercept]), label_scale=scale)
    if data.loss != "l2" or not scale.is_log:
        return model
    made = apply_linear(design, data.rows, model.coefficients, model.intercepts)[:, 0]
    return replace(model, label_scale=scale.with_means_of(data.labels, made, weights))


def _logistic(params: Params, design: Design, data: FoldData, watch: Watch) -> LinearModel:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    watch.check()
    logistic = LogisticRegression(
        C=1 / (_CLASS_PENALTY * float(params["penalty"])), max_iter=_MOST_STEPS, tol=_TOLERANCE
    )
    with warnings.catch_warnings():
        # Where it has not quite converged it is good enough, and the score says how good.
        warnings.simplefilter("ignore", ConvergenceWarning)
        logistic.fit(design.apply(data.rows), data.labels, data.weights)
    return LinearModel(
        design,
        logistic.coef_.T,
        logistic.intercept_,
        logistic.classes_,
        class_shares(data),
    )


def _nothing() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True)
class LinearModel:
    """Linear functions and the way to labels or probabilities.

    Attributes:
        design: Encodes rows.
        coefficients: Shape (columns, outputs).
        intercepts: Shape (outputs,).
        classes: Those that it knows; empty for regression.
        prior: Each class's share, shape (n_classes,); empty for regression.
        label_scale: From the output to labels, for regression.
    """

    design: Design
    coefficients: FloatArray
    intercepts: FloatArray
    classes: FloatArray = field(default_factory=_nothing)
    prior: FloatArray = field(default_factory=_nothing)
    label_scale: LabelScale = field(default_factory=LabelScale.none)

    def predict(self, rows: FloatArray) -> FloatArray:
        """Labels or probabilities."""
        made = apply_linear(self.design, rows, self.coefficients, self.intercepts)
        if len(self.prior):
            return as_task(all_classes(softmax(made), self.classes, len(self.prior)), len(self.prior))
        return self.label_scale.labels(made[:, 0])

    def to_bytes(self) -> bytes:
        """As named arrays."""
        own = {name: getattr(self, name) for name in ("coefficients", "intercepts", "classes", "prior")}
        return pack({**own, **self.label_scale.arrays(), **within("design", self.design.arrays())})

    @classmethod
    def from_bytes(cls, content: bytes) -> LinearModel:
        """What `to_bytes` wrote."""
        arrays = unpack(content)
        own = {name: arrays[name] for name in ("coefficients", "intercepts", "classes", "prior")}
        scale = LabelScale.from_arrays(arrays)
        return cls(Design.from_arrays(part_of("design", arrays)), **own, label_scale=scale)
