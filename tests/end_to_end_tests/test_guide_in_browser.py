"""The guides' ways through the screens, clicked in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import chromium_page
from tests.end_to_end_tests import guide_clicks as clicks
from tests.end_to_end_tests.guide import JAPANESE, N_TRIALS, blocks_of
from tests.end_to_end_tests.guide_screens import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.end_to_end_tests.guide_walk import Walk

pytestmark = pytest.mark.slow
FILTERS = [
    line for block in blocks_of(JAPANESE) if block.language == "sql" for line in block.body.splitlines()
]


@pytest.fixture(scope="module")
def mlflow_ui(guide_begun: Walk) -> Iterator[str]:
    """Plain `mlflow ui` in the reader's folder."""
    with started(["mlflow", "ui"], guide_begun.project.home) as address:
        yield address


@pytest.fixture(scope="module")
def page(mlflow_ui: str, chromium: Browser) -> Iterator[Page]:
    """MLflow, where section 4 of the guide leads: one page for all tests, each of which begins at the runs."""
    with chromium_page(chromium, 1440) as tab:
        clicks.open_experiment(tab.page, mlflow_ui)
        yield tab.page


@pytest.fixture
def runs(page: Page, mlflow_ui: str) -> Page:
    """The table of runs, as it is at first."""
    # MLflow remembers what the test before had typed.
    page.goto("about:blank")
    page.goto(
        f"{mlflow_ui}#/experiments/1/runs?searchFilter=&orderByKey=attributes.start_time&orderByAsc=false"
    )
    clicks.run_named(page, "baseline_").wait_for()
    return page


def test_a_study_unfolds(runs: Page) -> None:
    """Trials are folded below their study, and the + shows them."""
    assert not any("trial_" in name for name in clicks.names_of_runs(runs))

    clicks.unfold(runs, "first")

    clicks.run_named(runs, "trial_00000").wait_for()


def test_sorting_brings_the_best_first(runs: Page, guide_begun: Walk) -> None:
    """Sort, `cv_rmse_mean`, ascending: the first run is the best, of trials and baselines; a heading sorts too."""
    best = min(
        (run for run in guide_begun.project.mlflow_runs() if "cv_rmse_mean" in run.data.metrics),
        key=lambda run: run.data.metrics["cv_rmse_mean"],
    )
    clicks.tick_columns(runs, clicks.COLUMNS, off=clicks.SPARE)
    clicks.sort_by(runs, "cv_rmse_mean")

    expect(clicks.first_run(runs)).to_have_text(str(best.info.run_name))
    for name in clicks.COLUMNS:
        expect(runs.get_by_role("columnheader", name=name).first).to_be_visible()

    runs.get_by_role("columnheader", name="cv_rmse_std").last.click()

    runs.get_by_role("button", name="Sort: cv_rmse_std").wait_for()


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_of_the_guide_finds_its_runs(runs: Page, guide_begun: Walk, text: str) -> None:
    """What the guide says to type into the search box finds what the same words find by the API."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{guide_begun.project.home / 'mlruns' / 'mlflow.db'}")
    found = client.search_runs([e.experiment_id for e in client.search_experiments()], text)
    clicks.sort_by(runs, "cv_rmse_mean")
    clicks.search_for(runs, text)
    clicks.wait_for_count(runs, len(found))

    assert set(clicks.names_of_runs(runs)) == {run.info.run_name for run in found}


def test_a_run_says_what_the_guide_reads_in_it(runs: Page) -> None:
    """A click on a run's name shows its score, folds, run ID and, under Artifacts, its submission."""
    clicks.run_named(runs, "baseline_").click()
    for name in ("cv_rmse_mean", "cv_rmse_std", "cv_rmse_fold_0", "n_features"):
        runs.get_by_role("cell", name=name, exact=True).wait_for()
    run_id = runs.url.split("/runs/")[1].split("?")[0]

    assert runs.get_by_text(run_id, exact=True).first.is_visible()

    runs.get_by_role("tab", name="Artifacts").click()
    runs.get_by_text(re.compile(r"submission_.*\.csv")).first.wait_for()
    runs.get_by_text("features.txt").first.wait_for()


def test_runs_are_compared(runs: Page) -> None:
    """Compare draws parallel coordinates of the guide's axes, a scatter plot, and a table of differences."""
    clicks.sort_by(runs, "cv_rmse_mean")
    clicks.search_for(runs, FILTERS[1])
    clicks.wait_for_count(runs, N_TRIALS)
    clicks.compare_all(runs)
    clicks.choose_axes(runs, clicks.PARAMETERS, "cv_rmse_mean")
    for axis in (*clicks.PARAMETERS, "cv_rmse_mean"):
        runs.locator(".parcoords .axis-title", has_text=axis).wait_for()

    assert runs.locator(".parcoords .y-axis").count() == len(clicks.PARAMETERS) + 1

    runs.get_by_role("tab", name="Scatter Plot").click()
    runs.get_by_role("combobox", name="Y-axis:").wait_for()
    runs.locator(".infolayer .ytitle").wait_for()
    runs.get_by_role("switch", name="Parameters - Show diff only").click()
    runs.get_by_role("rowheader", name="learning_rate").first.wait_for()
    assert not runs.get_by_role("rowheader", name="n_features").count()


def test_the_dashboard_shows_the_history(page: Page, guide_begun: Walk) -> None:
    """Optuna's dashboard leads from the study to its history and importances."""
    with started(["optuna-dashboard", "sqlite:///mlruns/optuna.db"], guide_begun.project.home) as address:
        page.goto(address)
        page.get_by_role("link", name="first").first.click()
        for title in ("History", "Hyperparameter Importance"):
            page.get_by_text(title).locator("visible=true").first.wait_for()
