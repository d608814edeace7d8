"""A network of a few layers on pieces of numbers and on levels: smooth where trees have steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.models.cross_validated import CrossValidatedObjective
from objectives.models.encodings.design import Design, Wanted
from objectives.models.fold_model import Fitted, read_constant
from objectives.models.label_scale import SCALES, LabelScale, may_take_logs, usual_scale
from objectives.models.network import Network, clear_faded, mean_output
from objectives.models.network_model import NeuralNetworkModel, ScaledDesign
from objectives.models.threads_limit import one_thread

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from objectives.base import Params
    from objectives.models.fold_model import FoldData, FoldModel
    from objectives.models.watch import Watch

_MOST_CELLS = 50_000_000
"""Of the encoded rows, 200 MB."""
_FEWEST_COLUMNS, _MOST_COLUMNS = 100, 1_000
_USUAL_COLUMNS = 200
_EPOCH_ROWS = 20_000
"""That are learned from between two scores, at most."""
_BATCHES = 40
"""In an epoch, at least, so that few rows are learned from in small steps."""
_SMALLEST_BATCH, _BIGGEST_BATCH = 16, 256
_EPOCH_RATE = 0.4
"""How fast an epoch learns, as a booster's learning rate says it: 13 epochs without a better score are enough."""
_MEAN_ROWS = 2_000
"""That the mean of the labels is compared with that of the predictions on, after each epoch."""
_MEMBER_ROWS = 20_000
"""Divided by the rows: how many networks the mean of which counts. From half of it on a single bigger one."""
_MOST_MEMBERS = 4


class NeuralNetworkObjective(CrossValidatedObjective):
    """Tunes scikit-learn's multilayer perceptrons, epoch by epoch."""

    name = "neural_network"

    def own_space(self) -> dict[str, BaseDistribution]:
        """Returns the networks' shape, how they learn, and how numbers are cut into pieces."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        space: dict[str, BaseDistribution] = {
            "units": IntDistribution(32, 512 if self._has_many_rows else 160, log=True),
            "layers": IntDistribution(1, 3),
            "step_size": FloatDistribution(3e-4, 1e-2, log=True),
            "penalty": FloatDistribution(1e-3, 3.0, log=True),
            "pieces": IntDistribution(1, 48, log=True),
            "rows_per_level": IntDistribution(2, 50, log=True),
            "members": IntDistribution(1, _MOST_MEMBERS),
        }
        if may_take_logs(self._dataset):
            space["label_scale"] = CategoricalDistribution(SCALES)
        return space

    def own_defaults(self) -> dict[str, Any]:
        """Returns two layers; of few rows the mean of several small networks, which cost less than a big one."""
        return {
            "units": 128 if self._has_many_rows else 96,
            "layers": 2,
            "step_size": 3e-3,
            "penalty": 0.1,
            "pieces": 24,
            "rows_per_level": 5,
            "members": int(np.clip(_MEMBER_ROWS // len(self._dataset.target), 1, _MOST_MEMBERS)),
            "label_scale": usual_scale(self._dataset),
        }

    def own_portfolio(self) -> list[dict[str, Any]]:
        """Returns numbers in one piece, more layers that are held down less, and more pieces.

        Of several classes, those that numbers tell apart want a network that is held down little (letter:
        0.091 where it is 0.121), the others many pieces and one that is held down much: these two come first.
        """
        smooth, deep = {"pieces": 1, "units": 256}, {"layers": 3, "step_size": 1.5e-3, "penalty": 0.03}
        stepped = {"units": 256, "pieces": 48, "penalty": 0.5}
        if self._dataset.task == "multiclass":
            return [{**smooth, "penalty": 0.03}, stepped, deep]
        return [smooth, deep, stepped]

    def work(self, params: Params) -> float:
        """By the weights of all members."""
        units, layers = float(params.get("units", 96)), float(params.get("layers", 2))
        return float(params.get("members", 1)) * units * (_USUAL_COLUMNS + units * (layers - 1))

    def fit_fold(self, params: Params, data: FoldData, watch: Watch) -> Fitted:
        """Learns epoch by epoch, scores the mean of the last few, and goes back to the best."""
        with one_thread():
            training = _Training(params, data)
            watch.start(_EPOCH_RATE)
            done, best = 0, training.model
            while not done or watch.goes_on(done):
                watch.check()
                done += 1
                training.learn(done)
                if not watch.rounds:
                    watch.look(training.model.predict_encoded(training.validation), done)
                if watch.rounds or watch.best_round == done:
                    best = training.model
        return Fitted(best, best.importance(data.rows.shape[1]), watch.best_round or done)

    @property
    def _has_many_rows(self) -> bool:
        return len(self._dataset.target) > _MEMBER_ROWS // 2

    @staticmethod
    def read_model(content: bytes) -> FoldModel:
        """Reads back the networks and their encoding."""
        return read_constant(content) or NeuralNetworkModel.from_bytes(content)


class _Training:
    """Networks that learn from one fold.

    Attributes:
        model: As it is after the last epoch; without networks before the first.
        validation: The encoded rows that are scored.
    """

    def __init__(self, params: Params, data: FoldData) -> None:
        self._data = data
        self._rng = np.random.default_rng(data.seed)
        encoding = ScaledDesign.fit(Design.fit(data, _wanted(params, data)), data.rows)
        self._rows, self.validation = encoding.apply(data.rows), encoding.apply(data.validation)
        self._labels, classes, scale = data.labels, np.unique(data.labels), LabelScale.none()
        self._mean, self._deviation = 0.0, 1.0
        if not data.n_classes:
            classes, scale = np.empty(0), LabelScale.fit(data.labels, params.get("label_scale"))
            outputs = scale.outputs(data.labels)
            self._mean, self._deviation = float(outputs.mean()), float(outputs.std())
            self._labels = (outputs - self._mean) / self._deviation
        self.model = NeuralNetworkModel(encoding, (), classes, data.n_classes, scale)
        self._fits = [_perceptron(params, data, member) for member in range(int(params["members"]))]
        self._means: tuple[Network, ...] = ()

    def learn(self, epoch: int) -> None:
        """Goes through the rows once, or through as many of them as an epoch has."""
        for fit in self._fits:
            self._pass_on(fit)
        newest = tuple(Network.of(fit) for fit in self._fits)
        pairs = zip(self._means or newest, newest, strict=True)
        self._means = tuple(mean.moved_to(new, epoch - 1) for mean, new in pairs)
        networks = tuple(mean.scaled(self._mean, self._deviation) for mean in self._means)
        self.model = replace(self.model, networks=networks)
        if not self._data.n_classes and self.model.label_scale.is_log:
            self.model = replace(self.model, label_scale=self._scale_with_right_mean())

    def _pass_on(self, fit: Any) -> None:
        rows, labels, weights = self._rows, self._labels, self._data.weights
        if len(rows) > _EPOCH_ROWS:
            drawn = self._rng.choice(len(rows), _EPOCH_ROWS, replace=False)
            rows, labels = rows[drawn], labels[drawn]
            weights = None if weights is None else weights[drawn]
        if self._data.n_classes:
            fit.partial_fit(rows, labels, weights, classes=self.model.classes)
        else:
            fit.partial_fit(rows, labels.astype(np.float32), weights)
        clear_faded(fit)

    def _scale_with_right_mean(self) -> LabelScale:
        few = slice(None, None, len(self._rows) // _MEAN_ROWS + 1)
        weights = None if self._data.weights is None else self._data.weights[few]
        outputs = mean_output(self.model.networks, self._rows[few])
        return self.model.label_scale.with_means_of(self._data.labels[few], outputs, weights)


def _wanted(params: Params, data: FoldData) -> Wanted:
    """The pieces and levels asked for, or those that there is memory for."""
    columns = int(np.clip(_MOST_CELLS // len(data.rows), _FEWEST_COLUMNS, _MOST_COLUMNS))
    return Wanted(
        pieces=min(int(params["pieces"]), columns // 2 // max(len(data.numeric), 1)),
        fewest=int(params["rows_per_level"]),
        levels=columns // 2,
        landmarks=0,
        width=1.0,
        relevance=0.0,
    )


def _perceptron(params: Params, data: FoldData, member: int) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    rows = min(len(data.rows), _EPOCH_ROWS)
    make = MLPClassifier if data.n_classes else MLPRegressor
    return make(
        hidden_layer_sizes=(int(params["units"]),) * int(params["layers"]),
        learning_rate_init=float(params["step_size"]),
        alpha=float(params["penalty"]),
        batch_size=min(int(np.clip(rows // _BATCHES, _SMALLEST_BATCH, _BIGGEST_BATCH)), rows),
        random_state=data.seed + member,
    )
