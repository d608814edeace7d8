"""The examples as a user would run them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end_tests.project import Project

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "metric"), [("mlit_rent", "RMSE"), ("mlit_sale", "MAPE")])
def test_an_example_works_on_the_sample(
    new_project: Callable[[str], Project], name: str, metric: str
) -> None:
    """As it is, an example searches the built-in sample, by its own metric, to a submission in the sample's form."""
    project = new_project(name)
    config = EXAMPLES / name / "competition.toml"
    done = project.run(
        "run", "--config", config, "--rows", "300", "--trials", "2", "--folds", "2", "--workers", "0"
    )

    assert "Trials: 2 finished" in done.stdout
    assert f"CV {metric}: " in done.stdout
    best = next(project.home.glob("mlruns/submissions/*.csv"))
    assert best.read_text(encoding="utf-8").startswith("000000,")
