from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.submission_format import SubmissionFormat, read_format, sample_faults

if TYPE_CHECKING:
    from pathlib import Path

IDS = ("000001", "000002", "000003")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Where the sample goes."""
    return tmp_path / "sample_submit.csv"


def _write(sample: Path, text: str) -> Path:
    sample.write_bytes(text.encode())
    return sample


def test_without_sample() -> None:
    """Without a sample the file has a header: the id's name, then the predictions'."""
    found = read_format(None, id_name="id", columns=["price"], ids=IDS)

    assert SubmissionFormat("id", ("price",), header=True) == found


def test_headerless_sample(sample: Path) -> None:
    """A sample that starts with a test id has no header, so the submission has none."""
    _write(sample, "000001,0\n000002,0\n000003,0\n")
    found = read_format(sample, id_name="id", columns=["price"], ids=IDS)

    assert SubmissionFormat("id", ("price",), header=False) == found
    assert sample_faults(sample, ids=IDS, columns=["price"]) == []


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_names_of_the_sample(sample: Path, mark: str) -> None:
    """Names come from the sample's header, with or without Excel's byte order mark and blank lines."""
    _write(sample, f"{mark}Id,SalePrice\r\n000001,0\r\n000002,0\r\n000003,0\r\n\r\n")
    found = read_format(sample, id_name="id", columns=["price"], ids=IDS)

    assert found.names == ("Id", "SalePrice")
    assert found.header
    assert sample_faults(sample, ids=IDS, columns=["price"]) == []


@pytest.mark.parametrize("header", ["id,C,D,CL", "id,Status_C,Status_D,Status_CL"])
def test_class_columns_by_name(sample: Path, header: str) -> None:
    """Class columns are matched by name, so a sample in another order gets the right probabilities."""
    _write(sample, f"{header}\n" + "".join(f"{name},0,0,0\n" for name in IDS))
    found = read_format(sample, id_name="id", columns=["C", "CL", "D"], ids=IDS)

    assert found.order == (0, 2, 1)
    assert sample_faults(sample, ids=IDS, columns=["C", "CL", "D"]) == []


def test_foreign_class_columns(sample: Path) -> None:
    """Class columns that name no class are a fault, never guessed by position."""
    _write(sample, "id,yes,no\n" + "".join(f"{name},0,0\n" for name in IDS))

    [fault] = sample_faults(sample, ids=IDS, columns=["0", "1"])
    assert "column names: got yes, no; allowed: one for each class" in fault
    with pytest.raises(ValueError, match="column names: got yes, no"):
        read_format(sample, id_name="id", columns=["0", "1"], ids=IDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "got an empty file; allowed: CSV in UTF-8"),
        ("id,p\n000001,0\n000002,0\n", "ids: got 1 that are missing, '000003'; allowed: each of the 3"),
        ("id,p\n000001,0\n000002,0\n000003,0\n4,0\n", "ids: got 1 that are not in the test data, '4'"),
        (
            "id,p\n000001,0\n000002,0\n000003,0\n000003,0\n",
            "ids: got 1 that are there more than once, '000003'",
        ),
        (
            "id,p,q\n000001,0,0\n000002,0,0\n000003,0,0\n",
            "columns: got 4 rows of another width, first row 1 with 3",
        ),
        ("id,p\n000001,0\n000002\n000003,0\n", "columns: got 1 rows of another width, first row 3 with 1"),
    ],
)
def test_one_fault_one_line(sample: Path, text: str, expected: str) -> None:
    """Each fault of a sample is one line that says got, allowed, do."""
    [fault] = sample_faults(_write(sample, text), ids=IDS, columns=["p"])

    assert expected in fault
    assert "\n" not in fault
    assert "allowed: " in fault


def test_lost_zeros(sample: Path) -> None:
    """Ids that lost their leading zeros are other ids, in both directions, with the first few shown."""
    faults = sample_faults(_write(sample, "id,p\n1,0\n2,0\n3,0\n"), ids=[*IDS, "000004"], columns=["p"])

    assert "got 4 that are missing, first '000001', '000002', '000003';" in faults[0]
    assert "got 3 that are not in the test data, '1', '2', '3';" in faults[1]


def test_unreadable_samples(sample: Path) -> None:
    """A sample that is absent or in another encoding is a fault, not a crash."""
    assert "No such file" in sample_faults(sample, ids=IDS, columns=["p"])[0]
    sample.write_bytes("id,家賃\n".encode("cp932"))
    assert "got bytes that are not UTF-8, at position 3" in sample_faults(sample, ids=IDS, columns=["p"])[0]
