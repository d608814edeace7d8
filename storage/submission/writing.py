"""Predictions into a submission file, and out of one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from storage.atomic import temporary_save_path
from storage.submission.cells import quoted, read_cells

if TYPE_CHECKING:
    from pathlib import Path

    from storage.submission.form import SubmissionFormat

FloatArray = NDArray[np.float64]

_TWO = 2  # of two classes one probability is predicted


def write_submission(path: Path, prediction: NDArray[Any], form: SubmissionFormat) -> None:
    """Writes a submission, all or nothing: the sample with its predictions replaced.

    Args:
        path: The file; its folder must exist.
        prediction: Shape (n,), or (n, n_classes), in the test ids' order: numbers or probabilities.
        form: The competition's format.

    Raises:
        ValueError: If the shape does not fit the format, or a character is none of the encoding's.
        OSError: If the file cannot be written.
    """
    data = form.encoding.encode(form.filled(_texts(written_values(prediction, form), form)))
    with temporary_save_path(path) as temporary:
        temporary.write_bytes(data)


def written_values(prediction: NDArray[Any], form: SubmissionFormat) -> FloatArray:
    """Returns what a file holds of a prediction, in the test ids' order.

    Args:
        prediction: Shape (n,), or (n, n_classes).
        form: The competition's format.

    Returns:
        Shape (n, number of columns); class indices where labels are written.

    Raises:
        ValueError: If the shape does not fit the format.
    """
    values = np.asarray(prediction, np.float64)
    n_classes = len(form.wanted.classes)
    allowed: tuple[int, ...] = (len(form.ids), n_classes) if n_classes > _TWO else (len(form.ids),)
    if values.shape != allowed and (n_classes > _TWO or values.shape != (*allowed, 1)):
        raise ValueError(
            f"prediction: got shape {values.shape}; allowed: {allowed}, for {len(form.ids)} ids and the columns "
            f"{', '.join(form.columns)}; do: predict the test rows with this study's model"
        )
    return oof_values(values, form)


def oof_values(prediction: NDArray[Any], form: SubmissionFormat) -> FloatArray:
    """Does as `written_values` for any number of rows, such as the out-of-fold ones; NaN stays NaN."""
    values = np.asarray(prediction, np.float64)
    is_table = len(form.wanted.classes) > _TWO
    if form.kind == "label":
        chosen = values.argmax(axis=1) if is_table else values.reshape(-1) > 0.5  # noqa: PLR2004 - even odds
        known = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        return np.where(known, chosen.astype(np.float64), np.nan)[:, np.newaxis]
    if not form.order:
        return values.reshape(-1, 1)
    if not is_table:
        values = np.column_stack([1 - values.reshape(-1), values.reshape(-1)])
    return values[:, list(form.order)]


def read_submission(path: Path, form: SubmissionFormat) -> FloatArray:
    """Reads back a submission in which `submission_faults` finds nothing wrong.

    Returns:
        As `written_values` does.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not of that format.
    """
    rows = read_cells(form.encoding.decode(path.read_bytes()), form.delimiter)
    body = [row for row in rows if row][bool(form.header) :]
    return in_test_order(values_of([[row[place].text for place in form.places] for row in body], form), form)


def values_of(texts: list[list[str]], form: SubmissionFormat) -> FloatArray:
    """Returns the values that cells hold, in the file's order; NaN where there is none."""
    if form.kind == "label":
        indices = {text: float(index) for index, text in enumerate(form.labels)}
        numbers = [[indices.get(text, np.nan) for text in row] for row in texts]
    else:
        read = form.numbers.read
        numbers = [[np.nan if (value := read(text)) is None else value for text in row] for row in texts]
    return np.array(numbers, np.float64).reshape(len(texts), len(form.places))


def in_test_order(values: FloatArray, form: SubmissionFormat) -> FloatArray:
    """Returns rows of the file's order in the test ids' order."""
    if form.rows is None:
        return values
    ordered = np.empty_like(values)
    ordered[list(form.rows)] = values
    return ordered


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _texts(values: FloatArray, form: SubmissionFormat) -> list[str]:
    rows = values if form.rows is None else values[list(form.rows)]
    if form.kind != "label":
        write = form.numbers.write
        return [write(value) for value in rows.ravel().tolist()]
    return [_label(form, int(index), gap) for index, gap in zip(rows[:, 0], form.gaps, strict=False)]


def _label(form: SubmissionFormat, index: int, gap: str) -> str:
    text = form.labels[index]
    # A quoted cell's quotes are part of the text before it.
    return text.replace('"', '""') if gap.endswith('"') else quoted(text, form.delimiter)
