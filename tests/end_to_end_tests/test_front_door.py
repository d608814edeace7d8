"""The front door in a real browser, from an empty folder over a live search to its end."""

from __future__ import annotations

import re
import signal
import socket
from typing import TYPE_CHECKING

import psutil
import pytest
from playwright.sync_api import expect

from search.score_text import score_text
from tests.browser import is_wider_than_its_window, open_page
from tests.end_to_end_tests.front_door import PATIENCE_SECONDS, open_front_door

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.end_to_end_tests.front_door import FrontDoor
    from tests.end_to_end_tests.project import Project

TRIALS = 10
SEARCH = ("--rows", "300", "--trials", str(TRIALS), "--workers", "1", "--folds", "2")
HELD = """
import time
from pathlib import Path

from objectives.models.lightgbm import LightGBMObjective

class Held(LightGBMObjective):
    name = "held"
    begun = 0

    def evaluate(self, params, report):
        while self.begun in {2, 5} and not Path(f"FOLDER/shown_{self.begun}").exists():
            time.sleep(0.01)
        self.begun += 1
        return super().evaluate(params, report)
"""
"""Goes on only when the page has shown what came before: on a busy machine the search would be over by then."""
EXPERIMENT = "signate_mlit_rental_price"


@pytest.fixture(scope="module")
def door(new_project: Callable[[str], Project]) -> Iterator[FrontDoor]:
    """A front door of a folder without a study, at first."""
    with open_front_door(new_project("front_door")) as door:
        yield door


@pytest.fixture(scope="module")
def watched(door: FrontDoor, chromium: Browser) -> list[str]:
    """The line of the best, each time it was another, on a page that was open during the folder's first search."""
    with open_page(chromium) as page:
        page.goto(door.address)
        expect(page.get_by_text("No study here yet")).to_be_visible()
        home = door.project.home
        (home / "held.py").write_text(HELD.replace("FOLDER", str(home)), encoding="utf-8")
        with door.project.started("run", *SEARCH, "--objective", "held.py:Held") as search:
            lines = [_line_of_the_best(page, "")]
            (home / "shown_2").touch()
            lines.append(_line_of_the_best(page, lines[-1]))
            is_live = search.poll() is None
            (home / "shown_5").touch()
            assert search.stdout is not None
            said = search.stdout.read()
            assert search.wait(PATIENCE_SECONDS) == 0, said
        assert is_live
        expect(page.locator(".state")).to_have_text("finished")
        expect(page.locator(".progress")).to_contain_text(f"{TRIALS} of {TRIALS}")
    return lines


@pytest.fixture
def front(door: FrontDoor, watched: list[str], chromium: Browser) -> Iterator[Page]:  # noqa: ARG001 - the search first
    """The front page after that search."""
    with open_page(chromium) as page:
        page.goto(door.address)
        yield page


def _line_of_the_best(page: Page, before: str) -> str:
    script = """before => {
        const line = document.querySelector(".chart .best")?.getAttribute("d");
        return line !== before && line;
    }"""
    return str(page.wait_for_function(script, arg=before).json_value())


def test_convergence_moves_during_a_search(watched: list[str]) -> None:
    """Who looks at the page sees the study appear and converge, without touching anything."""
    assert len(set(watched)) == len(watched) == 2


def test_the_front_page_says_what_there_is_and_what_to_do(front: Page) -> None:
    """Best trial, submissions and the command to promote, which is that of the search's last line."""
    expect(front.locator("article h2")).to_have_text("rent_sample_300")
    expect(front.locator(".score")).to_contain_text("rmse")
    expect(front.locator(".command code")).to_have_text("python -m search.promote --study rent_sample_300")
    expect(front.locator("td.file a").first).to_have_attribute("href", re.compile("/submissions/submission_"))


def test_a_trial_leads_to_its_run_and_back_to_its_submission(front: Page, door: FrontDoor) -> None:
    """The run has the trial's own number and score; the file is the one on disk."""
    number = int(re.findall(r"trial (\d+)", front.locator(".score").inner_text())[0])
    score = front.locator(".score strong").inner_text().replace(",", "")
    with front.expect_download() as download:
        front.locator("td.file a").first.click()
    name = download.value.suggested_filename
    assert download.value.path().read_bytes() == (door.project.home / "submissions" / name).read_bytes()

    front.locator(".score").get_by_text("run", exact=True).click()

    expect(front.get_by_text(f"trial_{number:05d}").first).to_be_visible()
    run = next(one for one in door.project.mlflow_runs() if one.info.run_id in front.url)
    assert score_text(run.data.metrics["cv_rmse_mean"]) == score


def test_a_run_leads_to_its_trial(front: Page, door: FrontDoor) -> None:
    """Who has a run's id finds its trial on the dashboard; a run of no trial leads nowhere."""
    run = next(
        one for one in door.project.mlflow_runs("optuna_trial") if one.data.tags["optuna_trial"] == "3"
    )
    (study,) = door.project.mlflow_runs("optuna_study")
    front.goto(f"{door.address}/runs/{run.info.run_id}/trial")

    expect(front.get_by_text("Trial 3 (").first).to_be_visible()
    assert front.url.endswith("/dashboard/studies/1/trials?numbers=3")
    for nowhere in (study.info.run_id, "0" * 32):
        assert door.ask("GET", f"/runs/{nowhere}/trial").status == 404


def test_the_dashboard_shows_the_study(front: Page) -> None:
    """Optuna's dashboard draws its plots behind the door, with nothing refused that it needs."""
    refused = _refused(front)
    front.locator(".top a", has_text="Trials").click()
    front.get_by_text("rent_sample_300").first.click()
    expect(front.locator(".main-svg").first).to_be_visible()
    assert not is_wider_than_its_window(front)
    front.goto(f"{front.url.split('/dashboard')[0]}/dashboard/studies/1/trials?numbers=1")
    expect(front.get_by_text("Trial 1 (").first).to_be_visible()

    assert refused == []


def test_mlflow_shows_runs_charts_and_comparisons(front: Page, door: FrontDoor) -> None:
    """Its pages work though nothing may be written: list, runs, one run with its curve, several compared."""
    front.locator(".top a", has_text="Runs").click()
    front.get_by_text(EXPERIMENT).first.click()
    parent = door.project.mlflow_runs("optuna_study")[0]
    trials = [
        run.info.run_id for run in door.project.mlflow_runs("optuna_trial") if run.info.status == "FINISHED"
    ]
    pages = f"{door.address}/mlflow/#/experiments/{parent.info.experiment_id}"
    front.goto(f"{pages}/runs")
    expect(front.get_by_text("rent_sample_300").first).to_be_visible()
    front.goto(f"{pages}/runs/{trials[0]}")
    expect(front.get_by_text("cv_rmse_mean").first).to_be_visible()
    front.goto(f"{pages}/runs/{trials[0]}/model-metrics")
    expect(front.get_by_text("cv_rmse_running").first).to_be_visible()
    runs = str(trials[:2]).replace("'", '"')
    front.goto(
        f'{door.address}/mlflow/#/compare-runs?runs={runs}&experiments=["{parent.info.experiment_id}"]'
    )

    expect(front.get_by_text("Comparing 2 Runs").first).to_be_visible()
    expect(front.locator(".main-svg").first).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/studies/1/trials/999/run", "/nowhere"])
def test_pages_fit_a_phone(door: FrontDoor, watched: list[str], chromium: Browser, path: str) -> None:  # noqa: ARG001
    """At 390 pixels nobody has to scroll sideways."""
    with open_page(chromium, width=390) as page:
        page.goto(door.address + path)

        expect(page.locator("h1")).to_be_visible()
        assert not is_wider_than_its_window(page)


def test_ctrl_c_ends_it_and_frees_the_port(new_project: Callable[[str], Project]) -> None:
    """It ends with 130, nothing of it goes on, and the port can be had again; before, it is refused in one line."""
    project = new_project("ended")
    with open_front_door(project) as door:
        taken = project.run("serve", "--port", str(door.port), code=2)
        children = psutil.Process(door.process.pid).children(recursive=True)
        door.process.send_signal(signal.SIGINT)
        assert door.process.wait(PATIENCE_SECONDS) == 130
        assert not [child for child in children if child.is_running()]
        with socket.socket() as again:
            again.bind(("127.0.0.1", door.port))

    assert taken.stderr.startswith(f"--port: got 127.0.0.1:{door.port}, not to be had")
    assert taken.stderr.count("\n") == 1


def _refused(page: Page) -> list[str]:
    """What the server or the page's own policy refused, from now on."""
    found: list[str] = []
    page.on("response", lambda one: found.append(one.url) if one.status >= 400 else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda one: found.append(one.text) if "Content Security Policy" in one.text else None)
    return found
