"""Networks kept as arrays predict what scikit-learn's do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

from objectives.models.fold_model import FoldData
from objectives.models.label_scale import LabelScale
from objectives.models.network import (
    Network,
    clear_faded,
    from_arrays,
    mean_output,
    mean_probabilities,
    to_arrays,
)
from objectives.models.neural_network import _Training
from objectives.models.saved_arrays import pack, unpack


@pytest.fixture
def rows() -> np.ndarray:
    """200 rows of four numbers."""
    return np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)


def _regressor(rows: np.ndarray, seed: int = 0) -> MLPRegressor:
    return MLPRegressor(hidden_layer_sizes=(8, 5), random_state=seed).partial_fit(rows, rows[:, 0] * 2)


def test_a_number(rows: np.ndarray) -> None:
    """Written and read back, several networks put out the mean of theirs."""
    fits = [_regressor(rows, seed) for seed in range(2)]

    read = from_arrays(unpack(pack(to_arrays([Network.of(fit) for fit in fits]))))

    expected = np.mean([fit.predict(rows) for fit in fits], axis=0)
    np.testing.assert_allclose(mean_output(read, rows), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 4])
def test_probabilities(rows: np.ndarray, classes: int) -> None:
    """Two classes have one output, several have one each."""
    labels = np.arange(len(rows)) % classes
    fit = MLPClassifier(hidden_layer_sizes=(8,), random_state=0).partial_fit(
        rows, labels, classes=range(classes)
    )

    made = mean_probabilities([Network.of(fit)], rows)

    np.testing.assert_allclose(made, fit.predict_proba(rows), rtol=1e-4, atol=1e-5)


def test_the_mean_of_epochs(rows: np.ndarray) -> None:
    """The first epoch is forgotten, later ones fade, and what it is the mean of is left as it was."""
    old, new = Network.of(_regressor(rows, 0)), Network.of(_regressor(rows, 1))
    before = old.weights[0].copy()

    np.testing.assert_array_equal(old.moved_to(new, 0).weights[0], new.weights[0])
    late = old.moved_to(new, 100)
    np.testing.assert_allclose(late.biases[1], 0.8 * old.biases[1] + 0.2 * new.biases[1], rtol=1e-5)
    np.testing.assert_array_equal(old.weights[0], before)


def _denormal(fit: MLPRegressor) -> int:
    numbers = np.concatenate([one.ravel() for one in (*fit.coefs_, *fit.intercepts_, *fit._optimizer.ms)])
    return int(np.count_nonzero((np.abs(numbers) < np.finfo(np.float32).tiny) & (numbers != 0)))


def test_faded_weights() -> None:
    """Weights that a penalty shrinks to nothing are made zero; predictions stay."""
    rows = np.random.default_rng(0).normal(size=(400, 20)).astype(np.float32)
    labels = rows[:, 0] + rows[:, 1] * rows[:, 2]
    as_it_is, cleared = (
        MLPRegressor(
            hidden_layer_sizes=(48, 48), learning_rate_init=3e-3, alpha=0.5, batch_size=16, random_state=0
        )
        for _ in range(2)
    )

    for _ in range(100):
        as_it_is.partial_fit(rows, labels)
        cleared.partial_fit(rows, labels)
        clear_faded(cleared)

    assert _denormal(as_it_is) > 0
    assert _denormal(cleared) == 0
    np.testing.assert_allclose(cleared.predict(rows), as_it_is.predict(rows), rtol=1e-5, atol=1e-6)


def test_no_epoch_works_on_faded_weights() -> None:
    """A network that is held down much has none of the denormal numbers that would slow its later epochs down."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 20))
    data = FoldData(
        rows=rows,
        labels=rows[:, 0] + rows[:, 1] * rows[:, 2],
        weights=None,
        validation=rows[:10],
        parts=np.arange(400) % 5,
        categorical=(),
        task="regression",
        n_classes=0,
        loss="l2",
        shapes={},
        seed=0,
        threads=1,
    )
    params = {"units": 48, "layers": 2, "step_size": 3e-3, "penalty": 0.5, "pieces": 1, "rows_per_level": 5}
    training = _Training({**params, "members": 1, "label_scale": "plain"}, data)

    for epoch in range(1, 101):
        training.learn(epoch)

    assert _denormal(training._fits[0]) == 0


def test_outputs_on_another_scale(rows: np.ndarray) -> None:
    """What was learned of standardised labels is put out as the labels are."""
    network = Network.of(_regressor(rows))

    moved = network.scaled(1000.0, 50.0).outputs(rows)

    np.testing.assert_allclose(moved, network.outputs(rows) * 50 + 1000, rtol=1e-5)


def test_logarithms_have_the_mean_of_the_labels() -> None:
    """The exponentials of outputs that err are too small in the mean, and are made as large as the labels."""
    rng = np.random.default_rng(0)
    labels = np.exp(rng.normal(5, 1, 1000))
    scale = LabelScale.fit(labels, "log")
    outputs = np.full(1000, scale.outputs(labels).mean())

    right = scale.with_means_of(labels, outputs, None)

    assert scale.labels(outputs).mean() < 0.8 * labels.mean()
    assert right.labels(outputs).mean() == pytest.approx(labels.mean())


def test_outputs_far_outside_are_drawn_in() -> None:
    """No prediction is more than a tenth of the labels' range beyond them."""
    scale = LabelScale.fit(np.array([0.0, 10.0]), "plain")

    assert scale.labels(np.array([-50.0, 5.0, 50.0])).tolist() == [-1.0, 5.0, 11.0]
