"""What came of typing the guide's blocks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.end_to_end_tests.guide import ENGLISH, JAPANESE, Block, blocks_of
from tests.end_to_end_tests.project import clean_environment

if TYPE_CHECKING:
    from tests.end_to_end_tests.project import Project

ROOT = Path(__file__).parents[2]
READER = "tests.end_to_end_tests.guide_reader"
PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Walk:
    """A reader's way through the guide.

    Attributes:
        project: The folder that the blocks were typed in.
        printed: What each block printed, as far as the reader got.
        errors: Where the reader stopped, and why.
        best: The run ID that the guide's one-liner found, once there.
    """

    project: Project
    printed: list[str]
    errors: str
    best: str | None


def first_blocks() -> int:
    """How many blocks it takes to have a baseline and a study."""
    return next(k for k, block in enumerate(blocks_of(JAPANESE)) if "search.run" in block.body) + 1


def walk(project: Project, begin: int, end: int | None = None) -> Walk:
    """Types the Japanese guide's blocks, small, and after each in Python the English one's, which has other notes."""
    pairs = list(zip(blocks_of(ENGLISH), blocks_of(JAPANESE), strict=True))[begin:end]
    typed = [_typed(english, japanese) for english, japanese in pairs]
    done = subprocess.run(
        [sys.executable, "-m", READER, project.home],
        input=json.dumps(typed),
        cwd=project.home,
        env=clean_environment({"PATH": _path(project.home), "PYTHONPATH": str(ROOT)}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return Walk(project, told["printed"], done.stderr, told["run_id"])


def _typed(english: Block, japanese: Block) -> dict[str, str]:
    body = f"{english.small}\n{japanese.small}" if japanese.language == "python" else japanese.small
    return {"language": japanese.language, "place": japanese.place, "body": body}


def furnish(project: Project, template: Path) -> None:
    """Gives the reader what the guide takes for granted.

    That is a competition's files in a folder with MLflow's empty tables, whose making takes 6 s; an old project in
    another; two submissions; and an installed `signate`, which is only looked for.
    """
    home = project.home
    sample = home / "mlruns" / "sample" / "300"
    for name in ("competition", "old"):
        (home / name / "mlruns").mkdir(parents=True)
    for name in ("train.csv", "test.csv", "sample_submit.csv"):
        shutil.copy(sample / name, home / "competition")
    shutil.copy(template, home / "competition" / "mlruns" / "mlflow.db")
    _write_old_store(home / "old" / "mlruns")
    for name, pattern in (("submission.csv", "*_first_*.csv"), ("another.csv", "*_baseline_*.csv")):
        shutil.copy(next((home / "mlruns" / "submissions").glob(pattern)), home / name)
    (home / "bin").mkdir()
    (home / "bin" / "signate").touch(mode=0o755)


def _write_old_store(mlruns: Path) -> None:
    """One run in MLflow's old form, in a process of its own: only there the store is allowed."""
    script = (
        "import mlflow; mlflow.set_tracking_uri('file:mlruns'); mlflow.set_experiment('signate_mlit_rental_price')\n"
        "with mlflow.start_run(run_name='baseline_20251124_143022'): mlflow.log_metric('cv_rmse_mean', 2.5)"
    )
    environment = clean_environment({"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"})
    subprocess.run([sys.executable, "-c", script], cwd=mlruns.parent, env=environment, check=True)


def _path(home: Path) -> str:
    return os.pathsep.join([str(home / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
