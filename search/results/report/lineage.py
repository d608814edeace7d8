"""Where a study comes from, and how to have it again: versions, code, data, runs, commands."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.config import DataConfig
from search.flags import shown
from search.results.report.section import Facts, Lines

if TYPE_CHECKING:
    from search.results.charts.facts import ChartedStudy
    from search.results.report.runs import Runs
    from storage.layout import Layout

_OURS = ("optuna", "mlflow")
_GIT_SECONDS = 5


def lineage_facts(facts: ChartedStudy, runs: Runs) -> Facts:
    """Data, packages, code and runs."""
    environments = [trial.user_attrs.get("environment", {}) for trial in facts.complete[:1]]
    searched: dict[str, Any] = environments[0] if environments else {}
    packages = {**{name: metadata.version(name) for name in _OURS}, **searched}
    best = facts.best
    rows = [
        ("Data fingerprint", facts.attributes.get("question", {}).get("data")),
        ("Study id", facts.attributes.get("uid")),
        ("MLflow experiment", runs.experiment),
        ("MLflow run of the study", runs.parent or "not recorded yet"),
        (f"MLflow run of trial {best.number}, the best" if best else "", runs.of_best),
        ("Git commit of this code", git_commit(Path(__file__).parent)),
        ("Git commit of the folder", git_commit(Path.cwd())),
        *((name, packages[name]) for name in packages),
    ]
    return Facts(tuple((name, str(value)) for name, value in rows if name and value not in (None, "")))


def git_commit(folder: Path) -> str | None:
    """The commit checked out at a folder, and whether files differ from it; None without Git."""
    git = shutil.which("git")
    if git is None:
        return None
    said = [
        _said(git, folder, *words) for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "-uno"))
    ]
    if not said[0]:
        return None
    return said[0] + (" with changes" if said[1] else "")


def _said(git: str, folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            [git, "-C", str(folder), *words],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def commands(facts: ChartedStudy, layout: Layout) -> Lines:
    """What to type to have the study, its best trial and its submission again."""
    from storage.ledger_address import shown_url

    where = ["--storage", shown_url(layout.ledger_url)] if layout.storage else []
    name = facts.name
    lines = [
        _typed("run", ["--trials", str(max(1, facts.counts.finished)), *_flags(facts), *where]),
        *([_typed("replay", [name, str(facts.best.number), *where])] if facts.best else []),
        _typed("promote", ["--study", name, *where]),
        _typed("report", [name, *where]),
        shlex.join(
            [
                "optuna-dashboard",
                shown_url(layout.ledger_url),
                "--artifact-dir",
                str(layout.dashboard_artifacts),
            ]
        ),
        "mlflow ui --port 5000",
    ]
    return Lines(tuple(lines), are_commands=True)


def space_note(facts: ChartedStudy) -> Lines | None:
    """What flags cannot say."""
    if not facts.attributes.get("settings", {}).get("space"):
        return None
    return Lines(("The study has a [space] table of its own: keep its competition.toml in the folder.",))


def _typed(command: str, words: list[str]) -> str:
    return shlex.join(["python", "-m", f"search.{command}", *words])


def _flags(facts: ChartedStudy) -> list[str]:
    """The settings that differ from their defaults, as flags."""
    settings = {**facts.attributes.get("settings", {}), "study": facts.name}
    words: list[str] = []
    for name, field in DataConfig.model_fields.items():
        value = settings.get(name)
        value = tuple(value) if isinstance(value, list) else value
        if name == "space" or value in (None, field.default, False):
            continue
        words += [f"--{name.replace('_', '-')}", *([] if value is True else [shown(value)])]
    return words
