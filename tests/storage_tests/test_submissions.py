from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from storage.submissions import (
    SubmissionFormat,
    read_submission,
    sha256_of,
    submission_faults,
    write_submission,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IDS = ("000001", "000002", "000003")
PLAIN = SubmissionFormat("id", ("price",), header=True)
BARE = SubmissionFormat("id", ("price",), header=False)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def submissions(draw: st.DrawFn) -> tuple[list[str], NDArray[np.float64], SubmissionFormat]:
    """Draws unique ids, their predictions in one to three columns, and a format."""
    names = draw(st.lists(texts, min_size=1, max_size=6, unique=True))
    width = draw(st.integers(1, 3))
    shape = (len(names),) if width == 1 else (len(names), width)
    order = tuple(draw(st.permutations(range(width)))) if draw(st.booleans()) else None
    columns = tuple(f"c{place}" for place in range(width))
    written = SubmissionFormat("the id", columns, header=draw(st.booleans()), order=order)
    return names, draw(arrays(np.float64, shape, elements=finite)), written


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(drawn=submissions())
def test_round_trip(tmp_path: Path, drawn: tuple[list[str], NDArray[np.float64], SubmissionFormat]) -> None:
    """Whatever the ids and numbers, the file reads back to the same text and bits and has no fault."""
    names, prediction, written = drawn
    path = tmp_path / "submission.csv"
    write_submission(path, names, prediction, written)
    ids, values = read_submission(path, written)

    assert tuple(names) == ids
    assert prediction.shape == values.shape
    assert prediction.tobytes() == np.ascontiguousarray(values).tobytes()
    assert submission_faults(path, names, written) == []


def test_bytes(tmp_path: Path) -> None:
    """The file is UTF-8 without a mark, lines end in a newline alone, and ids keep their zeros."""
    path = tmp_path / "submission.csv"
    write_submission(path, ["007", "東京"], np.array([0.1, 1e300]), PLAIN)

    assert "id,price\n007,0.1\n東京,1e+300\n".encode() == path.read_bytes()


def test_headerless(tmp_path: Path) -> None:
    """A headerless format writes no names."""
    path = tmp_path / "submission.csv"
    write_submission(path, ["007"], np.array([[2]]), BARE)

    assert path.read_bytes() == b"007,2.0\n"


def test_column_order(tmp_path: Path) -> None:
    """Class probabilities go under their own names when the sample orders them differently."""
    path = tmp_path / "submission.csv"
    swapped = SubmissionFormat("id", ("B", "A"), header=True, order=(1, 0))
    write_submission(path, ["1"], np.array([[0.25, 0.75]]), swapped)

    assert path.read_bytes() == b"id,B,A\n1,0.75,0.25\n"


@pytest.mark.parametrize("shape", [(2,), (3, 2), (0,), (3, 1, 1)])
def test_wrong_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """A prediction that does not fit the ids is refused before anything is written."""
    with pytest.raises(ValueError, match=r"got shape .*; allowed: \(3, 1\)"):
        write_submission(tmp_path / "submission.csv", IDS, np.zeros(shape), PLAIN)
    assert list(tmp_path.iterdir()) == []


def test_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """Text that cannot be encoded fails the write and leaves the earlier submission whole."""
    path = tmp_path / "submission.csv"
    write_submission(path, ["1"], np.ones(1), PLAIN)
    with pytest.raises(UnicodeEncodeError):
        write_submission(path, ["\ud800"], np.ones(1), PLAIN)

    assert [path] == list(tmp_path.iterdir())
    assert path.read_bytes() == b"id,price\n1,1.0\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,cost\n000001,1\n000002,2\n000003,3\n", "header: got 'id,cost'; allowed: 'id,price'"),
        ("id,price\n000001,1\n000003,3\n000002,2\n", "order: got id '000003' in row 2; allowed: '000002'"),
        ("id,price\n000001,1\n000002,nan\n000003,3\n", "got 1 that are NaN, 'nan for id 000002'"),
        ("id,price\n000001,inf\n000002,-inf\n000003,3\n", "got 2 that are infinite, 'inf for id 000001',"),
        ("id,price\n000001,1\n000002,\n000003,3\n", "got 1 that are no number, ' for id 000002'"),
        ("id,price\n000001,1_0\n000002,2\n000003,3\n", "got 1 that are no number, '1_0 for id 000001'"),
        ("id,price\n000001,1\n000002,2,2\n000003,3\n", "columns: got 1 rows of another width, first row 3"),
    ],
)
def test_one_fault_one_line(tmp_path: Path, text: str, expected: str) -> None:
    """Each fault of a submission is one line that says got, allowed, do."""
    path = tmp_path / "submission.csv"
    path.write_text(text, encoding="utf-8")

    [fault] = submission_faults(path, IDS, PLAIN)
    assert expected in fault
    assert "\n" not in fault
    assert "; allowed: " in fault
    assert fault.endswith(("do not submit it; write it again", "use a file with those columns"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["rows: got 0; allowed: 3", "got 3 that are missing"]),
        ("000001,1\n000002,2\n", ["rows: got 2; allowed: 3", "got 1 that are missing, '000003'"]),
        (
            "000001,1\n000002,2\n000002,2\n",
            ["got 1 that are missing, '000003'", "got 1 that are there more than once, '000002'"],
        ),
        (
            "1,1\n000002,2\n000003,3\n",
            ["got 1 that are missing, '000001'", "got 1 that are not in the test data"],
        ),
        (
            "id,price\n000001,1\n000002,2\n000003,3\n",
            [
                "header: got 'id,price'; allowed: none",
                "rows: got 4",
                "not in the test data, 'id'",
                "no number",
            ],
        ),
        (
            "000001,1\n000002,2\n000003,3\n\n",
            ["rows: got 4", "not in the test data, ''", "first row 4 with 0"],
        ),
    ],
)
def test_faults_all_at_once(tmp_path: Path, text: str, expected: list[str]) -> None:
    """Faults that come together are all told, a line each."""
    path = tmp_path / "submission.csv"
    path.write_text(text, encoding="utf-8")
    faults = submission_faults(path, IDS, BARE)

    assert len(expected) == len(faults)
    for part, fault in zip(expected, faults, strict=True):
        assert part in fault


def test_unreadable_file(tmp_path: Path) -> None:
    """A submission that is absent, not UTF-8 or not CSV is one fault, not a crash."""
    path = tmp_path / "submission.csv"
    assert "No such file" in submission_faults(path, IDS, PLAIN)[0]
    path.write_bytes(b"\xff\xfe")
    assert "got bytes that are not UTF-8, at position 0" in submission_faults(path, IDS, PLAIN)[0]
    path.write_bytes(b'id,price\n"1"2,3\n')
    assert "got text that is not CSV" in submission_faults(path, IDS, PLAIN)[0]


def test_sha256(tmp_path: Path) -> None:
    """The checksum is that of the bytes, as `sha256sum` prints it."""
    path = tmp_path / "file"
    path.write_bytes(b"abc")

    assert hashlib.sha256(b"abc").hexdigest() == sha256_of(path)
