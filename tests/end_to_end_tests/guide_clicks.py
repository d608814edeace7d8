"""What the guide says to click in MLflow, found as a person would: by what is to be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Locator, Page

EXPERIMENT = "signate_mlit_rental_price"
COLUMNS = ("cv_rmse_mean", "cv_rmse_std", "learning_rate", "num_leaves", "status")
ANSWER = re.compile("/runs/search")
SPARE = ("Dataset", "Source", "Models")
"""Columns shown at first that say nothing here."""
PARAMETERS = ("learning_rate", "num_leaves", "feature_fraction")


def open_experiment(page: Page, address: str) -> None:
    """From MLflow's first page to the sample's runs."""
    page.goto(address)
    page.get_by_role("button", name="Model training").click()
    # It opens by itself on a first visit, some time after the page.
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("link", name="Experiments").first.click()
    page.get_by_role("link", name=EXPERIMENT).first.click()
    run_named(page, "baseline_").wait_for()


def run_named(page: Page, name: str) -> Locator:
    """The link of a run in the table."""
    return page.get_by_role("grid").get_by_role("link", name=name).first


def first_run(page: Page) -> Locator:
    """The uppermost run's link; rows move without changing their order in the document."""
    return page.get_by_role("grid").locator("[row-index='0']").get_by_role("link").first


def names_of_runs(page: Page) -> list[str]:
    """Names in the table, in any order."""
    return page.get_by_role("grid").get_by_role("link").all_inner_texts()


def unfold(page: Page, name: str) -> None:
    """The + before a study."""
    page.get_by_role("gridcell").filter(has_text=name).get_by_role("button").first.click()


def tick_columns(page: Page, names: Sequence[str], *, off: Sequence[str] = ()) -> None:
    """Columns shown, and not shown, by their names."""
    page.get_by_role("button", name="Columns", exact=True).click()
    chooser = page.get_by_role("dialog")
    for name in (*names, *off):
        chooser.get_by_role("textbox", name="Search columns").fill(name)
        line = chooser.locator("[class*=tree-treenode]").filter(has_text=re.compile(f"^{name}$"))
        line.first.locator("[class*=tree-checkbox]").first.click()
    page.keyboard.press("Escape")


def sort_by(page: Page, name: str) -> None:
    """Ascending."""
    page.get_by_role("button", name="Sort:").click()
    page.get_by_role("menuitemcheckbox", name=name, exact=True).click()
    page.get_by_role("button", name=f"Sort: {name}").click()
    # What is typed before the table has answered is lost.
    with page.expect_response(ANSWER):
        page.get_by_role("button", name="Sort ascending").click()
    page.wait_for_url(re.compile("orderByAsc=true"))


def search_for(page: Page, text: str) -> None:
    """Typed into the search box."""
    box = page.get_by_role("combobox", name="metrics.rmse")
    box.fill(text)
    with page.expect_response(ANSWER):
        box.press("Enter")


def wait_for_count(page: Page, count: int) -> None:
    """Until so many runs match."""
    page.get_by_text(re.compile(rf"^{count} matching runs?$")).wait_for()


def compare_all(page: Page) -> None:
    """All runs in the table, on MLflow's page for comparing."""
    page.get_by_role("checkbox", name="Select all runs").click()
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("heading", name=re.compile(r"^Comparing \d+ Runs")).wait_for()


def choose_axes(page: Page, parameters: Sequence[str], metric: str) -> None:
    """The axes of the parallel coordinates, instead of those shown at first."""
    page.get_by_role("button", name="Clear All").click()
    for box, names in zip(
        page.get_by_role("tabpanel").get_by_role("combobox").all(), (parameters, (metric,)), strict=True
    ):
        for name in names:
            box.click()
            box.fill(name)
            box.press("Enter")
        box.press("Escape")
