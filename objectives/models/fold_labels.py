"""What LightGBM is given to fit a fold: labels, weights and the loss, and the way back to the target's scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.data.target_transform import TargetTransform, column_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import lightgbm as lgb
    from numpy.typing import NDArray
    from optuna.distributions import BaseDistribution

    from objectives.base import FloatArray, Params
    from objectives.data.approach import Approach, Divisors
    from objectives.data.dataset import Dataset

_OBJECTIVES = {"l2": "regression", "l1": "regression_l1", "mape": "regression_l1"}
# Where a target is next to nothing, its relative error is taken as if it were this share of the mean.
_LEAST_SHARE = 0.01
_LOSS, _TRANSFORM = "loss", "target_transform"
# Parameters of one loss each; the first two in standard deviations of the labels.
_SHAPES = {
    "huber": "huber_delta",
    "fair": "fair_scale",
    "tweedie": "tweedie_variance_power",
    "quantile": "quantile_alpha",
}
_SHAPE_DEFAULTS = {
    "huber_delta": 0.5,
    "fair_scale": 0.5,
    "tweedie_variance_power": 1.5,
    "quantile_alpha": 0.5,
}


def labelling_space(approach: Approach) -> dict[str, BaseDistribution]:
    """The parameters that choose among several losses and transforms, and those of the losses."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    space: dict[str, BaseDistribution] = {}
    for name, choices in ((_LOSS, approach.losses), (_TRANSFORM, approach.transforms)):
        if len(choices) > 1:
            space[name] = CategoricalDistribution(choices)
    shapes: dict[str, BaseDistribution] = {
        "huber_delta": FloatDistribution(0.05, 2.0, log=True),
        "fair_scale": FloatDistribution(0.05, 2.0, log=True),
        "tweedie_variance_power": FloatDistribution(1.05, 1.95),
        "quantile_alpha": FloatDistribution(0.05, 0.95),
    }
    return space | {_SHAPES[loss]: shapes[_SHAPES[loss]] for loss in approach.losses if loss in _SHAPES}


def labelling_defaults(approach: Approach) -> dict[str, Any]:
    """A value for each parameter that `labelling_space` may have."""
    return {_LOSS: approach.losses[0], _TRANSFORM: approach.transforms[0], **_SHAPE_DEFAULTS}


def make_labelling(params: Params, dataset: Dataset) -> tuple[Labelling, dict[str, Any]]:
    """What a configuration says of labels and loss, and the rest of it, which is LightGBM's own."""
    rest = dict(params)
    chosen = {name: rest.pop(name, default) for name, default in labelling_defaults(dataset.approach).items()}
    labelling = Labelling(
        loss=chosen[_LOSS],
        transform=chosen[_TRANSFORM],
        shapes=chosen,
        target=dataset.target,
        divisors=dataset.divisors,
    )
    return labelling, rest


@dataclass(frozen=True)
class Labelling:
    """How one configuration sees the target, whatever the fold.

    Attributes:
        loss: A name in `objectives.data.approach.LOSSES`.
        transform: As in the setting `target_transform`.
        shapes: The parameters of losses.
        target: Of the training rows, on its own scale, shape (n_train,).
        divisors: By column.
    """

    loss: str
    transform: str
    shapes: Params
    target: FloatArray
    divisors: Mapping[str, Divisors]

    @property
    def objective(self) -> str:
        """LightGBM's name of the loss."""
        return _OBJECTIVES.get(self.loss, self.loss)

    @property
    def is_transformed(self) -> bool:
        """Whether a model's output is not yet a prediction."""
        return self.transform != "none"

    def fit(self, train_idx: NDArray[np.intp], val_idx: NDArray[np.intp]) -> FoldLabels:
        """Learns a fold's labels from its training rows alone.

        Args:
            train_idx: Positions to fit on, in the order of the labels.
            val_idx: Positions to score on, in the order of the predictions.
        """
        target = self.target[train_idx]
        fitted = TargetTransform.fit(self.transform, target)
        per = self.divisors.get(column_of(self.transform) or "")
        train_per = None if per is None else per.train[train_idx]
        labels = fitted.forward(target, train_per)
        return FoldLabels(
            transform=fitted,
            labels=labels if self.is_transformed else None,
            weights=self._weights(target, train_per),
            params=self._params(labels),
            val_per=None if per is None else per.train[val_idx],
            test_per=None if per is None else per.test,
        )

    def _weights(self, target: FloatArray, per: FloatArray | None) -> FloatArray | None:
        """Those of the relative error: LightGBM's own `mape` has them too small for its regularisation.

        A leaf's best value is then the weighted median of its labels, which is that of its targets on any
        scale that increases with them.
        """
        if self.loss != "mape":
            return None
        size = np.abs(target)
        weights = (1.0 if per is None else per) / np.maximum(size, _LEAST_SHARE * float(size.mean()) or 1.0)
        return np.asarray(weights / weights.mean())

    def _params(self, labels: FloatArray) -> dict[str, Any]:
        params: dict[str, Any] = {}
        if self.loss == "huber":
            params["alpha"] = float(self.shapes["huber_delta"] * np.std(labels))
        if self.loss == "fair":
            params["fair_c"] = float(self.shapes["fair_scale"] * np.std(labels))
        if self.loss == "tweedie":
            params["tweedie_variance_power"] = self.shapes["tweedie_variance_power"]
        if self.loss == "quantile":
            params["alpha"] = self.shapes["quantile_alpha"]
        return params


@dataclass(frozen=True)
class FoldLabels:
    """What one fold is fitted on, and the way back.

    Attributes:
        transform: Fitted to the fold's training rows.
        labels: Of the training rows; None: the target as it is.
        weights: Of the training rows; None: all alike.
        params: LightGBM's parameters of the loss that depend on the fold.
        val_per: What the transform divides by, in the validation rows.
        test_per: In the test rows.
    """

    transform: TargetTransform
    labels: FloatArray | None
    weights: FloatArray | None
    params: dict[str, Any]
    val_per: FloatArray | None
    test_per: FloatArray | None

    def put_on(self, rows: lgb.Dataset) -> lgb.Dataset:
        """Labels a fold's training rows, a subset whose own labels are the plain targets."""
        if self.labels is not None or self.weights is not None:
            rows.construct()
        if self.labels is not None:
            rows.set_label(self.labels)
        if self.weights is not None:
            rows.set_weight(self.weights)
        return rows

    def validation(self, prediction: FloatArray) -> FloatArray:
        """Predictions of the validation rows on the target's own scale."""
        return self.transform.back(prediction, self.val_per)

    def test(self, prediction: FloatArray) -> FloatArray:
        """Predictions of the test rows on the target's own scale."""
        return self.transform.back(prediction, self.test_per)
