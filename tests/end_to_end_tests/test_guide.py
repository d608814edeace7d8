"""The guides do as they say: every fenced block of both is typed, and what it promises is looked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end_tests.guide import DOCS, ENGLISH, JAPANESE, N_TRIALS, blocks_of, pattern_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end_tests.guide_walk import Walk

GUIDES = pytest.mark.parametrize("guide", [ENGLISH, JAPANESE], ids=["en", "ja"])
BLOCKS = blocks_of(JAPANESE)
ROOT = DOCS.parent


def test_both_guides_have_the_same_blocks() -> None:
    """What one language says to type the other says too, in the same order: only comments and notes are translated."""
    assert [block.meaning for block in blocks_of(ENGLISH)] == [block.meaning for block in BLOCKS]


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", range(len(BLOCKS)), ids=lambda k: f"{BLOCKS[k].language}-line-{BLOCKS[k].line}"
)
def test_a_block_does_what_it_says(guide_walk: Walk, number: int) -> None:
    """A block can be typed as it stands, after those before it, and prints what the guide shows."""
    assert number < len(guide_walk.printed), guide_walk.errors
    if BLOCKS[number].language == "text":
        shown = guide_walk.printed[number - 1]
        for line in BLOCKS[number].body.splitlines():
            assert re.search(f"^{pattern_of(line)}$", shown, re.MULTILINE), f"not printed: {line}\n{shown}"


@pytest.mark.slow
def test_each_screen_answers(guide_walk: Walk) -> None:
    """The commands that stay serve a page of the tool that they start."""
    title = re.compile("<title>(.*?)</title>", re.DOTALL)
    titles = {
        block.body.strip(): found[1].strip()
        for block, printed in zip(BLOCKS, guide_walk.printed, strict=True)
        if (found := title.search(printed))
    }

    assert titles["mlflow ui --port 5000"] == titles["mlflow server --host 127.0.0.1 --port 5000"] == "MLflow"
    assert titles["optuna-dashboard sqlite:///mlruns/optuna.db"] == "Optuna Dashboard"
    assert "python -m search.serve" in titles


@pytest.mark.slow
def test_the_best_run_is_the_best_that_ran_to_its_end(guide_walk: Walk) -> None:
    """The one-liner of the guide answers with the ledger's best score."""
    values = [
        trial.value
        for trial in guide_walk.project.study("first").get_trials()
        if trial.state.name == "COMPLETE"
    ]
    (best,) = [run for run in guide_walk.project.mlflow_runs() if run.info.run_id == guide_walk.best]

    assert best.data.metrics["cv_rmse_mean"] == min(value for value in values if value is not None)
    assert len(guide_walk.project.study("first").get_trials()) == N_TRIALS


@pytest.mark.slow
def test_a_run_marked_by_hand_stays_marked(guide_walk: Walk) -> None:
    """A later search, which synchronises, leaves the user's own status and note alone."""
    (best,) = [run for run in guide_walk.project.mlflow_runs() if run.info.run_id == guide_walk.best]

    assert best.data.tags["status"] == "failed"
    assert best.data.tags["note"] == "外れ値を除く前のデータ"


@GUIDES
def test_each_command_named_exists(guide: Path) -> None:
    """Also the commands within sentences can be typed."""
    text = guide.read_text(encoding="utf-8")
    for command in set(re.findall(r"\bsearch\.(\w+)", text)):
        assert (ROOT / "search" / f"{command}.py").is_file(), command


@GUIDES
def test_each_link_leads_somewhere(guide: Path) -> None:
    """Pictures, files and headings that the guide points to are there, and a picture is quick to load."""
    text = guide.read_text(encoding="utf-8")
    headings = {_anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        if path:
            assert (DOCS / path).is_file(), target
        else:
            assert anchor in headings, target
        if path.endswith(".png"):
            assert (DOCS / path).stat().st_size < 200_000, target


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
