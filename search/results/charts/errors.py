"""How the out-of-fold predictions err: residuals of numbers, calibration of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.results.charts.chart import BLUE, GREY, ORANGE, Chart, Figure, Missing, plain, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

RESIDUALS, CALIBRATION, CONFUSION = "Residuals", "Calibration", "Confusion"
_MOST_POINTS = 1_500
_BINS = 10
_HISTOGRAM_BINS = 40
_MOST_CLASSES = 20


def error_charts(
    target: FloatArray, oof: FloatArray, task: str, classes: Sequence[str], of: str
) -> list[Chart] | Missing:
    """Draws what suits the task.

    Args:
        target: Shape (n,): numbers, or class indices.
        oof: Out-of-fold predictions, shape (n,) or (n, n_classes); rows that no fold validates are not-a-number.
        task: Regression, binary or multiclass.
        classes: Class labels in index order.
        of: Whose predictions, for people.
    """
    known = np.isfinite(oof if oof.ndim == 1 else oof.sum(axis=1)) & np.isfinite(target)
    target, oof = target[known], oof[known]
    if not len(target):
        return Missing(
            RESIDUALS, "No row of the training data has a prediction by a model that has not seen it."
        )
    if task == "regression":
        return [_against_truth(target, oof, of), _histogram(target, oof, of)]
    if oof.min() < 0 or oof.max() > 1:
        return Missing(
            CALIBRATION, f"The predictions of {of} are no probabilities, so nothing can be calibrated."
        )
    if oof.ndim == 1:
        return [_calibration(target == 1, oof, f"the probability of {classes[1]}", of)]
    charts = [_calibration(target == oof.argmax(axis=1), oof.max(axis=1), "the likeliest class", of)]
    return [*charts, _confusion(target, oof, classes, of)] if len(classes) <= _MOST_CLASSES else charts


def _against_truth(target: FloatArray, oof: FloatArray, of: str) -> Chart:
    drawn = np.arange(len(target))
    if len(target) > _MOST_POINTS:
        drawn = np.sort(np.random.default_rng(0).choice(len(target), _MOST_POINTS, replace=False))
    ends = [float(min(target.min(), oof.min())), float(max(target.max(), oof.max()))]
    size = np.abs(target - oof)
    top = target >= np.quantile(target, 0.9)
    ratio = float(np.median(size[top]) / max(np.median(size[~top]), 1e-300)) if (~top).any() else 1.0
    return Chart(
        name="residuals",
        title=RESIDUALS,
        says=f"Half of the {len(target):,} out-of-fold predictions of {of} are within {np.median(size):,.4g} of the "
        f"truth; among the highest tenth of targets the usual error is {ratio:.1f} times that of the others.",
        data=[
            {
                "type": "scatter",
                "mode": "markers",
                "name": "a row",
                "x": rounded(target[drawn].tolist()),
                "y": rounded(oof[drawn].tolist()),
                "marker": {"color": BLUE, "size": 5, "opacity": 0.5},
                "hovertemplate": "truth %{x}, predicted %{y}<extra></extra>",
            },
            _diagonal(ends, "prediction = truth"),
        ],
        layout={
            "xaxis": {"title": {"text": "truth"}, "nticks": 6},
            "yaxis": {"title": {"text": "out-of-fold prediction"}, "nticks": 6},
        },
        note=f"{len(drawn):,} of {len(target):,} rows drawn at random; the sentence is on all."
        if len(drawn) < len(target)
        else "",
    )


def _histogram(target: FloatArray, oof: FloatArray, of: str) -> Chart:
    residuals = target - oof
    low, high = np.quantile(residuals, [0.005, 0.995])
    counts, edges = np.histogram(residuals, bins=_HISTOGRAM_BINS, range=(low, high) if high > low else None)
    bias, half = float(residuals.mean()), float(np.mean(residuals > 0))
    return Chart(
        name="residual_histogram",
        title="How large the residuals are",
        says=f"On average the truth is {abs(bias):,.4g} {'above' if bias > 0 else 'below'} the prediction of {of}, "
        f"and {100 * half:.0f} % of the rows are predicted too low.",
        data=[
            {
                "type": "bar",
                "x": rounded(((edges[1:] + edges[:-1]) / 2).tolist()),
                "y": counts.tolist(),
                "marker": {"color": GREY},
                "name": "rows",
                "hovertemplate": "%{y} rows around %{x}<extra></extra>",
            }
        ],
        layout={
            "xaxis": {"title": {"text": "truth - prediction"}, "nticks": 6},
            "yaxis": {"title": {"text": "rows"}},
            "bargap": 0.05,
        },
        height=260,
        note="The outermost 1 % of the rows are outside the picture.",
    )


def _calibration(hit: NDArray[np.bool_], probability: FloatArray, what: str, of: str) -> Chart:
    """Bins of equal numbers of rows, so that each point rests on as much."""
    order = np.argsort(probability, kind="stable")
    bins = [some for some in np.array_split(order, min(_BINS, len(order))) if len(some)]
    said = np.array([probability[some].mean() for some in bins])
    seen = np.array([hit[some].mean() for some in bins])
    sizes = np.array([len(some) for some in bins])
    off = float((np.abs(said - seen) * sizes).sum() / sizes.sum())
    lean = float(((said - seen) * sizes).sum() / sizes.sum())
    return Chart(
        name="calibration",
        title=CALIBRATION,
        says=f"What {of} says of {what} is off by {100 * off:.1f} points on average over {len(bins)} groups of rows, "
        f"{100 * abs(lean):.1f} points too {'high' if lean > 0 else 'low'} in all.",
        data=[
            _diagonal([0.0, 1.0], "right"),
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": "a tenth of the rows",
                "x": rounded(said.tolist()),
                "y": rounded(seen.tolist()),
                "text": [f"{n:,} rows" for n in sizes],
                "line": {"color": BLUE},
                "marker": {"size": 8},
                "hovertemplate": "said %{x:.3f}, seen %{y:.3f} (%{text})<extra></extra>",
            },
        ],
        layout={
            "xaxis": {"title": {"text": "probability said"}, "range": [-0.02, 1.02]},
            "yaxis": {"title": {"text": "share that came true"}, "range": [-0.02, 1.02]},
        },
    )


def _confusion(target: FloatArray, oof: FloatArray, classes: Sequence[str], of: str) -> Chart:
    n = len(classes)
    counts = np.zeros((n, n))
    np.add.at(counts, (target.astype(int), oof.argmax(axis=1)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wrong = counts - np.diag(np.diag(counts))
    truth, taken = divmod(int(wrong.argmax()), n)
    says = f"{of.capitalize()} gets {100 * np.trace(counts) / counts.sum():.1f} % of the rows right"
    if wrong.max() > 0:
        says += f"; most often {classes[truth]} is taken for {classes[taken]} ({int(wrong.max()):,} rows)"
    labels = [plain(one) for one in classes]
    return Chart(
        name="confusion",
        title=CONFUSION,
        says=f"{says}.",
        data=[
            {
                "type": "heatmap",
                "x": labels,
                "y": labels,
                "z": [rounded(row) for row in shares.tolist()],
                "zmin": 0,
                "zmax": 1,
                "colorscale": [[0, "rgba(57,135,201,0.06)"], [1, BLUE]],
                "texttemplate": "%{z:.0%}" if n <= _BINS else "",
                "showscale": False,
                "hovertemplate": "%{y} taken for %{x}: %{z:.1%}<extra></extra>",
            }
        ],
        layout={
            "xaxis": {"title": {"text": "likeliest class"}, "type": "category"},
            "yaxis": {"title": {"text": "truth"}, "type": "category", "autorange": "reversed"},
        },
        height=160 + 34 * n,
    )


def _diagonal(ends: list[float], name: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": rounded(ends),
        "y": rounded(ends),
        "line": {"color": ORANGE, "dash": "dash"},
        "hoverinfo": "skip",
    }
