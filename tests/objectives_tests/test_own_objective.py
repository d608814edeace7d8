"""Objectives of the user's own: found, refused in one line, and carried to other processes as text."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from objectives.own_objective import OwnObjectiveError, code_of, find_own_objective, fingerprint

if TYPE_CHECKING:
    from pathlib import Path

CODE = '''
from optuna.distributions import FloatDistribution
from objectives.base import Objective

class Helper:
    """Not an objective, but part of one."""

class Mine(Objective):
    name = "mine"

    def __init__(self, dataset, folds, metric, *, seed, threads):
        self.seed, self.threads, self.helper = seed, threads, Helper()

    def space(self):
        return {"x": FloatDistribution(0, 1)}

    def default_params(self):
        return {"x": 0.5}

    def evaluate(self, params, report):
        return self.seed + params["x"]

    def save_model(self, result, folder):
        pass
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with a class in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(CODE, encoding="utf-8")
    return "own.py:Mine"


@pytest.mark.parametrize("given", ["own.py:Mine", "own:Mine"])
def test_a_class_is_found_by_file_and_by_module(place: str, given: str) -> None:  # noqa: ARG001 - the file
    """A module that is a file here is taken as that file, so that it may be edited and carried."""
    made = find_own_objective(given)(None, (), None, seed=3, threads=1)  # type: ignore[arg-type]

    assert made.name == "mine"
    assert code_of(given) == CODE
    assert made.portfolio() == []


def test_the_code_is_that_of_the_study(place: str, tmp_path: Path) -> None:
    """A study goes on with the text that it began with, though the file has gone."""
    (tmp_path / "own.py").unlink()

    assert find_own_objective(place, CODE) is find_own_objective(place, CODE)


def test_another_text_is_another_objective(place: str) -> None:
    """What tells studies apart is the class's name and the text of its file."""
    assert fingerprint(place, CODE) == fingerprint("elsewhere.py:Mine", CODE)
    assert fingerprint(place, CODE) != fingerprint(place, CODE + "# better")


def test_it_crosses_to_a_process_that_never_saw_the_file(place: str, tmp_path: Path) -> None:
    """A worker makes the instance from what it was sent alone, helpers of the file included."""
    made = find_own_objective(place)(None, (), None, seed=3, threads=1)  # type: ignore[arg-type]
    (tmp_path / "own.py").unlink()
    script = (
        "import pickle, sys; one = pickle.load(sys.stdin.buffer); "
        "print(one.evaluate({'x': 0.5}, None), type(one.helper).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps(made), capture_output=True, check=True
    )

    assert done.stdout.split() == [b"3.5", b"Helper"]


@pytest.mark.parametrize(
    ("given", "change", "named"),
    [
        ("own.py:", None, "got own.py:; allowed: file.py:Class or module:Class"),
        ("gone.py:Mine", None, "gone.py is not readable"),
        ("own.py:Other", None, "no such class; allowed: one of Mine"),
        ("own.py:Helper", None, "no objective; allowed: a subclass of objectives.base.Objective"),
        ("own.py:Mine", ("def evaluate", "def appraise"), "own.py:Mine without evaluate"),
        ("own.py:Mine", ('name = "mine"', 'name = "lightgbm"'), "with name 'lightgbm'; allowed: a word"),
        ("own.py:Mine", ('name = "mine"', ""), 'do: write name = "mine" in the class'),
        (
            "own.py:Mine",
            ("class Helper", "1 / 0\nclass Helper"),
            "division by zero (line 5 of own.py)",
        ),
        ("no.such.module:Mine", None, "ModuleNotFoundError"),
    ],
)
def test_what_is_no_objective_is_refused_in_a_line(
    place: str, tmp_path: Path, given: str, change: tuple[str, str] | None, named: str
) -> None:
    """Each fault says what was got, what is allowed and what to do."""
    if change:
        (tmp_path / place.partition(":")[0]).write_text(CODE.replace(*change), encoding="utf-8")

    with pytest.raises(OwnObjectiveError) as error:
        find_own_objective(given)
    assert named in str(error.value)
    assert str(error.value).startswith("objective: got ")
    assert "; do: " in str(error.value)
