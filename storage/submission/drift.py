"""Whether a file's predictions look like the out-of-fold ones: range, level and shape, with figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from storage.submission.form import SubmissionFormat

FloatArray = NDArray[np.float64]

N_QUANTILES = 101
MOST_OUTSIDE = 0.01
"""Share of the predictions that may lie outside the out-of-fold range before it is worth a warning."""
LARGEST_GAP = 0.15
"""Between the two distribution functions; by chance alone a gap of `2 / sqrt(rows)` is rare."""
NEAR = 0.05
"""Of the out-of-fold standard deviation: values so near count as the same. A test row has the mean of several models,
one out of fold that of one: no probability near 0 keeps its size, and hundreds of them are no other distribution."""
LARGEST_SHIFT = 0.25
"""Between the two means, in standard deviations."""


class Summary(NamedTuple):
    """What is remembered of the out-of-fold predictions of one column.

    Attributes:
        column: Its name in the submission; a class where labels are written.
        rows: Number of predictions.
        mean: Their mean; the share of the class where labels are written.
        std: Their standard deviation.
        quantiles: Evenly spaced, from the least to the greatest; empty where labels are written.
    """

    column: str
    rows: int
    mean: float
    std: float
    quantiles: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns it as JSON knows it."""
        return {**self._asdict(), "quantiles": list(self.quantiles)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Summary:
        """Reads what `to_json` gave.

        Raises:
            KeyError: If something is missing.
        """
        known = {name: values[name] for name in cls._fields}
        return cls(**{**known, "quantiles": tuple(known["quantiles"])})


def summarise(values: FloatArray, form: SubmissionFormat) -> tuple[Summary, ...]:
    """Sums up predictions as `written_values` returns them; rows without a prediction are left out."""
    known = values[np.isfinite(values).all(axis=1)]
    if form.kind == "label":
        shares = [
            float(np.mean(known[:, 0] == index)) if len(known) else 0.0 for index in range(len(form.labels))
        ]
        return tuple(
            Summary(label, len(known), share, 0.0, ())
            for label, share in zip(form.labels, shares, strict=True)
        )
    return tuple(_column(name, known[:, place]) for place, name in enumerate(form.columns) if len(known))


def _column(name: str, values: FloatArray) -> Summary:
    quantiles = np.quantile(values, np.linspace(0, 1, N_QUANTILES))
    return Summary(name, len(values), float(values.mean()), float(values.std()), tuple(quantiles.tolist()))


def drift_warnings(values: FloatArray, form: SubmissionFormat, known: tuple[Summary, ...]) -> list[str]:
    """Returns what is worth a second look before an upload, a line each; nothing is wrong for sure.

    Args:
        values: The file's predictions, as `written_values` returns them.
        form: The competition's format.
        known: Of the out-of-fold predictions; empty where there are none.
    """
    if form.kind == "label":
        return _label_warnings(summarise(values, form), known)
    warnings = [*_constant(values, form)]
    names = list(form.columns)
    for summary in known:
        if summary.column in names and len(values):
            warnings += _column_warnings(values[:, names.index(summary.column)], summary)
    return warnings


def _constant(values: FloatArray, form: SubmissionFormat) -> Iterator[str]:
    if len(values) > 1:
        for name, column in zip(form.columns, values.T, strict=True):
            if np.ptp(column) == 0:
                yield f"{name}: all {len(column):,} predictions are {column[0]:.6g}"


def _column_warnings(values: FloatArray, known: Summary) -> Iterator[str]:
    least, greatest = known.quantiles[0], known.quantiles[-1]
    outside = values[(values < least) | (values > greatest)]
    span = greatest - least
    farthest = max(least - values.min(), values.max() - greatest, 0.0)
    if len(outside) > _most_outside(len(values), known.rows) or farthest > span:
        yield (
            f"{known.column}: {len(outside):,} of {len(values):,} predictions are outside the out-of-fold range "
            f"{least:.6g} to {greatest:.6g}; theirs is {values.min():.6g} to {values.max():.6g}"
        )
    shift = (float(values.mean()) - known.mean) / known.std if known.std else 0.0
    gap = _gap(values, known)
    noise = 2 * float(np.sqrt(1 / len(values) + 1 / known.rows))
    if gap > max(LARGEST_GAP, noise) or abs(shift) > max(LARGEST_SHIFT, 2 * noise):
        yield (
            f"{known.column}: differs from the out-of-fold predictions: mean {values.mean():.6g} against "
            f"{known.mean:.6g} ({shift:+.2f} standard deviations), median {np.median(values):.6g} against "
            f"{known.quantiles[N_QUANTILES // 2]:.6g}, greatest distance of the distributions {gap:.2f}"
        )


def _most_outside(rows: int, known_rows: int) -> float:
    """Predictions that may lie outside: a share, or what chance does to few rows."""
    chance = 2 * rows / known_rows
    return max(MOST_OUTSIDE * rows, chance + 4 * float(np.sqrt(chance)) + 2)


def _gap(values: FloatArray, known: Summary) -> float:
    """The Kolmogorov-Smirnov distance, at the quantiles that are known; near values count as the same."""
    points, near = np.array(known.quantiles), NEAR * known.std
    ranks = np.linspace(0, 1, len(points))
    ordered = np.sort(values)
    below = np.searchsorted(ordered, points - near, "left") / len(values)
    upto = np.searchsorted(ordered, points + near, "right") / len(values)
    # Equal quantiles are one step of the known distribution: it is everything between their ranks.
    low = np.searchsorted(points, points, "left")
    high = np.searchsorted(points, points, "right") - 1
    return float(np.max(np.maximum(ranks[low] - upto, below - ranks[high]).clip(0)))


def _label_warnings(now: tuple[Summary, ...], known: tuple[Summary, ...]) -> list[str]:
    before = {summary.column: summary.mean for summary in known}
    pairs = [(one.column, one.mean, before[one.column]) for one in now if one.column in before]
    distance = sum(abs(share - then) for _, share, then in pairs) / 2
    n_rows = now[0].rows if now else 0
    warnings = []
    if n_rows > 1 and any(one.mean == 1 for one in now):
        only = next(one.column for one in now if one.mean == 1)
        warnings.append(f"all {n_rows:,} predictions are {only}")
    if pairs and distance > max(LARGEST_GAP, 2 / float(np.sqrt(max(n_rows, 1)))):
        shown = ", ".join(f"{name} {share:.0%} against {then:.0%}" for name, share, then in pairs[:5])
        warnings.append(f"class shares differ from the out-of-fold predictions: {shown}")
    return warnings
