"""Makes the guides' pictures from the present version: `./dev python -m docs.screenshots`, in the project's folder.

Runs the guide's baseline and search (with one worker, so that the trials are always the same), starts the screens,
clicks as the guide says, and writes docs/images. Takes a few minutes and needs Chromium and fonts-noto-cjk.
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.browser import chromium_page, open_browser
from tests.end_to_end_tests import guide_clicks as clicks
from tests.end_to_end_tests.guide import ENGLISH, blocks_of
from tests.end_to_end_tests.guide_screens import started

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = Path(__file__).parent / "images"
SIZE = (1280, 800)
MOST_BYTES = 200_000
SEARCHES = [
    f"{line} --workers 1" if "search.run" in line else line
    for block in blocks_of(ENGLISH)[:4]
    if block.language == "bash" and not block.place
    for line in block.body.splitlines()
]


def main() -> int:
    """Makes all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, help="where the study is made, or has been made; default: for once"
    )
    folder: Path | None = parser.parse_args().folder
    with TemporaryDirectory() as once:
        home = folder or Path(once)
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "mlruns").exists():
            for line in SEARCHES:
                _run(line, home)
        IMAGES.mkdir(exist_ok=True)
        with open_browser() as browser:
            _take(browser, home)
    return 0


def _take(browser: Browser, home: Path) -> None:
    with started(["mlflow", "ui"], home) as address, chromium_page(browser, *SIZE) as tab:
        _take_mlflow(tab.page, address)
    with started(["python", "-m", "search.serve"], home) as address, chromium_page(browser, *SIZE) as tab:
        tab.page.goto(address)
        tab.page.get_by_text("Best trial").first.wait_for()
        _keep(tab.page, "front_page")
        tab.page.goto(f"{address}dashboard/studies/1")
        tab.page.locator(".js-plotly-plot .infolayer").nth(1).wait_for()
        _keep(tab.page, "dashboard")
    _run("python -m search.report first", home)
    with chromium_page(browser, *SIZE) as tab:
        tab.page.goto((home / "mlruns" / "reports" / "first.html").as_uri())
        tab.page.locator(".js-plotly-plot .infolayer").first.wait_for()
        _keep(tab.page, "report")


def _take_mlflow(page: Page, address: str) -> None:
    clicks.open_experiment(page, address)
    clicks.tick_columns(page, clicks.COLUMNS, off=clicks.SPARE)
    clicks.sort_by(page, "cv_rmse_mean")
    clicks.run_named(page, "trial_").wait_for()
    _keep(page, "mlflow_runs")
    clicks.search_for(page, 'tags.experiment_type = "optuna_trial" and tags.status = "completed"')
    clicks.run_named(page, "baseline_").wait_for(state="detached")
    # The beginning of what was typed.
    page.keyboard.press("Home")
    _keep(page, "mlflow_filter")
    best = str(clicks.first_run(page).get_attribute("href"))
    clicks.compare_all(page)
    clicks.choose_axes(page, clicks.PARAMETERS, "cv_rmse_mean")
    page.locator(".parcoords .axis-title", has_text="cv_rmse_mean").wait_for()
    _keep(page, "mlflow_compare")
    page.goto(address + best)
    page.get_by_role("cell", name="cv_rmse_mean", exact=True).wait_for()
    _keep(page, "mlflow_run")


def _keep(page: Page, name: str) -> None:
    """Writes a picture.

    Raises:
        ValueError: If it is too big for a page that is read on a phone.
    """
    # Nothing still: no pointer, no animation that is half way.
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_500)
    path = IMAGES / f"{name}.png"
    n_bytes = len(page.screenshot(path=path, animations="disabled", caret="hide"))
    if n_bytes > MOST_BYTES:
        msg = f"{path}: got {n_bytes} bytes; allowed: {MOST_BYTES}; do: show less"
        raise ValueError(msg)
    print(f"{path.relative_to(IMAGES.parents[1])}: {n_bytes // 1000} kB")


def _run(line: str, home: Path) -> None:
    subprocess.run([sys.executable, *line.split()[1:]], cwd=home, check=True)  # noqa: S603 - the guide's command


if __name__ == "__main__":
    raise SystemExit(main())
