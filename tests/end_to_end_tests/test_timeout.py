"""`--timeout` always leaves a checked submission, as real commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end_tests.project import data_flags

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.project import Project

PAIRS = ("lucas_csvs", "binary_csvs", "multiclass_csvs")


def _after(output: str, words: str) -> str:
    return next(line for line in output.splitlines() if line.startswith(words)).removeprefix(words).strip()


@pytest.mark.parametrize("pair", PAIRS)
def test_no_time_at_all(
    request: pytest.FixtureRequest, new_project: Callable[[str], Project], pair: str
) -> None:
    """Before any trial could run to its end there is a stopgap, said to be one, valid and known; the study goes on."""
    project, csvs = new_project("no_time"), request.getfixturevalue(pair)
    flags = [*data_flags(csvs), "--study", "hasty", "--folds", "2", "--workers", "0"]

    output = project.run("run", *flags, "--trials", "500", "--timeout", "0.5").stdout

    assert "Stopped early: the time was up; the same command goes on" in output
    assert "No trial ran to its end, so the submission is a stopgap: " in output
    submission = _after(output, "Submission:")
    assert submission.endswith("_stopgap.csv")
    assert "stopgap" in project.run("verify", submission, "--study", "hasty").stdout

    again = _after(project.run("run", *flags, "--trials", "1").stdout, "Submission:")

    # The trial's, or a blend of it and its final fits where there was time for some.
    assert "stopgap" not in again
    assert "stopgap" not in project.run("verify", again, "--study", "hasty").stdout


def test_little_time(new_project: Callable[[str], Project], lucas_csvs: CsvPair) -> None:
    """Whatever came of the trials by then, the summary's file is valid and known, and says what it is."""
    project = new_project("little_time")
    flags = [*data_flags(lucas_csvs), "--study", "hasty", "--workers", "2", "--trials", "100000"]

    output = project.run("run", *flags, "--timeout", "20").stdout

    assert "Stopped early: the time was up" in output
    project.run("verify", _after(output, "Submission:"), "--study", "hasty")
    assert ("stopgap" in output) != ("Expected on the test file:" in output)
