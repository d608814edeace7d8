from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from storage.submission.checking import submission_faults
from storage.submission.form import Wanted
from storage.submission.reading import read_format, read_sample
from storage.submission.writing import read_submission, sha256_of, write_submission

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from storage.submission.form import SubmissionFormat

IDS = ("000001", "000002", "000003")
PLAIN = read_format(None, Wanted(IDS))

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def submissions(draw: st.DrawFn) -> tuple[NDArray[np.float64], SubmissionFormat]:
    """Draws unique ids, their predictions in one or three columns, and the plain format."""
    names = tuple(draw(st.lists(texts, min_size=1, max_size=6, unique=True)))
    classes = draw(st.sampled_from([(), ("a", "b", "c")]))
    shape = (len(names), len(classes)) if classes else (len(names),)
    elements = st.just(0.25) if classes else finite
    values = draw(arrays(np.float64, shape, elements=elements))
    if classes:
        values[:, 2] = 0.5
    return values, read_format(None, Wanted(names, "the id", classes=classes))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(drawn=submissions())
def test_round_trip(tmp_path: Path, drawn: tuple[NDArray[np.float64], SubmissionFormat]) -> None:
    """Whatever the ids and numbers, the file reads back to the same bits and has no fault."""
    prediction, form = drawn
    path = tmp_path / "submission.csv"
    write_submission(path, prediction, form)

    back = read_submission(path, form)
    assert prediction.reshape(back.shape).tobytes() == back.tobytes()
    assert submission_faults(path, form) == []


def test_bytes_without_a_sample(tmp_path: Path) -> None:
    """The convention: UTF-8 without a mark, a header, lines ending in a newline alone, ids with their zeros."""
    path = tmp_path / "submission.csv"
    write_submission(path, np.array([0.1, 1e20]), read_format(None, Wanted(("007", "東京"))))

    assert path.read_bytes() == "id,prediction\n007,0.1\n東京,100000000000000000000.0\n".encode()


def test_classes_without_a_sample(tmp_path: Path) -> None:
    """Without a sample there is a column for each of three classes, and labels where the score is of labels."""
    path = tmp_path / "submission.csv"
    prediction = np.array([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25]])
    for wants_labels, expected in (
        (False, "id,a,b,c\n1,0.25,0.25,0.5\n2,0.5,0.25,0.25\n"),
        (True, "id,prediction\n1,c\n2,a\n"),
    ):
        form = read_format(None, Wanted(("1", "2"), classes=("a", "b", "c"), wants_labels=wants_labels))
        write_submission(path, prediction, form)

        assert path.read_text(encoding="utf-8") == expected
        assert submission_faults(path, form) == []


def test_the_samples_order_wins(tmp_path: Path) -> None:
    """Rows go where the sample has their ids, and come back in the test file's order."""
    path = tmp_path / "submission.csv"
    form = read_format(b"000003,0\n000001,0\n000002,0\n", Wanted(IDS))
    write_submission(path, np.array([1.0, 2.0, 3.0]), form)

    assert path.read_bytes() == b"000003,3\n000001,1\n000002,2\n"
    assert read_submission(path, form)[:, 0].tolist() == [1.0, 2.0, 3.0]


def test_decimals_are_never_lost(tmp_path: Path) -> None:
    """A sample of bare zeros does not round the predictions; one with two decimals fills them up."""
    path = tmp_path / "submission.csv"
    for zero, expected in ((b"0", b"000001,1\n000002,0.125\n"), (b"0.00", b"000001,1.00\n000002,0.125\n")):
        sample = b"000001," + zero + b"\n000002," + zero + b"\n"
        write_submission(path, np.array([1, 0.125]), read_format(sample, Wanted(IDS[:2])))
        assert path.read_bytes() == expected


@pytest.mark.parametrize("shape", [(2,), (3, 2), (0,), (3, 1, 1)])
def test_wrong_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """A prediction that does not fit the ids is refused before anything is written."""
    with pytest.raises(ValueError, match=r"got shape .*; allowed: \(3,\)"):
        write_submission(tmp_path / "submission.csv", np.zeros(shape), PLAIN)
    assert list(tmp_path.iterdir()) == []


def test_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """A label that cannot be encoded fails the write and leaves the earlier submission whole."""
    path = tmp_path / "submission.csv"
    write_submission(path, np.ones(3), PLAIN)
    before = path.read_bytes()
    labels = read_format(
        "000001,家\n".encode("cp932"), Wanted(("000001",), classes=("家", "🏠"), wants_labels=True)
    )
    with pytest.raises(ValueError, match="allowed: those of Shift-JIS"):
        write_submission(path, np.ones(1), labels)

    assert [path] == list(tmp_path.iterdir())
    assert path.read_bytes() == before


def test_absent_file(tmp_path: Path) -> None:
    """A submission that is not there is one fault, not a crash."""
    [fault] = submission_faults(tmp_path / "absent.csv", PLAIN)
    assert "No such file" in fault


def test_sha256(tmp_path: Path) -> None:
    """The checksum is that of the bytes, as `sha256sum` prints it."""
    path = tmp_path / "file"
    path.write_bytes(b"abc")

    assert hashlib.sha256(b"abc").hexdigest() == sha256_of(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "got an empty file; allowed: rows"),
        ("id,p\n", "got a header alone"),
        ("id\n000001\n000002\n000003\n", "columns: got the id alone"),
        ("id,p\n000001,0\n000002,0\n", "ids: got 1 that are missing, '000003'; allowed: each of the 3"),
        ("id,p\n000001,0\n000002,0\n000003,0\n4,0\n", "ids: got 1 that are not in the test data, '4'"),
        (
            "id,p\n000001,0\n000002,0\n000003,0\n000003,0\n",
            "ids: got 1 that are there more than once, '000003'",
        ),
        (
            "id,p,q\n000001,0,0\n000002,0,0\n000003,0,0\n",
            "columns: got 2 besides the id, 'p', 'q'; allowed: one",
        ),
        ("id,p\n000001,0\n000002\n000003,0\n", "columns: got 1 rows of another width, first row 3 with 1"),
        ("id,p\n1,0\n2,0\n3,0\n", "(zeros before them lost or added); allowed: each of the 3 test ids once"),
    ],
)
def test_one_fault_of_a_sample(tmp_path: Path, text: str, expected: str) -> None:
    """A sample that cannot be copied is one line that says got, allowed, do."""
    sample = tmp_path / "sample.csv"
    sample.write_bytes(text.encode())
    form, [fault] = read_sample(sample, Wanted(IDS))

    assert form is None
    assert expected in fault
    assert "; do: " in fault
    assert "\n" not in fault


def test_foreign_class_columns() -> None:
    """Class columns that name no class are a fault, never guessed by position."""
    sample = b"id,x,y,z\n000001,0,0,1\n000002,0,0,1\n000003,0,0,1\n"
    with pytest.raises(ValueError, match="column names: got x, y, z; allowed: one for each class"):
        read_format(sample, Wanted(IDS, classes=("a", "b", "c")))


def test_the_prediction_column_can_be_said() -> None:
    """Where several columns could hold the prediction, the user says which; the others stay."""
    sample = b"id,p,q\n000001,7,0\n000002,8,0\n000003,9,0\n"
    form = read_format(sample, Wanted(IDS, column="q"))

    assert form.columns == ("q",)
    assert form.filled(["1"] * 3).encode() == b"id,p,q\n000001,7,1\n000002,8,1\n000003,9,1\n"
    with pytest.raises(ValueError, match="--prediction-column: got 'r'; allowed: p, q"):
        read_format(sample, Wanted(IDS, column="r"))
