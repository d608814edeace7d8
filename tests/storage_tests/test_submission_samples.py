from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from storage.submission.checking import data_faults, submission_faults
from storage.submission.reading import read_format
from storage.submission.writing import read_submission, write_submission
from tests.storage_tests.submission_samples import NAMES, sample_bytes, sample_format, wanted

if TYPE_CHECKING:
    from pathlib import Path

    from storage.submission.form import SubmissionFormat

EXPECTED = {
    "signate_rent.csv": "no header, numbers in prediction, between cells a comma, UTF-8, lines end in LF",
    "signate_no_last_end.csv": "lines end in LF, none after the last line",
    "signate_tab.tsv": "between cells a tab",
    "utf8_mark.csv": "header id,家賃, numbers in 家賃, between cells a comma, UTF-8 with byte order mark",
    "shift_jis.csv": "header 物件番号,成約賃料, numbers in 成約賃料, between cells a comma, Shift-JIS (cp932)",
    "euc_jp.csv": "header 番号,価格, numbers in 価格, between cells a comma, EUC-JP",
    "iso2022.csv": "ISO-2022-JP",
    "utf16.csv": "UTF-16 with byte order mark, lines end in CRLF",
    "western.csv": "between cells a semicolon, Western (cp1252)",
    "other_order.csv": "rows in the sample's own order",
    "class_columns.csv": "probabilities in Status_C, Status_A, Status_B",
    "class_labels.csv": "class labels in Status",
    "digit_labels.csv": "class labels in Label",
    "upper_labels.csv": "class labels in sold",
    "binary_probability.csv": "probabilities in default",
    "binary_zeros_labels.csv": "class labels in Survived",
    "binary_two_columns.csv": "probabilities in no, yes",
    "constant_columns.csv": "header id,price,Usage,Weight, numbers in price",
    "prediction_first.csv": "header price,id, numbers in price",
}


def _own_values(
    name: str, form: SubmissionFormat, path: Path
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    path.write_bytes(sample_bytes(name))
    values = read_submission(path, form)
    n_classes = len(form.wanted.classes)
    if form.kind == "label":
        chosen = np.eye(n_classes)[values[:, 0].astype(int)]
        return chosen if n_classes > 2 else chosen[:, 1]
    if form.order:
        table = values[:, np.argsort(form.order)]
        return table if n_classes > 2 else table[:, 1]
    return values[:, 0]


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_comes_back_byte_for_byte(name: str, tmp_path: Path) -> None:
    """The sample's own values, written in the format it shows, are the sample."""
    form, path = sample_format(name), tmp_path / name
    write_submission(path, _own_values(name, form, path), form)

    assert path.read_bytes() == sample_bytes(name)


@pytest.mark.parametrize("name", NAMES)
def test_other_values_are_valid_and_read_back(name: str, tmp_path: Path) -> None:
    """Any prediction in the sample's dialect has no fault, and is the same number when read back."""
    form, path = sample_format(name), tmp_path / name
    rng = np.random.default_rng(0)
    n_classes = len(form.wanted.classes)
    prediction = (
        rng.dirichlet(np.ones(n_classes), len(form.ids)) if n_classes > 2 else rng.random(len(form.ids))
    )
    write_submission(path, prediction, form)

    assert submission_faults(path, form) == []
    back = read_submission(path, form)
    if form.kind == "label":
        assert np.array_equal(back[:, 0], prediction.argmax(1) if n_classes > 2 else prediction > 0.5)
    elif form.order:
        table = prediction if n_classes > 2 else np.column_stack([1 - prediction, prediction])
        assert np.array_equal(back, table[:, list(form.order)])
    else:
        assert np.allclose(back[:, 0], prediction, rtol=0, atol=1e-19)


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_of_a_sample_is_kept(name: str) -> None:
    """With other predictions, each other byte of the file is the sample's: ids, names, quotes, ends of lines."""
    form = sample_format(name)
    marks = ["\0"] * (len(form.gaps) - 1)

    assert len(form.filled(marks).split("\0")) == len(form.gaps)
    assert "".join(form.gaps) == form.filled([""] * len(marks))


@pytest.mark.parametrize(("name", "said"), EXPECTED.items())
def test_what_is_said_of_a_sample(name: str, said: str) -> None:
    """The line that people read says what the file shows."""
    assert said in sample_format(name).description


def test_there_are_many_dialects() -> None:
    """At least 25 files, and no two alike."""
    assert len({sample_bytes(name) for name in NAMES}) == len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_no_sample_is_valid_for_another(name: str) -> None:
    """A file in one dialect is a fault in each other that does not mean the same."""
    form = sample_format(name)
    others = [other for other in NAMES if wanted(other).ids == form.wanted.ids and other != name]

    for other in others:
        faults = data_faults(sample_bytes(other), form)
        assert faults or _same_but_values(other, form), (name, other)


def _same_but_values(other: str, form: SubmissionFormat) -> bool:
    try:
        return read_format(sample_bytes(other), form.wanted).gaps == form.gaps
    except ValueError:
        return False
