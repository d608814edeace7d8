"""The recipes of the guide for users of the old MLflow notes, as they stand in `docs/guide.ja.md`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end_tests.project import PATIENCE_SECONDS, Project, clean_environment
from tests.end_to_end_tests.story import best_of

if TYPE_CHECKING:
    from tests.end_to_end_tests.story import Step

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guide.ja.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def copy(promoted: Step, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished project in another place: its notes may be changed, and it has moved."""
    home = tmp_path_factory.mktemp("old_notes") / "elsewhere"
    shutil.copytree(promoted.project.home, home, symlinks=True)
    return Project(home)


@pytest.fixture(scope="module")
def answers(copy: Project) -> dict[str, object]:
    """What the guide's Python blocks come to, typed one after the other in a new process."""
    search, mark = BLOCKS
    told = "print(json.dumps([best.run_id[0], baselines['tags.experiment_type'].tolist()]))"
    script = f"import json\n{search}\nrun_id = best.run_id[0]\n{mark}\n{told}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=copy.home,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    best, types = json.loads(done.stdout.splitlines()[-1])
    return {"best": best, "types": types}


def test_filter_and_one_liner_work_as_written(answers: dict[str, object], promoted: Step) -> None:
    """The baseline is found by its tag, and the best run is the best that ran to its end."""
    runs = {run.info.run_id: run for run in promoted.project.mlflow_runs()}
    best = runs[str(answers["best"])]

    assert answers["types"] == ["baseline"]
    assert best.data.metrics["cv_rmse_mean"] == best_of(promoted).value


def test_a_run_marked_by_hand_stays_marked(answers: dict[str, object], copy: Project) -> None:
    """A sync leaves the user's own status and note alone."""
    assert copy.run("sync").returncode == 0

    (run,) = [run for run in copy.mlflow_runs() if run.info.run_id == answers["best"]]
    assert run.data.tags["status"] == "failed"
    assert run.data.tags["note"] == "外れ値を除く前のデータ"


@pytest.mark.parametrize("command", sorted(set(re.findall(r"python -m search\.(\w+)", GUIDE))))
def test_each_command_of_the_guide_exists(command: str) -> None:
    """What the guide says to type can be typed."""
    assert (ROOT / "search" / f"{command}.py").is_file()
