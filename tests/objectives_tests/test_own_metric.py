"""A metric of the user's own: found, tried, carried to other processes, and refused in one line where broken."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from objectives.data.dataset import DatasetError
from objectives.data.own_metric import OwnMetricError, OwnScore, code_of, find_own
from objectives.data.own_metric_trial import TriedMetric, try_metric

if TYPE_CHECKING:
    from objectives.data.dataset import Dataset
    from objectives.data.folds import Task
    from tests.objectives_tests.conftest import Competition

GOOD = """
import numpy as np

def within_tenth(target, prediction):
    return float(np.mean(np.abs(prediction - target) <= np.abs(target) / 10))

def wide(target, prediction):
    return np.float32(np.abs(prediction - target).max())
"""
TARGETS: dict[Task, np.ndarray[Any, Any]] = {
    "regression": np.arange(1.0, 41.0),
    "binary": np.arange(40.0) % 2,
    "multiclass": np.arange(40.0) % 3,
}


def tried(
    text: str, task: Task = "regression", direction: str | None = None, name: str = "mine"
) -> TriedMetric:
    """A metric tried as at the beginning of a search."""
    metric = find_own(f"mine.py:{name}", code=text)
    return try_metric(metric, direction, task, TARGETS[task])


def body(line: str) -> str:
    """A file with one function of one line."""
    return f"import numpy as np\ndef mine(target, prediction):\n    {line}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a good file in it and one in a folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores").mkdir()
    for path in ("own.py", "scores/日本.py"):
        (tmp_path / path).write_text(GOOD, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "given",
    ["own.py:within_tenth", "own:within_tenth", "scores/日本.py:within_tenth", "scores.日本:within_tenth"],
)
def test_a_file_or_a_module_of_this_folder(here: Path, given: str) -> None:
    """A file's path and a module's name both find the function, and its source goes with it."""
    metric = find_own(given)

    assert metric.name == "within_tenth"
    assert code_of(metric) == GOOD
    assert metric.score(np.array([10.0, 20.0]), np.array([10.5, 25.0])) == 0.5
    assert (here / "own.py").exists()


def test_an_installed_module_is_found_by_its_name() -> None:
    """A function of a package is imported where it is needed, and fingerprinted by its source."""
    metric = find_own("sklearn.metrics:max_error")

    assert code_of(metric) is None
    assert str(metric.source).startswith("max_error ")
    assert metric.score(np.array([1.0, 2.0]), np.array([1.5, 5.0])) == 3


def test_the_fingerprint_is_the_sources(here: Path) -> None:
    """Any change of the file is another metric; the same text elsewhere is the same."""
    first = find_own("own.py:wide").source
    (here / "own.py").write_text(GOOD + "# changed\n", encoding="utf-8")

    assert find_own("scores/日本.py:wide").source == first
    assert find_own("own.py:wide").source != first
    assert find_own("own.py:wide", code=GOOD).source == first


def test_it_crosses_to_a_process_without_the_file(
    here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The pickle holds the source: a worker elsewhere computes the same, also with what looks its module up."""
    text = "from dataclasses import dataclass\n@dataclass\nclass Pair:\n    a: float\n" + GOOD
    (here / "own.py").write_text(text, encoding="utf-8")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "metric").write_bytes(pickle.dumps(find_own("own.py:wide")))
    script = (
        "import pickle, numpy as np; m = pickle.load(open('metric', 'rb')); "
        "print(m.score(np.zeros(2), np.array([1.5, 3.25])))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=elsewhere, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip

    assert done.stdout.strip() == "3.25"


@pytest.mark.parametrize("task", TARGETS)
def test_the_direction_is_found_out(task: Task) -> None:
    """Right predictions score better than wrong ones, and that says which way is better."""
    line = {
        "regression": "return -np.abs(target - prediction).mean()",
        "binary": "return ((prediction > 0.5) == target).mean()",
        "multiclass": "return (prediction.argmax(1) == target).mean()",
    }[task]
    metric, faults, (note,) = tried(body(line), task)

    assert faults == ()
    assert metric.greater_is_better
    assert "Metric direction: max (found out" in note
    assert not tried(body(line.replace("return ", "return -")), task).metric.greater_is_better


def test_a_given_direction_is_taken() -> None:
    """Where the few rows cannot tell, the user's word counts, and no note is needed."""
    constant = body("return 1.0")

    assert tried(constant, direction="max").metric.greater_is_better
    assert tried(constant, direction="min") == (find_own("mine.py:mine", code=constant), (), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def other(y, p): return 1", "TypeError: no function mine in it, but other"),
        ("mine = 3", "TypeError: no function mine in it, but none"),
        (
            "import absent_package",
            "ModuleNotFoundError: No module named 'absent_package' (line 1 of mine.py)",
        ),
        ("\n\n1 / 0", "ZeroDivisionError: division by zero (line 3 of mine.py)"),
        ("def mine(:", "SyntaxError: "),
        ("raise SystemExit('bye')", "SystemExit: bye (line 1 of mine.py)"),
    ],
)
def test_a_file_that_does_not_run_is_one_line(text: str, said: str) -> None:
    """The line has the error, the place in the file, and what to do."""
    with pytest.raises(OwnMetricError) as caught:
        find_own("mine.py:mine", code=text)

    assert str(caught.value).startswith(f"metric: got mine.py:mine: {said}")
    assert "; allowed: " in str(caught.value)
    assert "; do: " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("absent.py:f", "absent.py is not readable (No such file or directory)"),
        ("absent_module:f", "ModuleNotFoundError: No module named 'absent_module'"),
        ("own.py:", "allowed: file.py:function or module:function"),
        (":f", "allowed: file.py:function or module:function"),
        ("own.py:not a name", "allowed: file.py:function or module:function"),
        ("own.py:rmse", "allowed: a function that is not named as a built-in metric"),
        ("broken.py:f", "broken.py is not readable (not UTF-8)"),
    ],
)
def test_a_place_without_a_function_is_one_line(here: Path, given: str, said: str) -> None:
    """A wrong path, module or name is named as it was given."""
    (here / "broken.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OwnMetricError) as caught:
        find_own(given)

    assert f"metric: got {given}" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "return target.no_such",
            "AttributeError: 'numpy.ndarray' object has no attribute 'no_such' (line 3 of mine.py)",
        ),
        ("return None", "TypeError: mine returned NoneType None, not a number"),
        ("return 'good'", "TypeError: mine returned str 'good', not a number"),
        ("return target - prediction", "mine returned ndarray array([0., 0.,"),
        ("return np.nan", "got nan from mine; allowed: a finite number"),
        ("return np.inf", "got inf from mine; allowed: a finite number"),
        ("return np.random.random()", "for the same rows from mine; allowed: the same each time"),
        (
            "prediction[:] = 0; return 1.0",
            "ValueError: assignment destination is read-only (line 3 of mine.py)",
        ),
        (
            "return 1.0",
            "metric_direction: got nothing, and mine gives 1 to right predictions and 1 to wrong ones",
        ),
    ],
)
def test_a_broken_function_is_one_line(line: str, said: str) -> None:
    """What it raises or returns is said before anything begins, once."""
    (fault,) = tried(body(line)).faults

    assert said in fault
    assert fault.startswith(("metric: got ", "metric_direction: got "))
    assert "; allowed: " in fault
    assert "; do: " in fault


def test_a_function_of_one_argument_is_one_line() -> None:
    """A wrong signature is a fault of the function, named as Python does."""
    (fault,) = tried("def mine(target): return 1.0").faults

    assert "mine() takes 1 positional argument but 2 were given" in fault


@pytest.mark.parametrize("direction", ["min", "max"])
def test_a_direction_against_the_facts_is_refused(direction: str) -> None:
    """A search that would keep the worst is not begun; for a built-in metric its own direction counts."""
    sign = "" if direction == "max" else "-"
    own = tried(body(f"return {sign}np.abs(target - prediction).mean()"), direction=direction)

    (fault,) = own.faults
    assert f"metric_direction: got '{direction}', but mine gives" in fault


def load(competition: Competition, **asked: Any) -> Dataset:
    """The two small tables with a metric."""
    competition.asked |= asked
    return competition.load()


def test_a_data_set_has_the_metric(competition: Competition, here: Path) -> None:
    """A loaded competition scores by the user's function, says its direction, and has its source in the question."""
    dataset = load(competition, metric="own.py:wide")

    assert (dataset.metric.name, dataset.metric.greater_is_better) == ("wide", False)
    assert isinstance(dataset.metric.score, OwnScore)
    assert any(note.startswith("Metric direction: min (found out") for note in dataset.notes)
    assert dataset.score_question["metric_source"] == f"{dataset.metric.source} min"
    assert (here / "own.py").exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"metric": "own.py:absent"}, "no function absent in it, but within_tenth, wide"),
        ({"metric": "rmse", "metric_direction": "max"}, "got 'max', but rmse is min; allowed: min"),
        ({"metric": "own.py:wide", "metric_direction": "max"}, "metric_direction: got 'max', but wide gives"),
    ],
)
def test_a_bad_metric_is_a_fault_of_the_data_set(
    competition: Competition, here: Path, asked: dict[str, str], said: str
) -> None:
    """A broken metric is refused as any other bad input, with all else that is wrong."""
    with pytest.raises(DatasetError) as caught:
        load(competition, **asked)

    assert (here / "own.py").exists()
    assert said in str(caught.value)
